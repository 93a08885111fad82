tenfold_test(unit_tenfold LABEL unit
  SOURCES tenfold_arguments_test.cpp tenfold_overview_test.cpp tenfold_text_test.cpp
  DEPS tenfold_app_tenfold)
