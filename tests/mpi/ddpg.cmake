tenfold_pytest(ddpg_same_answer LABEL mpi FILE tests/mpi/test_same_answer.py TIMEOUT 400)
tenfold_test(ddpg_test LABEL mpi WORLD 1 2 4
  SOURCES ddpg_actors_test.cpp ddpg_async_test.cpp ddpg_batch_norm_test.cpp ddpg_engines_test.cpp
    ddpg_evaluation_test.cpp ddpg_frame_memory_test.cpp ddpg_gradients_test.cpp ddpg_memory_test.cpp
    ddpg_planner_run_test.cpp ddpg_rollout_test.cpp ddpg_step_test.cpp ddpg_union_sampling_test.cpp
    ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold_app_ddpg)
tenfold_test(ddpg_pixels_test LABEL mpi WORLD 1 2
  SOURCES ddpg_pixels_test.cpp ${PROJECT_SOURCE_DIR}/tests/unit/kokkos_environment.cpp
  DEPS tenfold_app_ddpg)
foreach(ranks 1 2)
  set_tests_properties(ddpg_pixels_test.np${ranks} PROPERTIES SKIP_REGULAR_EXPRESSION "PICTURES NOT TESTED")
endforeach()
tenfold_pytest(ddpg_planner LABEL mpi FILE tests/mpi/test_ddpg_planner.py TIMEOUT 300)
