#!/usr/bin/env bash
# Where one test cluster lives and which processes belong to it; sourced by the scripts beside it.

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
dir=$(realpath -m "${TENFOLD_SLURM_DIR:-$checkout/build/slurm-cluster}")
nodes=(t1 t2)
# shellcheck disable=SC2034  # start and stop use it
daemons=(munged slurmctld "${nodes[@]/#/slurmd.}")
export SLURM_CONF=$dir/slurm.conf
PATH=$PATH:/usr/sbin:/sbin

say() { printf 'slurm cluster: %s\n' "$*"; }
fail() {  # CODE MESSAGE
  printf 'tenfold: error[%s] slurm cluster: %s\n' "$1" "$2" >&2
  exit "$1"
}
help_if_asked() {  # SCRIPT ARGUMENT
  [[ $2 == -h || $2 == --help ]] || return 0
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$1"
  exit 0
}

# A daemon's process, or nothing: a pid file may outlive its daemon, and the number be another's by now.
pid_of() {  # DAEMON
  local pid
  pid=$(cat "$dir/$1.pid" 2>/dev/null) || return 0
  if [[ $(cat "/proc/$pid/comm" 2>/dev/null) == "${1%%.*}" ]]; then echo "$pid"; fi
}
alive() { [[ -n $(pid_of "$1") ]]; }

# Processes of jobs. They carry this cluster's configuration and a node's name in their environment; a
# shell that evaluated `env` carries only the first.
job_processes() {  # NODE, as a regular expression
  local process environment
  for process in /proc/[0-9]*; do
    environment=$(tr '\0' '\n' 2>/dev/null <"$process/environ") || continue
    grep -qxF "SLURM_CONF=$SLURM_CONF" <<<"$environment" || continue
    grep -qx "SLURMD_NODENAME=$1" <<<"$environment" || continue
    echo "${process#/proc/}"
  done
}

wait_until() {  # SECONDS COMMAND...: false when the time is over
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}
