"""What ends a job and what queues it again: slurm/lib.sh with a stand-in that ends as it is told."""

import pathlib

import pytest
from cluster import until


def submit_shell(cluster, script):
    return cluster.submit("one_node", "bash", "-c", script, options=("--ntasks=1",))


def submit(cluster, codes, template="one_node", env=None, options=()):
    """A job whose n-th start ends with the n-th code."""
    return cluster.submit(template, "bash", "-c", 'codes=($1); exit "${codes[${SLURM_RESTART_COUNT:-0}]}"',
                          "-", codes, env=env, options=("--ntasks=1", *options))


def ended(cluster, job, state):
    found = cluster.wait_for(job, state)
    return int(found["ExitCode"].split(":")[0]), int(found["Restarts"])


def test_only_75_is_tried_again(cluster):
    failures = {code: submit(cluster, f"{code} 0") for code in [1, 2, 3, 4, 5, 6, 124]}
    good = submit(cluster, "0")
    stopped_twice = submit(cluster, "75 75 0")
    then_fails = submit(cluster, "75 5 0")
    for code, job in failures.items():
        assert ended(cluster, job, "FAILED") == (code, 0)
    assert ended(cluster, good, "COMPLETED") == (0, 0)
    assert ended(cluster, stopped_twice, "COMPLETED") == (0, 2)
    assert ended(cluster, then_fails, "FAILED") == (5, 1)
    assert "start 3" in cluster.output(stopped_twice)


def test_the_cap(cluster):
    job = submit(cluster, "75 75 75 0", env={"TENFOLD_MAX_REQUEUE": "1"})
    assert ended(cluster, job, "FAILED") == (1, 1)
    assert "TENFOLD_MAX_REQUEUE" in cluster.output(job)


def test_the_cap_may_be_none(cluster):
    job = submit(cluster, "75 0", env={"TENFOLD_MAX_REQUEUE": "0"})
    assert ended(cluster, job, "FAILED") == (1, 0)


def ask_to_stop(cluster, job):
    cluster.slurm("scancel", "--batch", "--signal=USR2", job)


@pytest.mark.parametrize("so_far", ["srun", "sleep"])
def test_asked_to_stop_before_the_ranks_can_listen(cluster, so_far):
    """Without a handler SIGUSR2 ends them; srun that has no ranks yet drops it. The job must be queued
    again all the same."""
    def running():
        programs = [process.partition(" ")[2].split("\0")[0] for process in cluster.processes(job)]
        return so_far in [pathlib.PurePath(program).name for program in programs]

    job = submit_shell(cluster, '[[ -n ${SLURM_RESTART_COUNT:-} ]] || exec sleep 60')
    until(running, cluster.report(job))
    ask_to_stop(cluster, job)
    assert ended(cluster, job, "COMPLETED") == (0, 1)


def test_ranks_are_told_until_they_end(cluster):
    """A stand-in that misses what it is told the first time."""
    job = submit_shell(cluster, """[[ -z ${SLURM_RESTART_COUNT:-} ]] || exit 0
        trap '((++told < 2)) || exit 75' USR2; echo listening; while :; do sleep 0.1; done""")
    until(lambda: "listening" in cluster.output(job), cluster.report(job))
    ask_to_stop(cluster, job)
    assert ended(cluster, job, "COMPLETED") == (0, 1)


def test_a_rank_that_dies_of_a_signal_by_itself_has_failed(cluster):
    job = submit_shell(cluster, "kill -USR2 $$")
    assert ended(cluster, job, "FAILED")[1] == 0


@pytest.fixture
def no_requeue_exit(cluster):
    """As on a site whose slurm.conf does not name 75."""
    conf = cluster.folder / "slurm.conf"
    before = conf.read_text()
    conf.write_text(before.replace("RequeueExit=75\n", ""))
    cluster.slurm("scontrol", "reconfigure")
    yield
    conf.write_text(before)
    cluster.slurm("scontrol", "reconfigure")


def test_where_slurm_itself_does_not_queue_75_again(cluster, no_requeue_exit):
    assert "75" not in next(line for line in cluster.slurm("scontrol", "show", "config").splitlines()
                            if line.startswith("RequeueExit "))
    assert ended(cluster, submit(cluster, "75 0"), "COMPLETED") == (0, 1)


def test_no_such_program(cluster):
    job = cluster.submit("one_node", "dppg")
    assert ended(cluster, job, "FAILED") == (4, 0)
    assert "there is no program 'dppg'" in cluster.output(job)


def test_no_command(cluster):
    job = cluster.submit("many_nodes")
    assert ended(cluster, job, "FAILED") == (2, 0)
    assert "no command" in cluster.output(job)


def test_every_rank_sees_all_gpus_of_its_node(cluster):
    job = cluster.submit("gpus", "bash", "-c", "echo rank $SLURM_PROCID sees $CUDA_VISIBLE_DEVICES",
                         options=("--nodes=2",))
    assert ended(cluster, job, "COMPLETED") == (0, 0)
    said = sorted(line for line in cluster.output(job).splitlines() if line.startswith("rank"))
    assert said == [f"rank {rank} sees 0,1" for rank in range(4)]


def test_threads_and_deadline_come_from_slurm(cluster):
    job = cluster.submit("one_node", "bash", "-c", "env | grep -E '^(OMP|TENFOLD)_'; date +now=%s",
                         options=("--ntasks=1", "--cpus-per-task=3", "--time=10"))
    assert ended(cluster, job, "COMPLETED") == (0, 0)
    said = dict(line.split("=", 1) for line in cluster.output(job).splitlines() if "=" in line)
    assert said["OMP_NUM_THREADS"] == said["TENFOLD_PARALLEL__THREADS"] == "3"
    assert 580 <= int(said["TENFOLD_DEADLINE"]) - int(said["now"]) <= 600


def test_an_atari_task_is_a_game_and_a_seed(cluster, tmp_path):
    """With a stand-in for a3c that says what it was told."""
    (tmp_path / "a3c").write_text('#!/bin/bash\necho "told $*"\nenv | grep TENFOLD_SHARING__UPDATE\n')
    (tmp_path / "a3c").chmod(0o755)
    env = {"TENFOLD_BIN_DIR": str(tmp_path), "TENFOLD_ATARI_RUNS": str(tmp_path / "runs")}
    one_rank = ("--ntasks=1", "--hint=multithread", "--time=5")
    job = cluster.submit("a3c_atari", "--lr=1e-3", options=("--array=109", *one_rank), env=env)
    assert ended(cluster, job, "COMPLETED") == (0, 0)
    assert f"told --preset=atari-ff --task=atari:pong --seed=2 --lr=1e-3 --run-dir={tmp_path}/runs/pong-2" in (
        cluster.output(job))
    assert "TENFOLD_SHARING__UPDATE=hogwild" in cluster.output(job)
    job = cluster.submit("a3c_atari", "--preset=atari-lstm", options=("--array=171", *one_rank), env=env)
    assert ended(cluster, job, "FAILED") == (2, 0)
    assert "there is no game 57" in cluster.output(job)
