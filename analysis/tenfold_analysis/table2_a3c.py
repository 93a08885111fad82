"""Table 2 of Mnih et al. (2016) from runs of a3c: how much sooner n ranks reach a score than one, the paper's beside it.

    python -m tenfold_analysis.table2_a3c RUN... --reference SCORE [--markdown]

A run reaches the score with its first evaluation of at least that much. Ratios are of geometric means over the seeds of
one rank to those of n ranks, with 95% intervals of Student's t of the logarithms: above 1 is sooner. In decisions they say
what parallel actors do to data efficiency, in seconds they hold for the machine as busy as it was. Seeds that never
reach the score are left out of a ratio and counted.
Exit codes: 0 done, 2 usage, 3 not a run (or none that reaches the score).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from . import a3c_runs, tables
from .table1_ddpg import markdown, text
from .tenfold_h5 import NotARun, Run, find_runs, read_run

PAPER = Path(__file__).with_name("a3c_paper_tables.csv")
# 97.5% quantiles of Student's t for 1, 2, ... degrees of freedom.
_QUANTILES = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def paper_table() -> pd.DataFrame:
    """Index: our names of the methods; columns method and the paper's numbers of threads, as text."""
    return pd.read_csv(PAPER, comment="#", index_col="ours")


def ratio(one: np.ndarray, many: np.ndarray) -> tuple[float, float, float]:
    """(geometric mean of one over that of many, low and high end of its 95% interval). NaN for ends with fewer than
    two values on a side."""
    a, b = np.log(one), np.log(many)
    if not len(a) or not len(b):
        return np.nan, np.nan, np.nan
    middle = a.mean() - b.mean()
    if len(a) < 2 or len(b) < 2:
        return float(np.exp(middle)), np.nan, np.nan
    freedom = min(len(a), len(b)) - 1  # the fewer of both: never too narrow
    quantile = _QUANTILES[min(freedom, len(_QUANTILES)) - 1]
    half = quantile * np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return tuple(float(np.exp(middle + shift)) for shift in (0, -half, half))


def _ratio_text(found: tuple[float, float, float]) -> str:
    middle, low, high = found
    if not np.isfinite(middle):
        return "–"
    return f"{middle:.2f}" + (f" [{low:.2f}, {high:.2f}]" if np.isfinite(low) else "")


def _cells(runs: list[Run], score: float) -> dict[tuple[str, int], np.ndarray]:
    """(method, ranks) -> [seeds, 2] decisions and seconds until the score."""
    return {key: np.array([a3c_runs.reached(run, score) for run in members])
            for key, members in a3c_runs.groups(runs, a3c_runs.method, a3c_runs.workers).items()}


def make(runs: list[Run], score: float) -> tuple[list[str], list[list[str]]]:
    """(head, rows). Raises NotARun when no run reaches the score."""
    cells, paper = _cells([run for run in runs if run.app == "a3c" and a3c_runs.curve(run) is not None], score), paper_table()
    if not any(np.isfinite(found).any() for found in cells.values()):
        raise NotARun(f"no run of a3c reaches {score:g}")
    head = ["method", "ranks", "seeds there", "decisions", "seconds", "sooner in decisions", "sooner in seconds",
            "paper: sooner in seconds"]
    rows = []
    for method, name in a3c_runs.METHODS.items():
        for ranks in sorted(count for found, count in cells if found == method):
            several = cells[method, ranks]
            there = several[np.isfinite(several[:, 0])]
            one = cells.get((method, 1), np.zeros((0, 2)))
            one = one[np.isfinite(one[:, 0])]
            means = [tables.number(float(f"{np.exp(np.log(there[:, k]).mean()):.4g}")) if len(there) else "–" for k in (0, 1)]
            theirs = paper.loc[method].get(str(ranks)) if method in paper.index else None
            rows.append([name, str(ranks), f"{len(there)} of {len(several)}", *means,
                         *(_ratio_text(ratio(one[:, k], there[:, k])) for k in (0, 1)),
                         "–" if theirs is None else f"{theirs:.1f}"])
    return head, rows


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="table2_a3c", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory, or a folder of runs")
    parser.add_argument("--reference", type=float, required=True, metavar="SCORE", help="return to be reached")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    chosen = parser.parse_args(arguments)
    try:
        runs = [read_run(path) for name in chosen.runs for path in find_runs(name)]
        head, rows = make(runs, chosen.reference)
    except NotARun as error:
        print(f"table2_a3c: {error}", file=sys.stderr)
        return 3
    print((markdown if chosen.markdown else text)(head, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
