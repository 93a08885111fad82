tenfold_test(unit_search LABEL unit
  SOURCES search_golden_test.cpp search_naive_test.cpp
  DEPS tenfold::search)
