tenfold_test(unit_base LABEL unit
  SOURCES base_clock_test.cpp base_error_test.cpp base_file_test.cpp base_hash_test.cpp
    base_log_test.cpp base_philox_test.cpp base_resident_memory_test.cpp base_text_test.cpp
  DEPS tenfold::base)
