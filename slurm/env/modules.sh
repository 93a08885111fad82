#!/usr/bin/env bash
# UNTESTED (no machine with environment modules at hand). What to load before `cmake --preset release` and
# before sbatch, which hands the environment on to the job. Names and versions are the site's:
#   source slurm/env/modules.sh
# jobs/setup is for Debian; on such machines make .venv by hand: python3 -m venv .venv, then
# .venv/bin/pip install -r requirements.txt.
module purge
module load gcc/12 cmake ninja python/3.11
module load openmpi/4.1              # built with Slurm and PMIx: `srun --mpi=list` must name pmix
module load hdf5/1.14-parallel boost fmt nlohmann-json openssl pcre2 sentencepiece utf8proc
# Where a site has no module for them: the folders that CMake should look into.
export HDF5_ROOT=${HDF5_ROOT:-${HDF5_DIR:-}}
export Kokkos_ROOT=${Kokkos_ROOT:-}
