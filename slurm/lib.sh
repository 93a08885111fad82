#!/usr/bin/env bash
# What the batch scripts share: programs, threads, deadline, signals, requeueing. Sourced by them from the
# checkout. `tenfold_job APP ARGUMENTS...` is the whole of a job; it does not return.
#
# A job that is told to stop (SIGUSR2 ahead of the time limit, SIGTERM at preemption) passes it on to all
# ranks; they write a checkpoint and end with 75, and the job is queued again. Any other code is the job's
# own: what failed for good is not tried again. Read from the environment:
#   TENFOLD_BIN_DIR       where the applications are (build/release/bin)
#   TENFOLD_LAUNCHER      what starts the ranks (srun --mpi=pmix)
#   TENFOLD_MAX_REQUEUE   how often a job may have been queued again before 75 ends it (20)

say() { printf 'slurm job %s: %s\n' "$(job_name)" "$*"; }
fail() {  # CODE MESSAGE
  printf 'tenfold: error[%s] slurm job %s: %s\n' "$1" "$(job_name)" "$2" >&2
  exit "$1"
}

# A task's own number may be that of its whole array: 12 is also 12_0's.
job_name() {
  if [[ -n ${SLURM_ARRAY_JOB_ID:-} ]]; then
    echo "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  else
    echo "${SLURM_JOB_ID:-?}"
  fi
}

# From the first line on: what arrives before the ranks run must not end the batch script.
asked=0 launched='' teller=''
trap 'asked=1; tell_ranks' USR2 TERM

# Again and again until they end: what srun gets before its ranks run, it drops.
tell_ranks() {
  [[ -n $launched && -z $teller ]] || return 0
  (
    trap '' USR2 TERM
    while kill -USR2 "$launched" 2>/dev/null; do sleep 1; done
  ) &
  teller=$!
}

tenfold_environment() {  # APP
  # TENFOLD_BIN_DIR stays set: report.sbatch and the applications know it.
  PATH=${TENFOLD_BIN_DIR:-$PWD/build/release/bin}:$PATH
  command -v "$1" >/dev/null ||
    fail 4 "there is no program '$1' in ${TENFOLD_BIN_DIR:-$PWD/build/release/bin}. Build it: jobs/build release"

  # As many threads as Slurm gave cores: the same on every node, so that the bits are, too. srun does not
  # inherit --cpus-per-task from sbatch since 22.05.
  local threads=${SLURM_CPUS_PER_TASK:-1}
  export OMP_NUM_THREADS=$threads TENFOLD_PARALLEL__THREADS=${TENFOLD_PARALLEL__THREADS:-$threads}
  [[ -z ${SLURM_CPUS_PER_TASK:-} ]] || export SRUN_CPUS_PER_TASK=$threads

  # Slurm before 23 does not say SLURM_JOB_END_TIME. A job without a limit has no such date.
  local end
  if end=$(date -d "$(squeue -h -j "$SLURM_JOB_ID" -o %e)" +%s 2>/dev/null); then
    export TENFOLD_DEADLINE=$end
  fi
}

# After a node failed, its processes may outlive their job for a while and still own the run's folder.
tenfold_wait_for_folder() {  # ARGUMENTS...
  local folder=
  while (($#)); do
    case $1 in
      --run-dir) folder=${2:-} ;;
      --run-dir=*) folder=${1#*=} ;;
    esac
    shift
  done
  [[ -n $folder && -e $folder/.lock ]] || return 0
  flock -w 120 "$folder/.lock" true || say "$folder is still in use after 120 s"
}

# Starts the ranks and waits for them; returns their code.
tenfold_launch() {  # APP ARGUMENTS...
  local -a launcher
  read -r -a launcher <<<"${TENFOLD_LAUNCHER:-srun --mpi=pmix}"
  local code
  "${launcher[@]}" "$@" &
  launched=$!
  ((asked)) && tell_ranks
  # A trap cuts a wait short, with the trap's code: the last one, after the end, says how it ended.
  while kill -0 "$launched" 2>/dev/null; do wait "$launched"; done
  wait "$launched"
  code=$?
  launched=
  [[ -z $teller ]] || kill -KILL "$teller" 2>/dev/null
  # Told to stop before they could listen: nothing is lost, for the newest checkpoint is whole.
  if ((asked && (code == 128 + 12 || code == 128 + 15))); then code=75; fi
  return "$code"
}

slurm_requeues_75() {
  scontrol show config 2>/dev/null | grep -qE '^RequeueExit +=.*\b75\b'
}

tenfold_job() {  # APP ARGUMENTS...
  (($#)) || fail 2 "no command. Its form is at the head of the batch script"
  local restarts=${SLURM_RESTART_COUNT:-0} code=0
  tenfold_environment "$1"
  if ((restarts > 0)); then
    say "start $((restarts + 1))"
    tenfold_wait_for_folder "$@"
  fi
  if ((asked)); then code=75; else tenfold_launch "$@" || code=$?; fi
  trap '' USR2 TERM
  ((code == 75)) || exit "$code"
  if ((restarts >= ${TENFOLD_MAX_REQUEUE:-20})); then
    fail 1 "stopped with a checkpoint, and queued again $restarts times already (TENFOLD_MAX_REQUEUE). Submit it again"
  fi
  slurm_requeues_75 || scontrol requeue "$(job_name)"
  exit 75
}
