tenfold_test(unit_comm LABEL unit SOURCES comm_fault_test.cpp comm_signals_test.cpp DEPS tenfold::comm)
