"""mcts_dpo gives the same bits on 1, 2 and 4 ranks, whatever it learns from and whoever searches which tree."""

import pytest

import launch
import small_mcts_dpo
from small_mcts_dpo import ITERATE, SFT

METHODS = {
    "self-evaluation": ["--self-evaluation", "forced", "--loser", "random"],
    "refresh": ["--policy-refresh", "2", "--rounds", "3", "--commit-temperature", "0.5", "--slice", "3"],
    "instance": ["--method", "instance-dpo", "--samples", "6"],
    "experts": ["--method", "expert-iteration", "--samples", "6"],
    "teacher": ["--method", "sft-continue", "--examples", "40"],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_mcts_dpo.model(tmp_path_factory.mktemp("model"))


def differences(args, tmp_path, *more):
    """One rank's end, and the names of what is other on four ranks, and on two with the optimizer's state
    divided (which is stored in another form)."""
    ends = {}
    for ranks, zero in ((1, 0), (2, 1), (4, 0)):
        small_mcts_dpo.run(args, tmp_path / f"n{ranks}", "--zero", zero, *more, ranks=ranks)
        ends[ranks] = launch.final_state(tmp_path / f"n{ranks}")
    divided = [name for name in launch.differences(ends[1], ends[2])
               if not name.startswith(("optimizer/policy/m", "optimizer/policy/v"))]
    return ends[1], set(launch.differences(ends[1], ends[4]) + divided)


def test_fine_tuning(tmp_path):
    one, apart = differences(SFT, tmp_path, "--steps", "25", "--verdicts", "0.3")
    assert one["optimizer/policy/step"] == 25 and apart == set()


@pytest.mark.parametrize("method", METHODS)
def test_rounds(tmp_path, model, method):
    one, apart = differences(ITERATE, tmp_path, "--model", model, *METHODS[method])
    # Every question was searched, and something learned: these are not three copies of one model.
    assert one["progress/round"] == (3 if method == "refresh" else 2) and one["optimizer/policy/step"] >= 4
    # What was read depends on what a rank had read before; all else is the same, the tokens drawn, too.
    assert apart <= {"progress/prefilled"}
