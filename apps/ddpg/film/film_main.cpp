// ddpg_film RUN EPISODES FILE: what `tenfold show --video RUN` starts. Needs no MPI.
#include "ddpg/film/film.hpp"

int main(int argc, char** argv) {
  return tenfold::rl::film_program(argc, argv, "ddpg", tenfold::ddpg::make_film);
}
