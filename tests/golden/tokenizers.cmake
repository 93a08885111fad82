tenfold_test(golden_tokenizers LABEL golden
  SOURCES tokenizers_golden_test.cpp
  DEPS tenfold::dataset nlohmann_json::nlohmann_json)
