"""ddpg --planner as a user runs it: the same answer on any number of ranks, the file of scores, and what
normalised scores come from."""

import sys

import h5py
import numpy as np
import pytest

import launch

sys.path.append(str(launch.SOURCE / "analysis"))
from tenfold_analysis.tenfold_h5 import read_run  # noqa: E402

PLAY = ["--task", "pendulum", "--horizon", "20", "--eval-episodes", "6", "--planner-lookahead", "0.2",
        "--planner-random-episodes", "5", "--seed", "3"]
LEARN = ["--config", "apps/ddpg/configs/smoke.cfg", "--total-steps", "480", "--eval-every", "240"]


def play(folder, method, ranks, *extra):
    args = [*PLAY, "--planner", method, "--run-dir", folder, *extra]
    result = launch.run("ddpg", args, ranks)
    assert result.code == 0, result.out + result.err
    return result


def series(folder, name):
    return read_run(folder).get(name).value


@pytest.mark.parametrize("method", ["ilqg", "cem"])
def test_ranks_do_not_matter(tmp_path, method):
    for ranks in (1, 2, 4):
        play(tmp_path / f"n{ranks}", method, ranks)
    first = {name: series(tmp_path / "n1", name)
             for name in ("planner/episode_return", "eval/return", "eval/random_return")}
    assert len(first["planner/episode_return"]) == 6 and np.ptp(first["planner/episode_return"]) > 0
    for ranks in (2, 4):
        for name, values in first.items():
            assert np.array_equal(series(tmp_path / f"n{ranks}", name), values), name


def test_stopped_and_resumed_is_the_same(tmp_path):
    play(tmp_path / "whole", "cem", 2)
    args = [*PLAY, "--planner", "cem", "--run-dir", tmp_path / "cut"]
    stopped = launch.run("ddpg", [*args, "--stop-after", "60"], 2)
    assert stopped.code == 75, stopped.out + stopped.err
    resumed = launch.run("ddpg", args, 4)
    assert resumed.code == 0, resumed.out + resumed.err
    for name in ("planner/episode_return", "eval/random_return"):
        assert np.array_equal(series(tmp_path / "cut", name), series(tmp_path / "whole", name))


def test_recorded_score_is_what_a_learning_run_is_measured_with(tmp_path):
    scores = tmp_path / "scores.h5"
    play(tmp_path / "p", "cem", 2, "--planner-record", scores)
    with h5py.File(scores, "r") as file:
        assert file.attrs["schema"] == b"tenfold-planner-scores"
        entry = file["scores/pendulum/cem"]
        returns = entry["return"][()]
        assert np.array_equal(returns, series(tmp_path / "p", "planner/episode_return"))
        random = entry["random_return"][()]
        assert (entry.attrs["horizon"], entry.attrs["repeat"], len(random)) == (20, 2, 5)
        # The command in the file makes the same again.
        again = entry.attrs["command"].decode().split()
    assert again[0] == "ddpg"
    result = launch.run("ddpg", [*again[1:], "--run-dir", tmp_path / "again"], 1)
    assert result.code == 0, result.out + result.err
    assert np.array_equal(series(tmp_path / "again", "planner/episode_return"), returns)

    result = launch.run("ddpg", [*LEARN, "--horizon", "20", "--normalise", scores, "--run-dir", tmp_path / "l"])
    assert result.code == 0, result.out + result.err
    expected = (series(tmp_path / "l", "eval/return") - random.mean()) / (returns.mean() - random.mean())
    np.testing.assert_allclose(series(tmp_path / "l", "eval/score"), expected, rtol=1e-12)
    assert f"score {expected[-1]:.3f}" in result.out


def test_without_a_fitting_score_there_is_one_note_and_nan(tmp_path):
    result = launch.run("ddpg", [*LEARN, "--horizon", "21", "--run-dir", tmp_path / "l"])
    assert result.code == 0, result.out + result.err
    notes = [line for line in (result.out + result.err).splitlines() if "no normalised scores" in line]
    assert len(notes) == 1 and "horizon" in notes[0] and "21" in notes[0], notes
    assert np.isnan(series(tmp_path / "l", "eval/score")).all()
    assert np.isfinite(series(tmp_path / "l", "eval/return")).all()


def test_normalise_none_writes_no_score(tmp_path):
    result = launch.run("ddpg", [*LEARN, "--normalise", "none", "--run-dir", tmp_path / "l"])
    assert result.code == 0 and "no normalised" not in result.out + result.err
    assert read_run(tmp_path / "l").get("eval/score") is None
    # Its folder is no place for a planner's run.
    result = launch.run("ddpg", [*PLAY, "--planner", "cem", "--run-dir", tmp_path / "l"], 1)
    assert result.code == 6 and len(result.fatal) == 1, result.out + result.err
    assert "another kind of run: learning in the checkpoint, planner here" in result.fatal[0]


@pytest.mark.parametrize("args,code,words", [
    (["--planner", "ilqr"], 2, ["ilqr", "ilqg"]),
    (["--planner", "cem", "--planner-samples", "1"], 2, ["planner-samples", "1"]),
    (["--planner", "cem", "--planner-elite", "0"], 2, ["planner-elite"]),
    (["--planner", "cem", "--planner-smoothing", "1"], 2, ["planner-smoothing", "1"]),
    (["--planner", "ilqg", "--planner-lookahead", "0"], 2, ["planner-lookahead"]),
    (["--planner-record", "x.h5"], 2, ["planner.record", "--planner"]),
    (["--normalise", "no/such.h5"], 2, ["no/such.h5", "--normalise"]),
    (["--normalise", "README.md"], 3, ["README.md"]),
    (["--normalise", "tests/data/run-v1/manifest.h5"], 3, ["manifest.h5", "planner scores"]),
], ids=lambda value: " ".join(value) if isinstance(value, list) else None)
def test_bad_input(tmp_path, args, code, words):
    result = launch.run("ddpg", [*LEARN, *args, "--run-dir", tmp_path / "run"])
    assert result.code == code, result.out + result.err
    assert len(result.fatal) == 1, result.out + result.err
    for word in words:
        assert word in result.fatal[0], result.fatal[0]
