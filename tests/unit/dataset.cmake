tenfold_test(unit_dataset LABEL unit
  SOURCES dataset_built_in_test.cpp dataset_tokenizer_folder_test.cpp dataset_tokenizer_fuzz_test.cpp
    dataset_tokenizer_json_test.cpp dataset_word_tokenizer_test.cpp
  DEPS tenfold::dataset nlohmann_json::nlohmann_json)
