tenfold_test(unit_nn_huggingface LABEL unit
  SOURCES nn_lora_test.cpp nn_model_directory_test.cpp nn_safetensors_test.cpp
  DEPS tenfold::nn nlohmann_json::nlohmann_json)
