tenfold_test(unit_rl LABEL unit
  SOURCES rl_frame_replay_test.cpp rl_frame_shift_test.cpp rl_noise_test.cpp rl_policy_heads_test.cpp
    rl_priority_tree_test.cpp rl_replay_test.cpp rl_returns_test.cpp
  DEPS tenfold::rl)
