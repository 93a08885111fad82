"""Every fault point of the code, struck by every kind of fault that makes sense there: the job ends as it
must, the next start goes on from the newest good checkpoint, and the end is that of the unbroken run."""

import re
import subprocess

import h5py
import pytest

import launch
import small_a3c
import small_run

# Where, on which rank, at which passage, and the kinds; kill stands for all that end a process at once.
# Checkpoints are written after 160, 320, 480 and 640 steps: passage 2 of theirs is the one after 320.
TABLE = [
    ("ckpt.before_create", 1, 2, "kill enospc"),
    ("ckpt.after_write", 1, 2, "kill eio hang"),
    ("ckpt.after_close", 0, 2, "kill eio"),
    ("ckpt.after_sync", 0, 2, "kill enospc"),
    ("ckpt.after_digest", 0, 2, "kill"),
    ("ckpt.after_rename", 0, 2, "kill eio"),
    ("ckpt.before_commit", 0, 2, "kill enospc"),
    ("ckpt.after_commit", 0, 2, "kill short slow"),
    ("ckpt.before_prune", 0, 3, "kill eio"),
    ("ckpt.after_prune", 0, 3, "kill"),
    ("loop.step", 1, 50, "kill hang"),
    ("loop.after_update", 0, 50, "kill eio"),
    ("reduce.gradient", 1, 50, "kill nan"),
    ("metrics.flush", 0, 3, "kill eio enospc"),
]
CASES = [(kind, rank, point, passage) for point, rank, passage, kinds in TABLE for kind in kinds.split()]
# Where the next start begins when not at 160: a committed checkpoint counts, whatever came after.
NEWEST = {"ckpt.after_commit": 320, "ckpt.before_prune": 480, "ckpt.after_prune": 480}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("unbroken") / "run"
    result = small_run.go(run_dir)
    assert result.code == 0, result.out + result.err
    return launch.final_state(run_dir)


def assert_same_end(run_dir, unbroken):
    assert launch.differences(unbroken, launch.final_state(run_dir)) == []
    assert small_run.left_over(run_dir) == []


def fault(kind, rank, point, passage):
    return f"{kind}:rank={rank}:at={point}:n={passage}"


def test_every_point_and_every_kind_has_a_test():
    driver = [launch.BIN / "checkpoint_driver", "points"]
    points = subprocess.run(driver, capture_output=True, text=True, check=True).stdout.split()
    everywhere = TABLE + small_a3c.TABLE  # those of actor-learners are struck in test_a3c.py
    assert points == [point for point, *_ in everywhere]
    assert all("kill" in kinds.split() for *_, kinds in everywhere)
    refusal = launch.run("ddpg", ["--dry-run"], 1, {"TENFOLD_FAULT": "flood:at=loop.step"}).fatal[0]
    kinds = re.search(r"the kind is none of ([a-z, ]+)", refusal)[1].split(", ")
    assert set(kinds) == {kind for kind, *_ in CASES}


@pytest.mark.parametrize("rank,point,passage", [case[1:] for case in CASES if case[0] == "kill"])
def test_killed(tmp_path, unbroken, rank, point, passage):
    run_dir = tmp_path / "run"
    flush_at_once = ["--flush-every", "0"]  # else the third passage is a matter of seconds
    killed = small_run.go(run_dir, *flush_at_once, fault=fault("kill", rank, point, passage))
    assert killed.code == 128 + 9, killed.out + killed.err
    again = small_run.go(run_dir, *flush_at_once)
    assert again.code == 0, again.out + again.err
    started = int(re.search(r"(\d+) of 640 decisions done, starting from", again.out)[1])
    if point.startswith("ckpt."):
        assert started == NEWEST.get(point, 160)
    else:  # the checkpoint of the step before may or may not have been written behind the run's back
        assert started in (0, 160, 320)
    assert_same_end(run_dir, unbroken)


# What a full or failing disk does to a checkpoint: a warning. The run goes on and ends as ever.
@pytest.mark.parametrize("kind,rank,point,passage", [
    case for case in CASES if case[0] in ("enospc", "eio", "short") and case[2].startswith("ckpt.")])
