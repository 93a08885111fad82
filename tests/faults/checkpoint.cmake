# Killed at each named point of a checkpoint, the next start finds the newest committed one.
add_executable(checkpoint_driver checkpoint_driver.cpp)
target_link_libraries(checkpoint_driver PRIVATE tenfold::store tenfold_flags)
set(checkpoint_points before_create after_write after_close after_sync after_digest after_rename
  before_commit after_commit before_prune after_prune)
set(checkpoint_launcher "${TENFOLD_PYTHON}" "${CMAKE_CURRENT_SOURCE_DIR}/checkpoint_kill.py"
  $<TARGET_FILE:checkpoint_driver> "${MPIEXEC_EXECUTABLE}")
foreach(point ${checkpoint_points})
  add_test(NAME checkpoint_kill.${point} COMMAND ${checkpoint_launcher} kill ckpt.${point})
  set_tests_properties(checkpoint_kill.${point} PROPERTIES LABELS faults TIMEOUT 120 PROCESSORS 2
    ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT}")
endforeach()
add_test(NAME checkpoint_kill.points_complete
  COMMAND ${checkpoint_launcher} points ${checkpoint_points})
set_tests_properties(checkpoint_kill.points_complete PROPERTIES LABELS faults TIMEOUT 60
  ENVIRONMENT "${TENFOLD_TEST_ENVIRONMENT}")
