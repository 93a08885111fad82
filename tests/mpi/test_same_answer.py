"""Same answer on any number of ranks: the promise of docs/architecture.md, on real training runs."""

import numpy as np
import pytest

import launch

BASE = ["--config", "apps/ddpg/configs/smoke.cfg", "--total-steps", "480", "--start-steps", "160",
        "--eval-every", "0", "--eval-episodes", "3", "--horizon", "60", "--replay", "4000"]
PRIORITISED = ["--sampling", "prioritised", "--n-step", "3", "--envs-per-shard", "2", "--total-steps", "640"]
BATCH_NORM = ["--batch-norm", "paper", "--action-layer", "2", "--actor-net", "33x20",
              "--critic-net", "33x20"]


def train(tmp_path, name, ranks, *extra):
    run_dir = tmp_path / name
    result = launch.run("ddpg", launch.merged(BASE, ["--run-dir", run_dir, *extra]), ranks)
    assert result.code == 0, result.out + result.err
    return launch.final_state(run_dir)


@pytest.mark.parametrize("reduce", ["ordered", "fixed"])
@pytest.mark.parametrize("extra", [[], BATCH_NORM, PRIORITISED], ids=["plain", "batchnorm", "prioritised"])
def test_bits_do_not_depend_on_ranks(tmp_path, reduce, extra):
    states = [train(tmp_path, f"n{n}", n, "--reduce", reduce, *extra) for n in (1, 2, 4)]
    # Something was learned at all: the comparison is not one of two untouched initialisations.
    assert states[0]["optimizer/actor/step"] == (480 if extra is PRIORITISED else 320)
    for other in states[1:]:
        assert launch.differences(states[0], other) == []


@pytest.mark.parametrize("extra", [["--engine", "torch", *BATCH_NORM], ["--layer-norm", "true"]],
                         ids=["torch", "layernorm"])
def test_other_networks(tmp_path, extra):
    one, two = (train(tmp_path, f"n{n}", n, *extra) for n in (1, 2))
    assert one["optimizer/actor/step"] == 320
    assert launch.differences(one, two) == []


def test_ordered_and_fixed_are_different_sums(tmp_path):
    ordered = train(tmp_path, "ordered", 2, "--reduce", "ordered")
    fixed = train(tmp_path, "fixed", 2, "--reduce", "fixed")
    assert launch.differences(ordered, fixed, only="model/")


def test_fast_agrees_within_rounding(tmp_path):
    # A few updates only: rounding differences grow with every step of a chaotic system.
    short = ["--total-steps", "176", "--reduce", "fast"]
    one = train(tmp_path, "n1", 1, *short)
    two = train(tmp_path, "n2", 2, *short)
    ordered = train(tmp_path, "ordered", 2, "--total-steps", "176", "--reduce", "ordered")
    for other in (two, ordered):
        for name in (n for n in one if n.startswith("model/")):
            np.testing.assert_allclose(other[name], one[name], rtol=2e-3, atol=2e-4, err_msg=name)


def test_another_seed_is_another_run(tmp_path):
    assert launch.differences(train(tmp_path, "a", 2, "--seed", "1"),
                              train(tmp_path, "b", 2, "--seed", "2"), only="model/")
