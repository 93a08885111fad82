#!/usr/bin/env bash
# Writes the cluster's slurm.conf and gres.conf; sourced by `start` after layout.sh.

# shellcheck disable=SC2154  # dir and SLURM_CONF are layout.sh's

# Three free ports in a row, below those that the kernel hands out by itself.
free_ports() {
  local base port
  while :; do
    base=$((20000 + RANDOM % 12000))
    for port in "$base" $((base + 1)) $((base + 2)); do
      if (: <"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then continue 2; fi
    done
    echo "$base"
    return
  done
}

# proctrack and task plug-ins are those that need no cgroups. cred_expire is what a requeued job waits
# (twice its default 120 s otherwise). config_overrides lets the nodes have more CPUs than the machine.
# PMIx wants a folder of its own per node in TmpFS. Everything listens on the loopback address only.
write_config() {
  local port host user
  port=$(free_ports)
  host=$(hostname -s)
  user=$(id -un)
  cat >"$SLURM_CONF" <<END
ClusterName=tenfold
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$dir/munge.sock,cred_expire=5
MpiDefault=pmix
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=5
MessageTimeout=5
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=bf_interval=1,sched_interval=2
JobRequeue=1
RequeueExit=75
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/jobcomp.log
GresTypes=gpu
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/%n
TmpFS=$dir/%n/tmp
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.%n.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.%n.log
NodeName=t[1-2] NodeHostname=$host NodeAddr=127.0.0.1 Port=[$((port + 1))-$((port + 2))] CPUs=4 RealMemory=4000 Gres=gpu:2 State=UNKNOWN
PartitionName=batch Nodes=t[1-2] Default=YES MaxTime=60 PriorityTier=1 PreemptMode=REQUEUE GraceTime=5
PartitionName=urgent Nodes=t[1-2] MaxTime=60 PriorityTier=10 PreemptMode=OFF
END
  echo 'NodeName=t[1-2] Name=gpu File=/dev/tty[0-1]' >"$dir/gres.conf"  # stand-ins: they are never opened
}
