// a3c_film RUN EPISODES FILE: what `tenfold show --video RUN` starts. Needs no MPI.
#include "a3c/film/film.hpp"

int main(int argc, char** argv) {
  return tenfold::rl::film_program(argc, argv, "a3c", tenfold::a3c::make_film);
}
