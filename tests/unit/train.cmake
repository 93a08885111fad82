tenfold_test(unit_train LABEL unit
  SOURCES train_run_options_test.cpp train_schedule_test.cpp train_shard_plan_test.cpp
  DEPS tenfold::train)
