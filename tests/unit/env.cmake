tenfold_test(unit_env LABEL unit
  SOURCES counted_new.cpp env_allocation_test.cpp env_arms_reward_test.cpp env_batch_test.cpp env_classic_test.cpp
    env_game_chance_test.cpp env_games_test.cpp env_grasp_test.cpp env_grid_games_test.cpp
    env_labyrinth_test.cpp env_labyrinth_view_test.cpp env_locomotion_test.cpp env_mjcf_task_test.cpp
    env_model_test.cpp env_observability_test.cpp env_paper_table_test.cpp env_physics_test.cpp
    env_racing_game_test.cpp env_racing_test.cpp env_reward_test.cpp env_seaquest_test.cpp env_task_test.cpp
    env_tolerance_test.cpp
  DEPS tenfold::env)
