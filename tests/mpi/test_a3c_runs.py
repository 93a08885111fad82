"""Whole runs of a3c: what is learned between nodes, and what is said of ranks and cores."""

import os

import pytest

import launch
from tenfold_analysis import tenfold_h5

ARGS = ["--preset", "cartpole", "--total-steps", "30000", "--eval-every", "0", "--threads", "1"]


def run(run_dir, *extra, ranks=2):
    result = launch.run("a3c", launch.merged(ARGS, ["--run-dir", run_dir, *extra]), ranks)
    assert result.code == 0, result.out + result.err
    return result, tenfold_h5.read_run(run_dir)


@pytest.mark.parametrize("extra", [["--inter", "average"], ["--inter", "accumulate"]])
def test_two_nodes_learn_together(tmp_path, extra):
    _, read = run(tmp_path / "run", "--fake-nodes", "2", "--inter-every", "20", *extra, ranks=4)
    random, final = read.get("eval/random_return").value[-1], read.get("eval/return").value[-1]
    assert random < 40 and final > 2 * random, (random, final)


@pytest.mark.parametrize("update", ["rma", "sync"])
def test_other_ways_learn_too(tmp_path, update):
    _, read = run(tmp_path / "run", "--update", update, *(["--lr", "1e-2"] if update == "sync" else []))
    assert read.get("eval/return").value[-1] > 2 * read.get("eval/random_return").value[-1]


def test_staleness_is_counted_update_by_update(tmp_path):
    _, read = run(tmp_path / "run", "--metrics-every", "10000")
    histogram = read.get("async/staleness_histogram")
    assert histogram.value.shape[1] == 9
    assert histogram.value.sum() == read.get("train/updates").value[-1]


def test_ranks_beyond_the_cores_are_warned_of(tmp_path):
    cores = os.cpu_count()
    short = ["--total-steps", "200", "--eval-episodes", "1", "--virtual-shards", str(cores * 2)]
    result, _ = run(tmp_path / "many", *short, ranks=cores * 2)
    assert f"{cores * 2} ranks share {cores} cores" in result.err + result.out
    result, _ = run(tmp_path / "one", *short, ranks=1)
    assert "one rank: actors take turns, nothing is asynchronous" in result.out + result.err
    assert "share" not in result.err
