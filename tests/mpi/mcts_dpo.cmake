tenfold_test(mpi_mcts_dpo LABEL mpi WORLD 1 2 4
  SOURCES mcts_dpo_learner_test.cpp
  DEPS tenfold::mcts_dpo_learning)
tenfold_test(mpi_mcts_dpo_records LABEL mpi WORLD 1 2 4
  SOURCES mcts_dpo_lessons_test.cpp mcts_dpo_meeting_test.cpp mcts_dpo_records_test.cpp
  DEPS tenfold_app_mcts_dpo)
tenfold_pytest(mcts_dpo_same_answer LABEL mpi FILE tests/mpi/test_mcts_dpo_same_answer.py TIMEOUT 300 AT_ONCE 2)
