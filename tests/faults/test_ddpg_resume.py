"""Nothing is lost: runs that are killed, stopped or moved end with the parameters of the unbroken run."""

import random
import re
import shutil
import signal
import time

import pytest

import launch

ARGS = ["--config", "apps/ddpg/configs/smoke.cfg", "--total-steps", "640", "--start-steps", "160",
        "--eval-every", "320", "--eval-episodes", "3", "--horizon", "60", "--replay", "1600",
        "--checkpoint-every", "160"]
STEPS = 640 // 8  # loop steps: 8 shards decide once each


def go(run_dir, *extra, ranks=2, env=None):
    return launch.run("ddpg", launch.merged(ARGS, ["--run-dir", run_dir, *extra]), ranks, env)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("unbroken") / "run"
    result = go(run_dir)
    assert result.code == 0, result.out + result.err
    return launch.final_state(run_dir)


def assert_same_end(run_dir, unbroken):
    assert launch.differences(unbroken, launch.final_state(run_dir)) == []
    assert not list(run_dir.glob("checkpoint/*.partial"))


# Drawn once, written down: a failure names the step to repeat.
KILLS = [(rank, random.Random(7 + rank).randrange(25, STEPS)) for rank in (0, 1)]


@pytest.mark.parametrize("rank,step", KILLS)
def test_kill_minus_nine_of_a_rank(tmp_path, unbroken, rank, step):
    run_dir = tmp_path / "run"
    killed = go(run_dir, env={"TENFOLD_FAULT": f"kill:rank={rank}:at=loop.step:n={step}"})
    assert killed.code != 0
    assert go(run_dir).code == 0
    assert_same_end(run_dir, unbroken)


@pytest.mark.parametrize("ranks", [1, 4, 8])
def test_resumes_on_another_number_of_ranks(tmp_path, unbroken, ranks):
    run_dir = tmp_path / "run"
    stopped = go(run_dir, "--stop-after", "300")
    assert stopped.code == 75, stopped.out + stopped.err
    assert go(run_dir, ranks=ranks).code == 0
    assert_same_end(run_dir, unbroken)


def test_prioritised_replay_resumes_exactly(tmp_path):
    extra = ["--sampling", "prioritised", "--n-step", "3", "--envs-per-shard", "2",
             "--replay-checkpoint", "incremental"]
    assert go(tmp_path / "unbroken", *extra).code == 0
    run_dir = tmp_path / "run"
    assert go(run_dir, *extra, "--stop-after", "400").code == 75
    result = go(run_dir, *extra, ranks=4)
    assert result.code == 0, result.out + result.err
    assert_same_end(run_dir, launch.final_state(tmp_path / "unbroken"))


def test_kill_between_rename_and_commit_falls_back(tmp_path, unbroken):
    run_dir = tmp_path / "run"
    killed = go(run_dir, env={"TENFOLD_FAULT": "kill:rank=0:at=ckpt.before_commit:n=2"})
    assert killed.code != 0
    assert len(launch.checkpoints(run_dir)) == 1
    assert go(run_dir).code == 0
    assert_same_end(run_dir, unbroken)


def test_full_disk_keeps_training_and_the_old_checkpoint(tmp_path, unbroken):
    run_dir = tmp_path / "run"
    result = go(run_dir, env={"TENFOLD_FAULT": "enospc:rank=0:at=ckpt.after_write:n=2"})
    assert result.code == 0, result.out + result.err
    assert "No space left" in result.err and "1 of 3" in result.err
    assert_same_end(run_dir, unbroken)


def test_without_replay_a_run_refills_before_it_learns_on(tmp_path):
    small = ["--replay-checkpoint", "none"]
    ends = []
    for ranks in (2, 4):
        run_dir = tmp_path / f"n{ranks}"
        assert go(run_dir, *small, "--stop-after", "320").code == 75
        stopped = launch.final_state(run_dir)
        assert not [name for name in stopped if name.startswith("replay/")]
        result = go(run_dir, *small, ranks=ranks)
        assert result.code == 0, result.out + result.err
        assert "160 transitions again" in result.out
        ends.append(launch.final_state(run_dir))
        # 320 to 480 refill; the update after transition 160 is the first.
        updates = [state["optimizer/actor/step"] for state in (stopped, ends[-1])]
        assert tuple(updates) == (160, 160 + 640 - 320 - 160 + 8)
    assert launch.differences(*ends) == []


