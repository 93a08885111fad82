tenfold_test(unit_ddpg LABEL unit
  SOURCES ddpg_block_test.cpp ddpg_config_test.cpp ddpg_diagnosis_test.cpp ddpg_limiter_test.cpp ddpg_losses_test.cpp ddpg_lqr_test.cpp ddpg_networks_test.cpp ddpg_planner_test.cpp
    ddpg_scores_test.cpp ddpg_simulation_test.cpp kokkos_environment.cpp
  DEPS tenfold_app_ddpg)
