"""Table 1 of Lillicrap et al. (2016) from runs of ddpg: normalised scores, the paper's own beside them.

    python -m tenfold_analysis.table1_ddpg RUN... [--markdown] [--out FILE]

A run's score is the last value of its eval/score: 0 is what random actions get, 1 what a planner that knows the
dynamics gets (data/planner_scores.h5). av: mean over the seeds; best: the best seed. What a run is (target networks,
batch normalisation, pixels) is read from its manifest, not from its name.
Exit codes: 0 done, 2 usage, 3 not a run (or no run with a score), 4 cannot write.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from . import tables
from .tenfold_h5 import NotARun, Run, find_runs, read_run

PAPER = Path(__file__).with_name("ddpg_paper_table1.csv")
RAW = ("torcs",)  # the paper gives its reward, no score
LOWDIM, CONTROL, PIXELS = "low-dim", "cntrl", "pixels"
NO_NORM = ", no batch norm"
ORDER = [name + norm for name in (LOWDIM, CONTROL, PIXELS, "pixels, cntrl") for norm in ("", NO_NORM)]
BESIDE = {LOWDIM: "lowd", CONTROL: "cntrl", PIXELS: "pix"}  # the paper's columns; it has no others
# What tells rows and columns apart, and what cannot change a score.
_NOT_A_SETTING = ("task.task", "learning.target-networks", "network.batch-norm", "task.obs")
_OF_BATCH_NORM = ("network.target-bn", "network.bn-momentum")  # say nothing of a run without
_NOT_A_SETTING_GROUP = ("run", "checkpoint", "planner")


@dataclasses.dataclass(frozen=True)
class Score:
    """What one run adds to the table."""

    task: str  # as the paper calls it
    variant: str
    seed: int
    value: float
    steps: int


def paper_table() -> pd.DataFrame:
    """Index: the paper's names; columns ours, av_lowd, best_lowd, av_pix, best_pix, av_cntrl, best_cntrl."""
    return pd.read_csv(PAPER, comment="#", index_col="task", keep_default_na=False)


def paper_name(task: str, paper: pd.DataFrame) -> str:
    found = paper.index[paper["ours"] == task]
    return found[0] if len(found) else task


def _option(run: Run, key: str, usual: str) -> str:
    """A run that was made before the option existed did what its default does."""
    entry = run.config.get(key)
    return entry.value if entry else usual


def variant_of(run: Run) -> str:
    """One of ORDER."""
    pixels = _option(run, "task.obs", "lowdim") == "pixels"
    control = _option(run, "learning.target-networks", "true") == "false"
    normalised = _option(run, "network.batch-norm", "none") != "none"
    name = ("pixels, cntrl" if control else PIXELS) if pixels else (CONTROL if control else LOWDIM)
    return name if normalised else name + NO_NORM


def score_of(run: Run, paper: pd.DataFrame) -> tuple[Score | None, str]:
    """(score, "") or (None, why the run has none)."""
    if run.app != "ddpg":
        return None, f"it is a run of {run.app}, not of ddpg"
    if run.state != "finished":
        return None, f"it is {run.state}, not finished"
    task = paper_name(_option(run, "task.task", ""), paper)
    if task not in paper.index:
        return None, f"the paper's table has no task {task}"
    value = tables.last_value(run.get("eval/return" if task in RAW else "eval/score"))
    if value is None:
        return None, f"no planner's score for {task}: eval/score is NaN"
    return Score(task, variant_of(run), int(run.manifest.get("seed", -1)), value, run.total_steps or 0), ""


class SameSeedTwice(ValueError):
    """Two runs claim the same cell and seed, so that a mean over seeds would count one twice."""


def collect(runs: list[Run], paper: pd.DataFrame) -> tuple[dict[tuple[str, str], list[Score]], list[str]]:
    """((task, variant) -> scores by seed, what was left out). Raises SameSeedTwice."""
    cells: dict[tuple[str, str], list[Score]] = {}
    left_out, owner = [], {}
    for run in runs:
        score, why = score_of(run, paper)
        if score is None:
            left_out.append(f"{run.path}: {why}")
            continue
        key = (score.task, score.variant, score.seed)
        if key in owner:
            raise SameSeedTwice(f"{owner[key]} and {run.path} are both {score.task}, {score.variant}, seed "
                                f"{score.seed}; name the runs of one setting only")
        owner[key] = run.path
        cells.setdefault(key[:2], []).append(score)
    for scores in cells.values():
        scores.sort(key=lambda each: each.seed)
    return cells, left_out


def settings_that_differ(runs: list[Run]) -> list[str]:
    """"key: value, value" of options that are neither task, seed nor switch but differ between the runs."""
    found = []
    for key in sorted({key for run in runs for key in run.config}):
        if key in _NOT_A_SETTING or key.split(".")[0] in _NOT_A_SETTING_GROUP:
            continue
        asked = [run for run in runs
                 if key not in _OF_BATCH_NORM or _option(run, "network.batch-norm", "none") != "none"]
        values = {run.config[key].value if key in run.config else "–" for run in asked}
        if len(values) > 1:
            found.append(f"{key}: {', '.join(sorted(values))}")
    return found


def _values(cells: dict, task: str, variant: str) -> np.ndarray:
    return np.array([each.value for each in cells.get((task, variant), [])])


def _number(value: float) -> str:
    return "–" if not np.isfinite(value) else f"{value:.3f}".replace("-", "−")


def _pair(values: np.ndarray) -> list[str]:
    return [_number(values.mean()), _number(values.max())] if len(values) else ["–", "–"]


def _range(values: set[int]) -> str:
    return tables.number(min(values)) + (f" to {tables.number(max(values))}" if len(values) > 1 else "")


