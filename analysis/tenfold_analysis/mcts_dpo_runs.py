"""What figures and tables of mcts_dpo ask of its runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from . import tables
from .a3c_runs import groups, option
from .tenfold_h5 import Run, Series
from .tree_h5 import NoTrees, Round, read_round, tree_files

__all__ = ["groups", "option"]
PAPER = Path(__file__).with_name("mcts_dpo_paper_tables.csv")
_METHODS = {"mcts-dpo": "MCTS-DPO", "instance-dpo": "instance-level DPO", "expert-iteration": "expert iteration",
            "sft-continue": "more SFT"}
# Arms in the order of the paper's table, then others.
_ORDER = ("SFT", "more SFT", "MCTS-DPO offline", "instance-level DPO", "MCTS-DPO online", "expert iteration")


def mode(run: Run) -> str:
    return option(run, "mode.mode", "iterate")


def task(run: Run) -> str:
    return option(run, "data.task", run.app)


def _number(run: Run, key: str, usual: float) -> float:
    try:
        return float(option(run, key, str(usual)))
    except ValueError:
        return usual


def arm(run: Run) -> str:
    """How the run learned, by its options: "MCTS-DPO online · NLL"."""
    if mode(run) == "sft":
        return "SFT"
    method = option(run, "learn.method", "mcts-dpo")
    name = _METHODS.get(method, method)
    refresh = int(_number(run, "learn.policy-refresh", 1))
    if method == "mcts-dpo":
        name += {0: " offline", 1: " online"}.get(refresh, f" refreshed every {refresh} rounds")
    elif refresh != 1 and method != "sft-continue":
        name += " offline" if refresh == 0 else f" refreshed every {refresh} rounds"
    if not method.endswith("-dpo"):
        return name
    extras = [("NLL", _number(run, "preference.nll", 0) > 0), ("IPO", option(run, "preference.loss") == "ipo"),
              ("self-evaluation", option(run, "search.self-evaluation", "off") != "off" and method == "mcts-dpo"),
              ("adapters", _number(run, "model.lora-rank", 0) > 0)]
    return " · ".join([name] + [label for label, on in extras if on])


def arms(runs: list[Run]) -> dict[str, list[Run]]:
    """Runs that learned by rounds, by arm."""
    found = {name: members for (name,), members in groups([run for run in runs if mode(run) == "iterate"], arm).items()}
    rank = {name: place for place, name in enumerate(_ORDER)}
    return dict(sorted(found.items(), key=lambda item: (rank.get(item[0], rank.get(item[0].split(" · ")[0], 9)), item[0])))


def round_steps(run: Run) -> float:
    """Steps of a round: a question counts when it was searched and when it was learned from."""
    return 2 * _number(run, "learn.questions", 1)


def per_round(run: Run, name: str) -> tuple[np.ndarray, np.ndarray] | None:
    """(rounds [n], value [n]) of a series of one column."""
    series = run.get(name)
    if series is None or series.columns != 1:
        return None
    return series.step / round_steps(run), series.value


def by_compute(run: Run) -> tuple[np.ndarray, np.ndarray] | None:
    """(tokens generated + read + 3 x trained so far [n], accuracy [n]) at the evaluations."""
    accuracy, spent = run.get("eval/accuracy"), run.get("tokens/compute")
    if accuracy is None or spent is None:
        return None
    steps, tokens = np.concatenate([[0], spent.step]), np.concatenate([[0.0], spent.value])
    return np.interp(accuracy.step, steps, tokens), accuracy.value


def last(run: Run, name: str = "eval/accuracy") -> float:
    value = tables.last_value(run.get(name))
    return np.nan if value is None else value


def samples(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """(k [n], pass@k [n], accuracy of the majority of k [n]) of --mode evaluate --eval-by samples."""
    found = [run.get(name) for name in ("eval/samples", "eval/pass_at", "eval/self_consistency")]
    if any(series is None for series in found):
        return None
    return tuple(_last_row(series) for series in found)


def _last_row(series: Series) -> np.ndarray:
    return np.atleast_1d(series.value[-1])


def model_name(run: Run) -> str:
    """The model's folder; where it is called "model", with the one above."""
    path = Path(option(run, "model.model"))
    return "/".join(path.parts[-2:]) if path.name == "model" else path.name or "a fresh model"


def rounds(run: Run) -> list[Round]:
    """Search trees of all rounds that were kept; those that cannot be read are named in the run's warnings."""
    found = []
    for path in tree_files(run.path).values():
        try:
            found.append(read_round(path))
        except NoTrees as error:
            run.warnings.append(str(error))
    return found


def pair_labels(found: Round) -> tuple[int, int, int]:
    """Of pairs whose two steps are known to be right or wrong: (right over wrong, both alike, wrong over right)."""
    first = found.trees["first_node"][found.pairs["tree"]].astype(np.int64)
    truth = found.nodes["truth"].astype(np.int64)
    winner, loser = truth[first + found.pairs["winner_end"]], truth[first + found.pairs["loser_end"]]
    known = (winner < 2) & (loser < 2)
    difference = winner[known] - loser[known]
    return int((difference > 0).sum()), int((difference == 0).sum()), int((difference < 0).sum())


def paper_table() -> pd.DataFrame:
    """Columns task, method, ours, percent, mark."""
    return pd.read_csv(PAPER, comment="#", keep_default_na=False)
