tenfold_test(golden_games LABEL golden
  SOURCES games_golden_test.cpp
  DEPS tenfold::env nlohmann_json::nlohmann_json)
