add_executable(transformer_driver transformer_driver.cpp)
target_link_libraries(transformer_driver PRIVATE tenfold::nn tenfold_flags)
target_include_directories(transformer_driver PRIVATE "${PROJECT_SOURCE_DIR}/tests")
tenfold_pytest(golden_transformers LABEL golden FILE tests/golden/test_transformers.py PROCESSORS 1)
