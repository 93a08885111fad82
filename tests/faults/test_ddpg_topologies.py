"""Runs whose ranks act or learn, or share parameters: what lockstep promises through kills and other splits of the
ranks, what a free run keeps to, and that whoever fails ends all."""

import pathlib

import pytest

import launch
from launch import refused
import small_run
from tenfold_analysis import tenfold_h5

ACTORS = ["--topology", "actors"]
LOCKSTEP = [*ACTORS, "--ratio-band", "0"]
AT_ONCE = ["--checkpoint-background", "false"]  # written when the next step begins, also the one before a kill
UPDATES = 640 - 160  # one for each decision after the random ones
CASES = str(pathlib.Path(__file__).resolve().parents[1] / "cli" / "gym_tasks")


def finished(run_dir, *extra, ranks):
    result = small_run.go(run_dir, *extra, ranks=ranks)
    assert result.code == 0, result.out + result.err
    return launch.final_state(run_dir)


@pytest.fixture(scope="module")
def symmetric(tmp_path_factory):
    return finished(tmp_path_factory.mktemp("symmetric") / "run", ranks=1)


def test_lockstep_killed_and_split_otherwise_has_the_bits_of_symmetric(tmp_path, symmetric):
    run_dir = tmp_path / "run"
    # An actor, in the 13th block of 32 decisions: back to the checkpoint of 320.
    assert small_run.go(run_dir, *LOCKSTEP, *AT_ONCE, ranks=3, fault="kill:rank=2:at=loop.step:n=13").code != 0
    assert [path.name for path in launch.checkpoints(run_dir)][-1].endswith("320")
    stopped = small_run.go(run_dir, *LOCKSTEP, "--learners", "2", "--stop-after", "100", ranks=4)
    assert stopped.code == 75, stopped.out + stopped.err
    assert launch.differences(symmetric, finished(run_dir, *LOCKSTEP, ranks=2)) == []
    assert small_run.left_over(run_dir) == []


def test_symmetric_goes_on_from_lockstep(tmp_path, symmetric):
    run_dir = tmp_path / "run"
    assert small_run.go(run_dir, *LOCKSTEP, "--replay-checkpoint", "incremental", "--stop-after", "350",
                        ranks=3).code == 75
    assert launch.differences(symmetric, finished(run_dir, ranks=2)) == []


def test_a_free_run_keeps_to_its_steps_and_its_ratio(tmp_path):
    run_dir = tmp_path / "run"
    killed = small_run.go(run_dir, *ACTORS, *AT_ONCE, "--learners", "2", ranks=4,
                          fault="kill:rank=1:at=loop.step:n=13")
    assert killed.code != 0
    state = finished(run_dir, *ACTORS, "--metrics-every", "32", ranks=3)
    assert state["optimizer/critic/step"] == UPDATES
    assert state["replay/fill"].tolist() == [80] * 8
    run = tenfold_h5.read_run(run_dir)
    assert run.get("train/updates").step[-1] == 640
    backlog = run.get("topology/backlog").value
    assert 0 < backlog.max() < 1 + 64 + 8
    ratio = run.get("topology/updates_per_step").value
    assert abs(ratio.mean() - 1) < (64 + 8) / 320, "of the 320 decisions after the checkpoint"
    assert run.get("topology/staleness_updates").value.min() >= 0


def test_async_killed_goes_on_on_other_ranks(tmp_path):
    run_dir = tmp_path / "run"
    extra = ["--topology", "async"]
    assert small_run.go(run_dir, *extra, ranks=2, fault="kill:rank=1:at=loop.step:n=13").code != 0
    assert small_run.go(run_dir, *extra, "--stop-after", "100", ranks=4).code == 75
    assert finished(run_dir, *extra, ranks=1)["optimizer/critic/step"] == UPDATES
    run = tenfold_h5.read_run(run_dir)
    assert run.get("topology/staleness_updates").value.min() >= 0


def test_without_its_memory_a_run_refills_first(tmp_path):
    run_dir = tmp_path / "run"
    small = [*LOCKSTEP, "--replay-checkpoint", "none"]
    assert small_run.go(run_dir, *small, "--stop-after", "320", ranks=2).code == 75
    # 160 decisions refill; the round that ends them counts.
    assert finished(run_dir, *small, ranks=3)["optimizer/critic/step"] == 160 + 160 + 8


@pytest.mark.parametrize("topology, ranks, rank", [("actors", 3, 2), ("async", 2, 1)])
def test_a_task_that_raises_on_one_rank_ends_all(tmp_path, topology, ranks, rank):
    # With this seed no environment of the first evaluation catches fire.
    args = launch.merged(small_run.ARGS, ["--task", "gym:tenfold_gym_cases:FireSomewhere-v0", "--horizon", "0",
                                          "--topology", topology, "--eval-episodes", "1", "--seed", "2",
                                          "--run-dir", tmp_path / "run"])
    result = launch.run("ddpg", args, ranks, {"PYTHONPATH": CASES})
    refused(result, 3, f"rank {rank}", "environment 2 of this rank", "ValueError: the motor is on fire")


def test_a_gradient_that_is_not_finite_ends_the_actors_too(tmp_path):
    result = small_run.go(tmp_path / "run", *ACTORS, "--learners", "2", ranks=3,
                          fault="nan:rank=1:at=reduce.gradient:n=21")
    refused(result, 5, "gradient of critic", "rank 1")


def test_an_actor_that_hangs_is_noticed(tmp_path):
    result = small_run.go(tmp_path / "run", *ACTORS, "--watchdog", "4", ranks=2, fault="hang:rank=1:at=loop.step:n=9")
    assert result.code == 124, result.out + result.err


@pytest.mark.parametrize("ranks, extra, words", [
    (1, ACTORS, ["a rank that learns and one that acts", "mpirun -n 2"]),
    (2, [*ACTORS, "--learners", "2"], ["--learners 2 of 2 ranks", "--learners 1 to 1"]),
    (2, [*ACTORS, "--zero", "1"], ["--zero 1"]),
    (1, ["--topology", "async", "--zero", "1"], ["--zero 1", "--topology async"]),
    (1, ["--learners", "2"], ["--learners", "--topology actors"]),
    (1, [*ACTORS, "--planner", "cem"], ["--planner cem", "--topology"]),
])
def test_what_does_not_go_together(tmp_path, ranks, extra, words):
    refused(small_run.go(tmp_path / "run", *extra, ranks=ranks), 2, *words)
