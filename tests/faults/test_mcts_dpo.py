"""Rounds of search and learning that are killed or stopped in the middle of a search or of a round's updates:
nothing is lost, half-searched trees go on, and the end is that of the unbroken run on any number of ranks."""

import os
import shutil
import signal
import subprocess
import time

import numpy
import pytest
from safetensors.numpy import load_file, save_file

import launch
import small_mcts_dpo
from launch import refused
from tenfold_analysis import tables
from tenfold_analysis.tenfold_h5 import read_run
from small_mcts_dpo import ITERATE, SFT, STEPS, end, records

# Two trees a rank, a checkpoint after every question or two and after every question's share of the updates.
HALVES = launch.merged(ITERATE, ["--slice", "2", "--trees-in-flight", "3", "--self-evaluation", "forced",
                                 "--checkpoint-every", "1", "--checkpoint-background", "false",
                                 "--keep-last", "2"])
SEARCH = [*small_mcts_dpo.TASK, "--mode", "evaluate", "--eval-by", "search", "--iterations", "4",
          "--root-breadth", "3", "--breadth", "2", "--depth-limit", "4", "--solution-tokens", "48"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_mcts_dpo.model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, model):
    run_dir = tmp_path_factory.mktemp("unbroken") / "run"
    small_mcts_dpo.run(HALVES, run_dir, "--model", model)
    return run_dir


def newest(run_dir):
    """Step, questions done and under way, updates done, of the newest checkpoint."""
    folder = launch.checkpoints(run_dir)[-1]
    done, under_way = records(folder)
    return launch.commit(folder)["step"], done, under_way, int(launch.state(folder)["progress/updates"])


def killed_goes_on(run_dir, model, unbroken, fault, ranks, *more):
    killed = small_mcts_dpo.run(HALVES, run_dir, "--model", model, ranks=2, fault=fault, code=128 + 9)
    assert "starting from a fresh start" in killed.out
    found = newest(run_dir)
    again = small_mcts_dpo.run(HALVES, run_dir, "--model", model, *more, ranks=ranks)
    assert f"{found[0]} of {STEPS} half-questions done, starting from" in again.out
    assert launch.differences(end(unbroken), end(run_dir)) == []
    return found


@pytest.mark.parametrize("ranks", [1, 4])
def test_killed_in_a_search(tmp_path, model, unbroken, ranks):
    step, done, under_way, updates = killed_goes_on(tmp_path / "run", model, unbroken,
                                                    "kill:rank=1:at=loop.step:n=3", ranks)
    assert 4 <= step == len(done) < 8 and under_way and updates == 0


@pytest.mark.parametrize("ranks", [1, 4])
def test_killed_in_the_updates(tmp_path, model, unbroken, ranks):
    step, done, under_way, updates = killed_goes_on(tmp_path / "run", model, unbroken,
                                                    "kill:rank=1:at=reduce.gradient:n=5", ranks)
    assert 8 < step < 16 and len(done) == 8 and not under_way and updates in (3, 4)


def test_half_searched_trees_go_on(tmp_path, model):
    """One rank with all trees in flight: what is drawn twice is what was being drawn when it stopped."""
    args = launch.merged(HALVES, ["--trees-in-flight", "8", "--slice", "1", "--model", model])
    small_mcts_dpo.run(args, tmp_path / "unbroken")
    small_mcts_dpo.run(args, tmp_path / "run", "--stop-after", "1", code=75)
    step, done, under_way, _ = newest(tmp_path / "run")
    assert step == len(done) < 4 and len(done) + len(under_way) == 8
    generated = lambda run_dir: launch.final_state(run_dir)["progress/generated"]
    before = generated(tmp_path / "run")
    (tmp_path / "run" / "checkpoint" / "step-000000000099.partial").mkdir()
    again = small_mcts_dpo.run(args, tmp_path / "run")
    assert "passed over: step-000000000099.partial was left incomplete" in again.out, again.out
    twice = generated(tmp_path / "run") - generated(tmp_path / "unbroken")
    assert 0 < twice < before / 4, (twice, before)
    assert launch.differences(end(tmp_path / "unbroken"), end(tmp_path / "run")) == []


def stopped_when(condition, args, run_dir, fault=None):
    """Two ranks that are told to stop, each by a signal, once there is a reason."""
    process = launch.start("mcts_dpo", launch.merged(args, ["--run-dir", run_dir]), 2,
                           {"TENFOLD_FAULT": fault} if fault else None)
    try:
        until = time.monotonic() + 60
        while not condition() and time.monotonic() < until:
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        # mpirun answers some signals itself, so ranks are told directly, as a batch system does.
        ranks = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        for pid in ranks:
            os.kill(int(pid), signal.SIGUSR2)
        result = launch.finish(process, 60)
    finally:
        process.kill()
    assert result.code == 75 and "SIGUSR2" in result.out, result.out + result.err


