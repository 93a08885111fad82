"""The cluster of slurm/cluster: starts, stays itself, leaves nothing behind."""

import os
import pathlib
import socket
import subprocess

import launch
from cluster import SCRIPTS, Cluster

# Where the packages' own services would write.
SYSTEM_FOLDERS = ["/run", "/run/munge", "/run/slurm", "/var/log/slurm", "/var/log/munge", "/var/lib/slurm",
                  "/var/lib/munge", "/var/spool/slurm", "/var/spool/slurmd", "/etc/slurm"]


def system_files():
    return {folder: sorted(os.listdir(folder)) for folder in SYSTEM_FOLDERS if os.path.isdir(folder)}


def ports(cluster):
    conf = (cluster.folder / "slurm.conf").read_text()
    first = int(conf.split("SlurmctldPort=")[1].split()[0])
    return [first, first + 1, first + 2]


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_a_second_start_finds_it_running(cluster):
    before = (cluster.folder / "slurm.conf").read_text()
    again = cluster.script("start")
    assert again.returncode == 0 and "runs already" in again.stdout
    assert (cluster.folder / "slurm.conf").read_text() == before


def test_ranks_on_two_nodes_meet_through_pmix(cluster):
    printed = cluster.slurm("srun", "--mpi=pmix", "-N2", "-n2", "bash", "-c",
                            "echo $SLURMD_NODENAME $PMIX_RANK")
    assert sorted(printed.splitlines()) == ["t1 0", "t2 1"]


def test_two_clusters_do_not_meet_and_a_stopped_one_leaves_nothing(cluster):
    files = system_files()
    other = Cluster()
    try:
        assert not set(ports(cluster)) & set(ports(other))
        assert all(listens(port) for port in ports(other))
        # A job that would outlive its cluster.
        job = other.slurm("sbatch", "--parsable", "--output=/dev/null", "--wrap=srun -N1 sleep 1000")
        other.wait_for(job, "RUNNING")
        assert other.slurm("squeue", "-h", "-o", "%i") == job
        assert cluster.slurm("squeue", "-h", "-o", "%i") == ""
        used = ports(other)
    finally:
        other.stop()  # asserts that no process is left
    assert not any(listens(port) for port in used)
    assert system_files() == files
    assert cluster.slurm("sinfo", "-h", "-p", "batch", "-o", "%T %D") == "idle 2"


def test_a_broken_cluster_is_started_anew(cluster):
    pid = int((cluster.folder / "slurmctld.pid").read_text())
    os.kill(pid, 9)
    again = cluster.script("start")
    assert again.returncode == 0, again.stderr
    assert cluster.slurm("sinfo", "-h", "-p", "batch", "-o", "%T %D") == "idle 2"


def test_stop_where_nothing_runs(tmp_path):
    env = launch.environment({"TENFOLD_SLURM_DIR": str(tmp_path / "none")})
    done = subprocess.run([SCRIPTS / "stop"], env=env, capture_output=True, text=True)
    assert done.returncode == 0 and "does not run" in done.stdout
    assert not (tmp_path / "none").exists()


def test_a_folder_whose_sockets_would_have_no_room_is_refused(tmp_path, cluster):
    long = tmp_path / ("x" * 100)
    env = launch.environment({"TENFOLD_SLURM_DIR": str(long)})
    done = subprocess.run([SCRIPTS / "start"], env=env, capture_output=True, text=True)
    assert done.returncode == 2 and "TENFOLD_SLURM_DIR" in done.stderr
    assert not pathlib.Path(long).exists()
