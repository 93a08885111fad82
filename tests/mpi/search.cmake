tenfold_test(search_test LABEL mpi WORLD 1 2 4 SOURCES search_stealing_test.cpp DEPS tenfold::search)