def test_told_to_stop_it_does_not_wait_for_the_end_of_a_search(tmp_path, model):
    """One slice of hundreds of questions."""
    long = launch.merged(ITERATE, ["--model", model, "--rounds", "1", "--questions", "400", "--iterations", "8",
                                   "--passes", "1", "--batch", "512", "--trees-in-flight", "6"])
    run_dir = tmp_path / "run"
    stopped_when(lambda: list(run_dir.glob("metrics/seg-*.h5")), long, run_dir)
    step, done, under_way, _ = newest(run_dir)
    assert 0 < step == len(done) < 400 and under_way
    small_mcts_dpo.run(long, run_dir, ranks=2)
    small_mcts_dpo.run(long, tmp_path / "unbroken", ranks=2)
    assert launch.differences(end(tmp_path / "unbroken"), end(run_dir)) == []


def test_told_to_stop_samples_and_learners_go_on_to_the_same_end(tmp_path, model):
    """Each is one step where nothing asks for a pause: all samples of an evaluation, of a round, and a round of
    ranks that learn while others search, told in its second stage."""
    many = ["--mode", "evaluate", "--eval-by", "samples", "--eval-questions", "100", "--solution-tokens", "48"]
    rounds = launch.merged(ITERATE, ["--questions", "100", "--passes", "1", "--batch", "16"])
    for name, args, step in (("evaluation", launch.merged(small_mcts_dpo.TASK, many), 1),
                             ("round", [*rounds, "--method", "instance-dpo", "--samples", "6"], 1),
                             ("learners", [*rounds, "--learners", "1", "--checkpoint-every", "1"], 2)):
        run_dir = tmp_path / name
        args = [*args, "--model", model]
        begun = lambda: launch.checkpoints(run_dir) if step == 2 else list(run_dir.glob("metrics/seg-*.h5"))
        stopped_when(begun, args, run_dir, fault=f"slow:rank=0:at=loop.step:n={step}")
        folder = launch.checkpoints(run_dir)[-1]
        at, done = launch.commit(folder)["step"], len(records(folder)[0])
        # Of those that learn and search at once either may have been first; the records are those that are learned.
        assert (100 < at < 200 and done == 100) if name == "learners" else 0 < at == done < 100, (name, at, done)
        small_mcts_dpo.run(args, run_dir, ranks=2 if name == "learners" else 1)
        small_mcts_dpo.run(args, tmp_path / f"{name}-unbroken", ranks=2)
        assert launch.differences(end(tmp_path / f"{name}-unbroken"), end(run_dir)) == [], name


def test_an_error_among_those_that_learn_ends_all(tmp_path, model):
    nothing = ["--rounds", "9", "--learners", "1", "--min-gap", "5", "--most-empty-rounds", "2"]
    args = launch.merged(ITERATE, [*nothing, "--model", model, "--run-dir", tmp_path / "run"])
    refused(launch.run("mcts_dpo", args, 3, timeout=60), 3, "2 rounds in a row gave nothing to learn from", "gap")


def test_told_to_stop_in_the_updates(tmp_path, model, unbroken):
    run_dir = tmp_path / "run"
    args = [*HALVES, "--model", model]
    later = lambda: launch.checkpoints(run_dir) and launch.commit(launch.checkpoints(run_dir)[-1])["step"] > 8
    stopped_when(later, args, run_dir, fault="slow:rank=0:at=loop.step:n=7")
    step, done, _, updates = newest(run_dir)
    assert 8 < step < 16 and len(done) == 8 and updates > 0
    small_mcts_dpo.run(args, run_dir, ranks=1)
    assert launch.differences(end(unbroken), end(run_dir)) == []


def test_fine_tuning_goes_on(tmp_path):
    args = launch.merged(SFT, ["--steps", "25", "--verdicts", "0.3", "--checkpoint-every", "5"])
    small_mcts_dpo.run(args, tmp_path / "unbroken")
    small_mcts_dpo.run(args, tmp_path / "run", ranks=2, fault="kill:rank=1:at=loop.step:n=18", code=128 + 9)
    assert newest_step(tmp_path / "run") in (10, 15)
    small_mcts_dpo.run(args, tmp_path / "run", ranks=4)
    assert launch.differences(end(tmp_path / "unbroken"), end(tmp_path / "run")) == []