def test_a_checkpoint_that_cannot_be_written_costs_a_warning(tmp_path, unbroken, kind, rank, point, passage):
    run_dir = tmp_path / "run"
    result = small_run.go(run_dir, fault=fault(kind, rank, point, passage))
    assert result.code == 0, result.out + result.err
    if point == "ckpt.before_prune":
        assert "is written, but old ones could not be removed" in result.err
    else:
        assert f"on rank {rank} of" in result.err and "1 of 3 in a row" in result.err
        reason = {"enospc": "No space left", "eio": "Input/output error", "short": "its record says"}[kind]
        assert reason in result.err
        assert "step-000000000320 (" not in result.out  # never announced as written
    assert_same_end(run_dir, unbroken)


@pytest.mark.parametrize("kind", ["eio", "enospc"])
def test_metrics_that_cannot_be_written_wait_in_memory(tmp_path, unbroken, kind):
    """No row is lost: the metrics are those of the unbroken run, and the run ends as ever."""
    assert (kind, 0, "metrics.flush", 3) in CASES
    rows = {}
    for name, given in [("whole", None), ("broken", fault(kind, 0, "metrics.flush", 3))]:
        run_dir = tmp_path / name
        result = small_run.go(run_dir, "--flush-every", "0", fault=given)
        assert result.code == 0, result.out + result.err
        assert ("metrics not written" in result.err) == (given is not None)
        with h5py.File(run_dir / "metrics" / "seg-0000.h5", "r") as file:
            rows[name] = {series: file[series]["step"][()].tolist() for series in
                          ("metrics/eval/return", "metrics/train/critic_loss", "metrics/checkpoint/bytes")}
    assert rows["broken"] == rows["whole"] and all(rows["whole"].values())
    assert_same_end(tmp_path / "broken", unbroken)


def test_an_error_of_one_rank_in_the_loop_ends_the_job_and_the_next_start_goes_on(tmp_path, unbroken):
    result = small_run.go(tmp_path / "run", fault=fault("eio", 0, "loop.after_update", 50))
    assert result.code == 4 and "loop.after_update" in result.fatal[0], result.err
    assert small_run.go(tmp_path / "run").code == 0
    assert_same_end(tmp_path / "run", unbroken)


def test_a_gradient_that_is_not_finite_is_named_and_the_next_start_goes_on(tmp_path, unbroken):
    result = small_run.go(tmp_path / "run", fault=fault("nan", 1, "reduce.gradient", 50))
    assert result.code == 5, result.out + result.err
    assert len(result.fatal) == 1 and "rank 1" in result.fatal[0], result.fatal
    assert small_run.go(tmp_path / "run").code == 0
    assert_same_end(tmp_path / "run", unbroken)


@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("point,passage,phases", [
    ("loop.step", 50, ("step", "checkpoint")), ("ckpt.after_write", 2, ("checkpoint", "step"))])
def test_a_rank_that_hangs_ends_the_job_in_time(tmp_path, unbroken, ranks, point, passage, phases):
    run_dir = tmp_path / "run"
    result = small_run.go(run_dir, "--watchdog", "3", ranks=ranks, timeout=40,
                          fault=fault("hang", 1, point, passage))
    assert result.code == 124, result.out + result.err
    found = re.search(r"tenfold: error\[124\] rank (\d) \(\S+\): nothing moved for \d+ s in phase '(\w+)'",
                      result.err)
    assert found and int(found[1]) < ranks and found[2] in phases, result.err
    assert small_run.go(run_dir, ranks=ranks).code == 0
    assert_same_end(run_dir, unbroken)


def test_a_slow_disk_changes_nothing(tmp_path, unbroken):
    result = small_run.go(tmp_path / "run", fault=fault("slow", 0, "ckpt.after_commit", 2))
    assert result.code == 0 and not result.fatal
    assert_same_end(tmp_path / "run", unbroken)
