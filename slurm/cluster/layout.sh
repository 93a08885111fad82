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

# Processes of nodes' jobs. Tasks carry this cluster's configuration and the node's name in their
# environment, where a shell that evaluated `env` carries only the first. Slurm's supervisors of tasks
# overwrite theirs with their title, but keep the node's log open.
job_processes() {  # NODE...
  local node process
  for node in "$@"; do
    { grep -lzxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ |
      xargs -r grep -lzxF "SLURMD_NODENAME=$node"
      find /proc/[0-9]*/fd -lname "$dir/slurmd.$node.log"; } 2>/dev/null |
      while IFS=/ read -r _ _ process _; do
        [[ $(cat "/proc/$process/comm" 2>/dev/null) == slurmd ]] || echo "$process"
      done
  done | sort -un
}

wait_until() {  # SECONDS COMMAND...: false when the time is over
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}
