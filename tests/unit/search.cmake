tenfold_test(unit_search LABEL unit
  SOURCES search_bytes_test.cpp search_games_test.cpp search_golden_test.cpp search_merge_test.cpp search_naive_test.cpp
    search_paths_test.cpp search_pool_test.cpp search_root_parallel_test.cpp
  DEPS tenfold::search)