@dataclasses.dataclass
class Table1:
    """head and rows of texts: ours, then the paper's; seeds: every run's score; lines: what they add up to."""

    head: list[str]
    rows: list[list[str]]
    seed_head: list[str]
    seed_rows: list[list[str]]
    lines: list[str]


def _gain(cells: dict, tasks: list[str], better: str, worse: str, what: str) -> tuple[list[str], str]:
    """The tasks that have both variants, and a sentence about the mean of av(better) - av(worse)."""
    both = [task for task in tasks if (task, better) in cells and (task, worse) in cells and task not in RAW]
    if not both:
        return [], ""
    gains = np.array([_values(cells, task, better).mean() - _values(cells, task, worse).mean() for task in both])
    return both, (f"{what}: av with less av without is {_number(gains.mean())} on average; "
                  f"above 0 on {int((gains > 0).sum())} of {len(both)} tasks")


def _differences(cells: dict, tasks: list[str], paper: pd.DataFrame) -> list[str]:
    lines = []
    both, line = _gain(cells, tasks, LOWDIM, CONTROL, "Target networks")
    if both:
        theirs = paper.loc[both, "av_lowd"] - paper.loc[both, "av_cntrl"]
        lines.append(f"{line}; the paper's: {_number(theirs.mean())}, above 0 on {int((theirs > 0).sum())}")
    lines.append(_gain(cells, tasks, LOWDIM, LOWDIM + NO_NORM, "Batch normalisation")[1])
    lines.append(_gain(cells, tasks, PIXELS, PIXELS + NO_NORM, "Batch normalisation with pixels")[1])
    return [line for line in lines if line]


def make(cells: dict[tuple[str, str], list[Score]], paper: pd.DataFrame) -> Table1:
    """Rows in the paper's order, columns in ORDER; the paper's columns are those that we have runs beside."""
    tasks = [task for task in paper.index if any(task == found for found, _ in cells)]
    variants = [variant for variant in ORDER if any(variant == found for _, found in cells)]
    beside = [BESIDE[name] for name in (LOWDIM, PIXELS, CONTROL)
              if any(variant.removesuffix(NO_NORM) == name for variant in variants)]
    head = ["task", "seeds", "decisions"]
    head += [f"{which} {variant}" for variant in variants for which in ("av", "best")]
    head += [f"paper: {which} {column}" for column in beside for which in ("av", "best")]
    rows, seed_rows = [], []
    for task in tasks:
        scores = [each for (found, _), several in cells.items() if found == task for each in several]
        counts = {len(cells[task, variant]) for variant in variants if (task, variant) in cells}
        row = [task, _range(counts), _range({each.steps for each in scores})]
        for variant in variants:
            row += _pair(_values(cells, task, variant))
        row += [_number(paper.loc[task, f"{which}_{column}"]) for column in beside for which in ("av", "best")]
        rows.append(row)
        seed_rows.append([task] + [" ".join(_number(each) for each in _values(cells, task, variant)) or "–"
                                   for variant in variants])
    return Table1(head, rows, ["task", *variants], seed_rows, _differences(cells, tasks, paper))


def markdown(head: list[str], rows: list[list[str]]) -> str:
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def _head_lines(name: str) -> list[str]:
    """"av low-dim, no batch norm" -> low-dim, no-BN, av: what a column is of above, which number it is below."""
    words = name.replace(NO_NORM, " no-BN").replace("paper: ", "paper ").split(" ")
    return [word for word in words if word not in ("av", "best")] + [word for word in words if word in ("av", "best")]


def text(head: list[str], rows: list[list[str]]) -> str:
    """Columns set by spaces, the first left and the others right; a long head is broken into lines."""
    heads = [_head_lines(name) for name in head]
    height = max(len(lines) for lines in heads)
    heads = [[""] * (height - len(lines)) + lines for lines in heads]
    table = [[lines[level] for lines in heads] for level in range(height)] + rows
    widths = [max(len(row[column]) for row in table) for column in range(len(head))]
    return "\n".join("  ".join(cell.rjust(width) if column else cell.ljust(width)
                               for column, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in table)


def document(runs: list[Run], as_markdown: bool = False) -> str:
    """The whole print-out. Raises SameSeedTwice, and NotARun when no run has a score."""
    paper = paper_table()
    cells, left_out = collect(runs, paper)
    if not cells:
        raise NotARun("; ".join(left_out) or "no run was given")
    table = make(cells, paper)
    draw = markdown if as_markdown else text
    bullet = "- " if as_markdown else ""
    lines = table.lines + [f"Differs between the runs: {each}" for each in settings_that_differ(runs)]
    lines += [f"Left out: {each}" for each in left_out]
    return "\n\n".join(part for part in (
        draw(table.head, table.rows), "Every seed:", draw(table.seed_head, table.seed_rows),
        "\n".join(bullet + line for line in lines)) if part) + "\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="table1_ddpg", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory, or a folder of runs")
    parser.add_argument("--markdown", action="store_true", help="as a Markdown table")
    parser.add_argument("--out", type=Path, help="file to write instead of printing")
    chosen = parser.parse_args(arguments)
    try:
        runs = [read_run(path) for name in chosen.runs for path in find_runs(name)]
        made = document(runs, chosen.markdown)
    except (NotARun, SameSeedTwice) as error:
        print(f"table1_ddpg: {error}", file=sys.stderr)
        return 3
    if not chosen.out:
        print(made, end="")
        return 0
    try:
        chosen.out.write_text(made, encoding="utf-8")
    except OSError as error:
        print(f"table1_ddpg: cannot write {chosen.out}: {error.strerror}", file=sys.stderr)
        return 4
    return 0


if __name__ == "__main__":
    sys.exit(main())
