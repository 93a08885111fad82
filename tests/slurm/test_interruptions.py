"""Jobs of two ranks on two nodes that are preempted, reach their time limit, lose a node or are
cancelled: each ends with the parameters of the unbroken run, bit for bit.

The runs are endless until they were interrupted; then the test names the step at which they end. So no
speed of the machine is assumed."""

import launch
import pytest
from cluster import until

ARGS = ["--start-steps", "160", "--eval-every", "320", "--eval-episodes", "3", "--horizon", "60",
        "--replay", "1600", "--checkpoint-every", "160", "--threads", "1"]
ENDLESS = 10_000_000


class Run:
    def __init__(self, folder):
        self.folder = folder / "run"
        self.config = folder / "run.cfg"
        self.end_at(ENDLESS)

    def end_at(self, steps):
        smoke = (launch.SOURCE / "apps/ddpg/configs/smoke.cfg").read_text()
        assert "total-steps = 1600\nstart-steps = 400\n" in smoke
        self.config.write_text(smoke.replace("total-steps = 1600\nstart-steps = 400\n",
                                             f"total-steps = {steps}\n"))

    def arguments(self, folder=None):
        return ["--config", str(self.config), *ARGS, "--run-dir", str(folder or self.folder)]

    def steps(self):
        return [int(path.name.removeprefix("step-")) for path in launch.checkpoints(self.folder)]

    def end_soon(self):
        """Lets the run end a little after its newest checkpoint; returns that step."""
        newest = self.steps()[-1]
        self.end_at((newest // 160 + 2) * 160)
        return newest

    def assert_ends_as_unbroken(self, tmp_path):
        unbroken = tmp_path / "unbroken"
        result = launch.run("ddpg", self.arguments(unbroken))
        assert result.code == 0, result.out + result.err
        assert launch.checkpoints(unbroken)[-1].name == launch.checkpoints(self.folder)[-1].name
        assert launch.differences(launch.final_state(unbroken), launch.final_state(self.folder)) == []
        assert not list(self.folder.glob("checkpoint/*.partial"))


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def submit(cluster, run, options=()):
    return cluster.submit("many_nodes", "ddpg", *run.arguments(), options=("--time=10", *options))


def start(cluster, run, options=()):
    """Submits and waits for a checkpoint."""
    job = submit(cluster, run, options)
    cluster.wait_for(job, "RUNNING")

    def written():
        assert cluster.job(job)["JobState"] == "RUNNING", cluster.report(job)
        return run.steps()

    until(written, f"a checkpoint of job {job}")
    return job


def assert_completed(cluster, job, restarts):
    done = cluster.wait_for(job, "COMPLETED", 120)
    assert done["ExitCode"] == "0:0"
    assert int(done["Restarts"]) >= restarts


def test_two_nodes(cluster, run, tmp_path):
    run.end_at(640)
    job = submit(cluster, run)
    assert_completed(cluster, job, 0)
    assert cluster.job(job)["NodeList"] == "t[1-2]"
    assert "ddpg: 2 ranks" in cluster.output(job)
    run.assert_ends_as_unbroken(tmp_path)


def test_mpirun_within_an_allocation(cluster, run, tmp_path):
    run.end_at(640)
    job = cluster.submit("many_nodes", "ddpg", *run.arguments(), env={"TENFOLD_LAUNCHER": "mpirun"})
    assert_completed(cluster, job, 0)
    assert "ddpg: 2 ranks" in cluster.output(job)
    run.assert_ends_as_unbroken(tmp_path)


def test_preempted_by_an_urgent_job(cluster, run, tmp_path):
    job = start(cluster, run)
    release = tmp_path / "release"
    urgent = cluster.slurm("sbatch", "--parsable", "--partition=urgent", "--nodes=2", "--exclusive",
                           "--time=5", "--output=/dev/null",
                           f"--wrap=until [ -e {release} ]; do sleep 0.1; done")
    cluster.wait_for(urgent, "RUNNING")
    cluster.wait_for(job, "PENDING")
    assert "(SIGTERM" in cluster.output(job)  # the reason of the last checkpoint
    run.end_soon()
    release.touch()
    assert_completed(cluster, job, 1)
    run.assert_ends_as_unbroken(tmp_path)


def test_time_limit(cluster, run, tmp_path):
    """Slurm's clock counts minutes: a limit of one, and its signal up to 50 s ahead."""
    job = start(cluster, run, ("--time=1", "--signal=B:USR2@50"))
    until(lambda: int(cluster.job(job)["Restarts"]) >= 1, cluster.report(job), 90)
    assert "(SIGUSR2" in cluster.output(job)
    run.end_soon()
    assert_completed(cluster, job, 1)
    assert "TIME LIMIT" not in cluster.output(job)
    run.assert_ends_as_unbroken(tmp_path)


@pytest.mark.parametrize("node,how", [("t2", "fail"), ("t1", "lose")])
def test_a_node_fails(cluster, run, tmp_path, node, how):
    """A power cut of the node of rank 1; and the daemon alone dies where rank 0 and the batch script are,
    so that the run goes on, unseen, until Slurm has given the node up."""
    job = start(cluster, run)
    failed = cluster.script("node", node, how)
    assert failed.returncode == 0, failed.stderr
    try:
        cluster.wait_for(job, "PENDING")
        assert f"Node failure on {node}" in cluster.output(job)
        until(lambda: not cluster.processes(job), "its processes to end")
        run.end_soon()
    finally:
        assert cluster.script("node", node, "start").returncode == 0
    assert_completed(cluster, job, 1)
    run.assert_ends_as_unbroken(tmp_path)


def test_cancelled(cluster, run, tmp_path):
    job = start(cluster, run)
    assert len(cluster.processes(job)) >= 4  # batch script, srun, two ranks
    cluster.slurm("scancel", job)
    cluster.wait_for(job, "CANCELLED")
    until(lambda: not cluster.processes(job), cluster.processes(job))
    assert cluster.slurm("squeue", "-h") == ""  # its 75 did not queue it again
    assert "(SIGTERM" in cluster.output(job)
    run.end_soon()
    assert_completed(cluster, submit(cluster, run), 0)
    run.assert_ends_as_unbroken(tmp_path)
