tenfold_test(unit_tenfold LABEL unit
  SOURCES tenfold_arguments_test.cpp tenfold_comparison_test.cpp tenfold_numbers_test.cpp
    tenfold_overview_test.cpp tenfold_rerun_test.cpp tenfold_scaling_test.cpp tenfold_text_test.cpp
  DEPS tenfold_app_tenfold)
