"""ZeRO-1 (`--zero 1`): the parameters of a run without it, whatever the number of ranks and however often it is
stopped; and gradients that are not finite, left out and counted on request."""

import numpy as np
import pytest

import launch
import small_run
from tenfold_analysis import tenfold_h5


def finished(run_dir, *extra, ranks=2, fault=None):
    result = small_run.go(run_dir, *extra, ranks=ranks, fault=fault)
    assert result.code == 0, result.out + result.err
    return launch.final_state(run_dir)


def parameters(state):
    return {name: value for name, value in state.items() if not name.startswith("optimizer/")}


@pytest.fixture(scope="module", params=["ordered", "fixed"])
def whole(request, tmp_path_factory):
    """The end of a run without ZeRO-1, and its --reduce."""
    run_dir = tmp_path_factory.mktemp("whole") / "run"
    return finished(run_dir, "--reduce", request.param), request.param


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_has_the_bits_of_the_run_without(tmp_path, whole, ranks):
    expected, reduce = whole
    shared = finished(tmp_path / "run", "--reduce", reduce, "--zero", "1", ranks=ranks)
    assert launch.differences(parameters(expected), parameters(shared)) == []
    for net in ("actor", "critic"):
        for moment in ("m", "v"):
            # One row per virtual shard; flat in the order of the parameters, each from a multiple of 16 on.
            rows = shared[f"optimizer/{net}/{moment}"]
            assert rows.shape[0] == 8
            flat, at = rows.reshape(-1), 0
            layers = sorted(name for name in expected if name.startswith(f"optimizer/{net}/{moment}/"))
            # Weight before bias, layer by layer.
            layers.sort(key=lambda name: (name.split("/")[-1].split(".")[0], not name.endswith("weight")))
            for name in layers:
                values = np.asarray(expected[name]).reshape(-1)
                assert flat[at:at + values.size].tobytes() == values.tobytes(), name
                at += -(-values.size // 16) * 16


def test_goes_on_on_any_number_of_ranks(tmp_path, whole):
    expected, reduce = whole
    run_dir = tmp_path / "run"
    extra = ["--reduce", reduce, "--zero", "1"]
    for ranks, stop in ((2, "200"), (4, "160"), (1, "120")):
        stopped = small_run.go(run_dir, *extra, "--stop-after", stop, ranks=ranks)
        assert stopped.code == 75, stopped.out + stopped.err
    shared = finished(run_dir, *extra, ranks=8)
    assert launch.differences(parameters(expected), parameters(shared)) == []


def test_killed_it_ends_with_the_same_bits(tmp_path, whole):
    expected, reduce = whole
    run_dir = tmp_path / "run"
    extra = ["--reduce", reduce, "--zero", "1"]
    assert small_run.go(run_dir, *extra, fault="kill:rank=1:at=loop.step:n=53").code != 0
    assert launch.differences(parameters(expected), parameters(finished(run_dir, *extra))) == []


def test_switching_it_in_a_run_is_refused_with_the_reason(tmp_path):
    run_dir = tmp_path / "run"
    assert small_run.go(run_dir, "--zero", "1", "--stop-after", "200").code == 75
    refused = small_run.go(run_dir)
    assert refused.code == 6
    assert len(refused.fatal) == 1 and "zero is '1' in the checkpoint" in refused.fatal[0]


def skipped(run_dir):
    return tenfold_h5.read_run(run_dir).get("train/skipped_updates").value.sum()


@pytest.mark.parametrize("zero", ["0", "1"])
def test_a_gradient_that_is_not_finite_is_left_out_on_request(tmp_path, zero):
    runs = []
    for ranks in (1, 2):
        run_dir = tmp_path / f"n{ranks}"
        # The 21st reduction of rank 0: updates reduce twice, first the critic's gradient.
        result = small_run.go(run_dir, "--zero", zero, "--nonfinite", "skip", "--metrics-every", "160",
                              ranks=ranks, fault="nan:rank=0:at=reduce.gradient:n=21")
        assert result.code == 0, result.out + result.err
        assert (result.out + result.err).count("update 11 of critic is skipped") == 1
        assert skipped(run_dir) == 1
        runs.append(launch.final_state(run_dir))
        assert all(np.isfinite(value).all() for name, value in runs[-1].items() if name.startswith("model/"))
    assert launch.differences(*runs, only="model/") == []


def test_without_the_option_it_ends_the_run(tmp_path):
    result = small_run.go(tmp_path / "run", "--zero", "1", fault="nan:rank=1:at=reduce.gradient:n=21")
    assert result.code == 5
    assert len(result.fatal) == 1 and "critic" in result.fatal[0] and "rank 1" in result.fatal[0]
