"""What figures and tables of a3c ask of its runs."""

from __future__ import annotations

import numpy as np

from . import tables
from .tenfold_h5 import Run

METHODS = {"q": "1-step Q", "sarsa": "1-step Sarsa", "nstep-q": "n-step Q", "a3c": "A3C"}  # the paper's order
POLICIES = ("hogwild", "striped", "atomic", "mutex", "rma", "sync")
STALENESS = ("0", "1", "2", "3–4", "5–8", "9–16", "17–32", "33–64", "65+")  # bins of async/staleness_histogram


def option(run: Run, key: str, usual: str = "") -> str:
    entry = run.config.get(key)
    return entry.value if entry else usual


def task(run: Run) -> str:
    return option(run, "task.task", run.app)


def method(run: Run) -> str:
    return option(run, "method.method", "a3c")


def policy(run: Run) -> str:
    return option(run, "sharing.update", "hogwild")


def workers(run: Run) -> int:
    """Ranks: what runs at the same time."""
    return int(run.manifest.get("world_size", "1"))


def learning_rate(run: Run) -> float:
    """As the seed drew it (--lr-range), else as --lr said."""
    return float(run.manifest.get("learning_rate") or option(run, "optimizer.lr", "nan"))


def groups(runs: list[Run], *keys) -> dict[tuple, list[Run]]:
    """Runs by what the keys say of them, in the order of first appearance."""
    found: dict[tuple, list[Run]] = {}
    for run in runs:
        found.setdefault(tuple(key(run) for key in keys), []).append(run)
    return found


def curve(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """(decisions [n], seconds since the first evaluation [n], return [n]) of the evaluations. Time while no job ran
    does not count: a resumed run's segments follow each other."""
    series = run.get("eval/return")
    if series is None or not len(series):
        return None
    seconds, passed = np.zeros(len(series)), 0.0
    for segment in np.unique(series.segment):
        rows = series.segment == segment
        seconds[rows] = passed + series.wall_s[rows] - series.wall_s[rows].min()
        passed = float(seconds[rows].max())
    return series.step.astype(float), seconds, series.value


def reached(run: Run, score: float) -> tuple[float, float]:
    """(decisions, seconds) until the first evaluation with at least this return; infinity where there is none."""
    found = curve(run)
    if found is None or not (found[2] >= score).any():
        return np.inf, np.inf
    first = int(np.argmax(found[2] >= score))
    return float(found[0][first]), float(found[1][first])


def staleness_counts(run: Run) -> np.ndarray | None:
    """[9] how often in the whole run, by STALENESS; None where it was not counted (--update sync)."""
    series = run.get("async/staleness_histogram")
    if series is None or series.columns != len(STALENESS):
        return None
    return np.nansum(series.value, axis=0)


def last_return(run: Run) -> float:
    value = tables.last_value(run.get("eval/return"))
    return np.nan if value is None else value
