tenfold_test(store_test LABEL unit
  SOURCES store_commit_test.cpp store_hid_test.cpp store_manifest_test.cpp
    store_metrics_test.cpp store_registry_test.cpp
  DEPS tenfold::store Hdf5Parallel::hdf5)

# Reading while another process writes, and after it was killed: from h5py and from our own reader.
add_executable(store_metrics_driver store_metrics_driver.cpp)
target_link_libraries(store_metrics_driver PRIVATE tenfold::store tenfold_flags)
add_test(NAME store_live_metrics COMMAND "${TENFOLD_PYTHON}"
  "${CMAKE_CURRENT_SOURCE_DIR}/store_live_metrics.py" $<TARGET_FILE:store_metrics_driver>)
set_tests_properties(store_live_metrics PROPERTIES LABELS unit TIMEOUT 120
  ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT}")