def wait_for(condition, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    raise AssertionError("waited in vain")


LONG = ["--total-steps", "2000000", "--checkpoint-every", "2000000"]


@pytest.mark.parametrize("how", ["SIGTERM", "SIGUSR2", "STOP"])
def test_asked_to_stop(tmp_path, how):
    run_dir = tmp_path / "run"
    process = launch.start("ddpg", launch.merged(ARGS, [*LONG, "--run-dir", run_dir]))
    try:
        wait_for(lambda: list(run_dir.glob("metrics/seg-*.h5")), process)
        if how == "STOP":
            (run_dir / "STOP").touch()
        else:
            # mpirun itself answers SIGTERM with its own code, so the ranks are told directly, as a
            # batch system does.
            import os
            import subprocess
            ranks = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True)
            for pid in ranks.stdout.split():
                os.kill(int(pid), getattr(signal, how))
        result = launch.finish(process)
    finally:
        process.kill()
    assert result.code == 75, result.out + result.err
    assert len(launch.checkpoints(run_dir)) == 1
    assert not (run_dir / "STOP").exists()
    assert how in result.out


def test_checkpoint_file_writes_one_and_goes_on(tmp_path):
    run_dir = tmp_path / "run"
    process = launch.start("ddpg", launch.merged(ARGS, [*LONG, "--run-dir", run_dir]))
    try:
        wait_for(lambda: list(run_dir.glob("metrics/seg-*.h5")), process)
        (run_dir / "CHECKPOINT").touch()
        wait_for(lambda: launch.checkpoints(run_dir), process)
        assert process.poll() is None
        (run_dir / "STOP").touch()
        assert launch.finish(process).code == 75
    finally:
        process.kill()
    assert not (run_dir / "CHECKPOINT").exists()


def test_a_finished_run_has_nothing_left_to_do_and_can_be_extended(tmp_path):
    run_dir = tmp_path / "run"
    assert go(run_dir).code == 0
    before = launch.checkpoints(run_dir)
    again = go(run_dir)
    assert again.code == 0 and "640 of 640" in again.out
    assert launch.checkpoints(run_dir) == before
    longer = go(run_dir, "--total-steps", "800")
    assert longer.code == 0 and "total-steps" in longer.err
    assert launch.checkpoints(run_dir)[-1].name.endswith("800")


def test_damaged_newest_checkpoint_is_passed_over_aloud(tmp_path, unbroken):
    run_dir = tmp_path / "run"
    assert go(run_dir, "--stop-after", "400").code == 75
    newest = launch.checkpoints(run_dir)[-1] / "state.h5"
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 0x10
    newest.write_bytes(data)
    result = go(run_dir)
    assert result.code == 0
    assert "passed over" in result.err and newest.parent.name in result.err
    assert_same_end(run_dir, unbroken)


class TwoLevels:
    """A run with a node-local checkpoint every 40 decisions and a shared one every 200, whose rank 1 is
    killed after 368: the newest are of 360 and 200."""

    def __init__(self, folder, background="false"):
        self.run_dir, self.node = folder / "run", folder / "node"
        self.node.mkdir()
        self.options = ["--checkpoint-every", "200", "--checkpoint-local", self.node,
                        "--checkpoint-local-every", "40", "--checkpoint-background", background]
        killed = self.go(env={"TENFOLD_FAULT": "kill:rank=1:at=loop.step:n=47"})
        assert killed.code != 0 and self.parts(), killed.out + killed.err

    def go(self, **how):
        return go(self.run_dir, *self.options, **how)

    def parts(self):
        return sorted(path.parent for path in self.node.glob("tenfold-*/rank-*/step-*/COMMIT.json"))

    def go_on(self, unbroken, **how):
        """Returns what the next start says of where it begins, and all that it says."""
        result = self.go(**how)
        assert result.code == 0, result.out + result.err
        assert_same_end(self.run_dir, unbroken)
        return re.search(r"(\d+ of 640 .*), starting from (.*)", result.out).groups(), result.out + result.err


def test_goes_on_from_the_nodes_own_checkpoint(tmp_path, unbroken):
    run = TwoLevels(tmp_path)
    assert [path.name for path in run.parts()] == ["step-000000000320", "step-000000000360"] * 2
    (done, start), _ = run.go_on(unbroken)
    assert done == "360 of 640 decisions done" and start.startswith("node-local step-000000000360 in ")
    assert list(run.node.iterdir()) == [], "a run that is done leaves nothing on the nodes"


def test_goes_on_from_the_shared_checkpoint_when_the_nodes_lost_theirs(tmp_path, unbroken):
    run = TwoLevels(tmp_path)
    shutil.rmtree(run.node)
    run.node.mkdir()
    (done, start), said = run.go_on(unbroken)
    assert done == "200 of 640 decisions done" and "checkpoint/step-000000000200 " in start
    assert "holds none that is newer; using the shared level" in said


def test_goes_on_from_the_shared_checkpoint_on_another_number_of_ranks(tmp_path, unbroken):
    run = TwoLevels(tmp_path)
    (done, _), said = run.go_on(unbroken, ranks=4)
    assert done == "200 of 640 decisions done"
    assert "they are of 2 ranks, this run has 4; using the shared level" in said


def test_a_kill_while_parts_are_written_behind_the_run(tmp_path, unbroken):
    run = TwoLevels(tmp_path, background="true")
    (done, _), _ = run.go_on(unbroken)
    assert int(done.split()[0]) in (200, 240, 280, 320, 360)
