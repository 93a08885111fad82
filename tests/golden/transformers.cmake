add_executable(transformer_driver transformer_driver.cpp)
target_link_libraries(transformer_driver PRIVATE tenfold::nn tenfold_flags)
# ATen/TensorOperators.h then brings the operators alone, not every function.
target_compile_definitions(transformer_driver PRIVATE AT_PER_OPERATOR_HEADERS)
tenfold_pytest(golden_transformers LABEL golden FILE tests/golden/test_transformers.py PROCESSORS 1)
