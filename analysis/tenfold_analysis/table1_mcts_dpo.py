"""Table 1 of Xie et al. (2024) beside runs of mcts_dpo.

    python -m tenfold_analysis.table1_mcts_dpo RUN... [--markdown]

Ours: last greedy accuracy of each way to learn, mean and range over its seeds, and the gain over the model that the runs
began with (their evaluation before the first round). The paper's columns are of other tasks and of a model of 7 billion
parameters: only the order of rows can be compared. * marks a number of its body as a summary by others gives it.
Exit codes: 0 done, 2 usage, 3 not a run (or none that learned by rounds).
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from . import mcts_dpo_runs as found_in
from . import tables
from .table1_ddpg import markdown, text
from .tenfold_h5 import NotARun, Run, find_runs, read_run

_PAPER_TASKS = ("GSM8K", "MATH", "ARC-C", "AI2Sci-middle", "CommonsenseQA", "SciQ")


def _range(values: np.ndarray) -> str:
    values = values[np.isfinite(values)]
    if not len(values):
        return "–"
    spread = f" [{100 * values.min():.1f}, {100 * values.max():.1f}]" if len(values) > 1 else ""
    return f"{100 * values.mean():.1f}{spread}"


def _paper_cell(task: str, arm: str) -> str:
    paper = found_in.paper_table()
    row = paper[(paper["task"] == task) & (paper["ours"] == arm)]
    return "–" if row.empty else f"{row['percent'].iloc[0]:.1f}{'*' * (row['mark'].iloc[0] == 'paper*')}"


def make(runs: list[Run]) -> tuple[list[str], list[list[str]]]:
    """(head, rows), a row for the model before learning and for each arm. Raises NotARun without a run of rounds."""
    useful = [run for run in runs if run.app == "mcts_dpo" and run.get("eval/accuracy") is not None]
    by_task = {task: found_in.arms(members) for (task,), members in found_in.groups(useful, found_in.task).items()}
    if not any(by_task.values()):
        raise NotARun(f"none of the {len(runs)} runs is one of mcts_dpo that learned by rounds")
    head = ["task", "method", "seeds", "accuracy %", "gain", "tokens", *(f"paper: {name}" for name in _PAPER_TASKS)]
    rows = []
    for task, arms in by_task.items():
        before = np.array([tables.first_value(run.get("eval/accuracy")) for members in arms.values() for run in members])
        lines = [("SFT", np.unique(before), np.nan, "0", "")] if arms else []
        for name, members in arms.items():
            values = np.array([found_in.last(run) for run in members])
            gains = values - np.array([tables.first_value(run.get("eval/accuracy")) for run in members])
            spent = np.nanmean([found_in.last(run, "tokens/compute") for run in members])
            lines.append((name, values, gains.mean(), tables.number(round(spent)), str(len(members))))
        rows += [[task, name, seeds, _range(values), f"{100 * gain:+.1f}" if np.isfinite(gain) else "", tokens,
                  *(_paper_cell(paper_task, name) for paper_task in _PAPER_TASKS)]
                 for name, values, gain, tokens, seeds in lines]
    return head, rows


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="table1_mcts_dpo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory, or a folder of runs")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    chosen = parser.parse_args(arguments)
    try:
        head, rows = make([read_run(path) for name in chosen.runs for path in find_runs(name)])
    except NotARun as error:
        print(f"table1_mcts_dpo: {error}", file=sys.stderr)
        return 3
    print((markdown if chosen.markdown else text)(head, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