def test_learning_in_bfloat16_goes_on(tmp_path):
    args = launch.merged(SFT, ["--steps", "25", "--checkpoint-every", "5", "--learn-type", "bfloat16"])
    small_mcts_dpo.run(args, tmp_path / "unbroken")
    small_mcts_dpo.run(args, tmp_path / "run", ranks=2, fault="kill:rank=1:at=loop.step:n=18", code=128 + 9)
    refused = small_mcts_dpo.run(launch.merged(args, ["--learn-type", "float32"]), tmp_path / "run", code=6)
    assert "learn type" in refused.err
    small_mcts_dpo.run(args, tmp_path / "run", ranks=4)
    assert launch.differences(end(tmp_path / "unbroken"), end(tmp_path / "run")) == []


def test_updates_that_are_not_finite_end_a_run_with_its_policy_as_it_was(tmp_path, model):
    """Small activations before a large norm and a large head: logits are finite, their gradients are not."""
    shutil.copytree(model, tmp_path / "model")
    weights = load_file(tmp_path / "model" / "model.safetensors")
    for name, values in weights.items():
        if name.endswith(("embed_tokens.weight", "o_proj.weight", "down_proj.weight")):
            values *= 1e-3
    weights["model.norm.weight"][:] = 3e18
    weights["lm_head.weight"] *= 6e18 / abs(weights["lm_head.weight"]).max()
    save_file(weights, tmp_path / "model" / "model.safetensors")
    args = launch.merged(SFT, ["--model", tmp_path / "model", "--checkpoint-every", "1h"])
    result = small_mcts_dpo.run(args, tmp_path / "run", ranks=2, code=5)
    assert "4 updates in a row were left out" in result.err
    folder = launch.checkpoints(tmp_path / "run")[-1]
    assert launch.commit(folder)["step"] == 4
    kept = launch.state(folder)
    assert numpy.array_equal(kept["model/lm_head.weight"], weights["lm_head.weight"])
    assert not numpy.any(kept["optimizer/policy/m/lm_head.weight"])
    # Going on from it is as hopeless, and takes four more to find out.
    again = small_mcts_dpo.run(args, tmp_path / "run", code=5)
    assert "4 of 120" in again.out and launch.commit(launch.checkpoints(tmp_path / "run")[-1])["step"] == 8
    stopped = small_mcts_dpo.run(launch.merged(args, ["--nonfinite", "stop"]), tmp_path / "stop", code=5)
    assert "is not finite" in stopped.err


def newest_step(run_dir):
    return launch.commit(launch.checkpoints(run_dir)[-1])["step"]


MEASURED = ("search_accuracy", "vote_accuracy", "weighted_vote_accuracy", "any_right", "search_tokens")
TEST_TIME = ["--outcomes", "hidden", "--reference", "none", "--virtual", "wu", "--paths-in-flight", "3", "--root-searches", "2"]


@pytest.mark.parametrize("more,count", [([], 12), (TEST_TIME, 24)], ids=["one-path", "test-time"])
def test_searches_that_measure_go_on_and_do_not_depend_on_who_searches_beside_whom(tmp_path, model, more, count):
    args = [*SEARCH, "--model", model, "--self-evaluation", "forced", *more]

    def found(name, *how, ranks=1):
        small_mcts_dpo.run(args, tmp_path / name, *how, ranks=ranks)
        done, under_way = records(launch.checkpoints(tmp_path / name)[-1])
        assert len(done) == count and not under_way
        run = read_run(tmp_path / name)
        return done, [float(tables.last_value(run.get(f"eval/{each}"))) for each in MEASURED]

    together, measured = found("together", "--trees-in-flight", "64")
    assert len(set(map(len, together.values()))) > 3  # trees, not all the same
    *accuracies, any_right, tokens = measured
    assert 0 < max(accuracies) <= any_right <= 1 < tokens  # who is right found a right one
    assert found("alone", "--trees-in-flight", "1", ranks=2) == (together, measured)
    broken = ["--trees-in-flight", "3", "--slice", "1"]
    small_mcts_dpo.run(args, tmp_path / "broken", *broken, "--stop-after", "4", ranks=2, code=75)
    done, under_way = records(launch.checkpoints(tmp_path / "broken")[-1])
    assert 4 <= len(done) < count and under_way and done.items() <= together.items()
    other = ["--root-searches", "3"] if more else ["--root-searches", "2"]
    refused = launch.run("mcts_dpo", launch.merged(args, ["--run-dir", tmp_path / "broken", *broken, *other]), 1)
    assert refused.code != 0 and "searches" in refused.err
    assert found("broken", *broken) == (together, measured)
