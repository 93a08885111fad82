"""Actor-learners that are killed, hang, stop or compute nonsense: all end alike, nothing is lost, and with turns the
end is that of the unbroken run, on any number of ranks."""

import os
import re
import signal
import subprocess
import time

import numpy as np
import pytest

import launch
import small_a3c
from launch import refused
from small_a3c import TURNS, fault, go
from tenfold_analysis import tenfold_h5


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("unbroken") / "run"
    result = go(run_dir, *TURNS, ranks=1)
    assert result.code == 0, result.out + result.err
    return launch.final_state(run_dir)


def goes_on_to_the_same_end(run_dir, unbroken, ranks):
    started = go(run_dir, *TURNS, ranks=ranks)
    assert started.code == 0, started.out + started.err
    assert int(re.search(r"(\d+) of 4000 decisions done, starting from", started.out)[1]) >= 2000
    assert launch.differences(unbroken, launch.final_state(run_dir)) == []


@pytest.mark.parametrize("point, ranks", [("actor.rollout", 4), ("actor.gradient", 1)])
def test_killed_it_goes_on_on_other_ranks_with_the_same_bits(tmp_path, unbroken, point, ranks):
    killed = go(tmp_path / "run", *TURNS, fault=fault("kill", point))
    assert killed.code == 128 + 9, killed.out + killed.err
    goes_on_to_the_same_end(tmp_path / "run", unbroken, ranks)


def test_an_error_of_one_rank_ends_all_and_the_next_start_goes_on(tmp_path, unbroken):
    refused(go(tmp_path / "run", *TURNS, fault=fault("eio", "actor.rollout")), 4, "rank 1", "actor.rollout")
    goes_on_to_the_same_end(tmp_path / "run", unbroken, 2)


# Rank 1 plays the actors 1, 3, 5 and 7.
@pytest.mark.parametrize("extra, ranks", [([], 2), (TURNS, 2), (["--update", "rma"], 2), (["--fake-nodes", "2"], 4),
                                          (["--fake-nodes", "2", "--inter", "accumulate"], 4),
                                          (["--update", "sync", "--optimizer", "shared-rmsprop"], 2)])
def test_a_gradient_that_is_not_finite_names_its_actor_and_decision(tmp_path, extra, ranks):
    run_dir = tmp_path / "run"
    struck = "nan:rank=1:at=actor.gradient:n=70"
    # Of a free run's rollouts a rank may get few where cores are: one in every block, at least.
    result = go(run_dir, *extra, "--total-steps", "40000", ranks=ranks, fault=struck)
    refused(result, 5, "rank 1", "gradient of q/layer0.weight is not finite")
    actor, decision = map(int, re.search(r"actor (\d+), decision (\d+)", result.fatal[0]).groups())
    assert actor % ranks == 1 and decision % 5 == 0
    assert launch.checkpoints(run_dir)
    assert go(run_dir, *extra, ranks=ranks).code == 0


@pytest.mark.parametrize("extra", [[], ["--update", "sync", "--optimizer", "shared-rmsprop"]])
def test_one_that_is_not_finite_can_be_left_out(tmp_path, extra):
    result = go(tmp_path / "run", *extra, "--nonfinite", "skip", fault=fault("nan", "actor.gradient"))
    assert result.code == 0, result.out + result.err
    log = "".join(path.read_text() for path in (tmp_path / "run" / "logs").iterdir())
    assert re.search(r"actor [1357], decision \d+: the gradient of q/layer0.weight is not finite, left out", log)
    for name, values in launch.final_state(tmp_path / "run").items():
        if name.startswith("model/"):
            assert np.isfinite(values).all(), name
    assert tenfold_h5.read_run(tmp_path / "run").get("train/skipped_updates").value.sum() == 1


@pytest.mark.parametrize("extra", [[], TURNS])
def test_a_rank_that_hangs_ends_the_job_in_time(tmp_path, extra):
    result = go(tmp_path / "run", *extra, "--watchdog", "2", fault=fault("hang", "actor.rollout"))
    assert result.code == 124, result.out + result.err
    assert re.search(r"tenfold: error\[124\] rank \d \(\S+\): nothing moved for \d+ s in phase 'step'", result.err)


@pytest.mark.parametrize("how, whom, extra", [
    ("SIGTERM", "one", []), ("SIGUSR2", "all", []), ("SIGUSR2", "all", TURNS),
    ("SIGTERM", "all", ["--update", "sync", "--optimizer", "shared-rmsprop"])])
def test_asked_to_stop_it_does_not_wait_for_its_block(tmp_path, how, whom, extra):
    run_dir = tmp_path / "run"
    args = launch.merged(small_a3c.ARGS, ["--run-dir", run_dir, "--total-steps", "1000000000", "--block", "1000000000",
                                          *extra])
    process = launch.start("a3c", args)
    try:
        while not list(run_dir.glob("metrics/seg-*.h5")):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        # mpirun answers some signals itself, so ranks are told directly, as a batch system does.
        ranks = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        for pid in ranks if whom == "all" else ranks[-1:]:
            os.kill(int(pid), getattr(signal, how))
        result = launch.finish(process, 30)
    finally:
        process.kill()
    assert result.code == 75 and how in result.out, result.out + result.err
    done = int(launch.final_state(run_dir)["progress/decisions"])
    again = go(run_dir, *extra, "--total-steps", str(done + 100), ranks=4)
    assert again.code == 0, again.out + again.err
    assert int(launch.final_state(run_dir)["progress/decisions"]) >= done + 100


def test_a_free_run_goes_on_with_all_its_actors(tmp_path):
    """On four ranks each plays one rollout of its first actor; the other four are as they were left."""
    run_dir = tmp_path / "run"
    stopped = go(run_dir, "--stop-after", "2000")
    assert stopped.code == 75, stopped.out + stopped.err
    before = launch.final_state(run_dir)
    done = int(before["progress/decisions"])
    assert go(run_dir, "--total-steps", str(done + 1), ranks=4).code == 0
    after = launch.final_state(run_dir)
    kept = [name for name in before if name.startswith("actors/")]
    assert {"actors/env_state", "actors/lstm", "actors/optimizer", "actors/next_action"} <= set(kept)
    for name in kept:
        assert np.asarray(before[name])[4:].tobytes() == np.asarray(after[name])[4:].tobytes(), name
    assert (after["actors/decisions"][:4] == before["actors/decisions"][:4] + 5).all()
    assert int(after["progress/decisions"]) == done + 4 * 2 * 5
    assert int(after["progress/updates"]) == int(before["progress/updates"]) + 4
