"""Our version of the paper's Table 1: trains the rows of jobs/ddpg_table1.tsv one after the other on one rank and
records the table. Not part of CI: about three quarters of an hour of CPU time.

    cmake --build build/release --target learning_table1
    TENFOLD_BIN_DIR=build/release/bin PYTHONPATH=analysis:tests/support \\
        .venv/bin/python3 tests/learning/ddpg_table1.py [ROW...] [--keep] [--record]
"""
import argparse
import pathlib
import shutil
import sys

import numpy as np

import job_table
import launch
import planner_entries
import results
from tenfold_analysis import table1_ddpg, tables
from tenfold_analysis.table1_ddpg import CONTROL, LOWDIM
from tenfold_analysis.tenfold_h5 import find_runs, read_run

TABLE = launch.SOURCE / "jobs" / "ddpg_table1.tsv"
TARGETS_BRING = 0.3  # D5 of the paper's notes: av with target networks less av without, on average
BEFORE = """The first runs had the default `--target-bn running`: low-dim got 0.421 −0.221 0.785 on cart and 0.119 0.096
−0.048 on cartpole, cntrl 0.653 0.679 0.719 and 0.106 0.032 0.032 (commit f529223). On seed 101, cart, 15 000 decisions,
that gives 0.076, and `batch` 0.977. Running averages are for exploration and evaluation in the paper, so `batch` is its
reading, and all rows were run again with it."""
CPU = "cpu_seconds"  # a file beside the runs of a row's seeds


def train(row, folder):
    """All seeds of a row, on one rank."""
    run_dir = folder / row["run"]
    shutil.rmtree(run_dir, ignore_errors=True)
    before = launch.cpu_seconds()
    result = launch.run(row["app"], [*job_table.arguments(row), "--run-dir", run_dir], 1, timeout=7200)
    used = launch.cpu_seconds() - before
    if result.code != 0:
        raise SystemExit(f"{row['run']}: exit code {result.code}: {' '.join(result.fatal)}")
    (run_dir / CPU).write_text(f"{used:.1f}\n")
    scores = [tables.number(tables.last_value(read_run(path).get("eval/score"))) for path in find_runs(run_dir)]
    print(f"{row['run']}: scores {' '.join(scores)}; {used:.0f} CPU s", flush=True)


def references(runs):
    """The planner's entry of each task, in one line each."""
    found = {}
    for run in runs:
        task = run.config["task.task"].value
        scored = table1_ddpg.paper_table().loc[task, "ours"] or task
        score, last = (tables.last_value(run.get(name)) for name in ("eval/score", "eval/return"))
        found[task] = planner_entries.behind(scored, last, score).text()
    return [f"{task}: {text}" for task, text in sorted(found.items())]


def checks(cells, tasks):
    """D5: what target networks bring."""
    def mean(task, variant):
        return np.mean([each.value for each in cells[task, variant]])

    both = [task for task in tasks if {(task, LOWDIM), (task, CONTROL)} <= set(cells)]
    brought = float(np.mean([mean(task, LOWDIM) - mean(task, CONTROL) for task in both]))
    yield f"av of low-dim less av of cntrl, mean over the tasks, >= {TARGETS_BRING}", brought, brought >= TARGETS_BRING


def cpu_table(rows, folder):
    """CPU seconds of a row's seeds together, by task and variant."""
    found = {}
    for row in rows:
        variant = row["run"].removeprefix(row["task"] + "-")
        found.setdefault(row["task"], {})[variant] = (folder / row["run"] / CPU).read_text().strip()
    variants = list(dict.fromkeys(variant for each in found.values() for variant in each))
    return results.table(["task", *variants], [[task, *(each.get(variant, "–") for variant in variants)]
                                               for task, each in found.items()])


def section(all_rows, folder):
    """(text, whether all checks hold). Rows that were not trained are named, nothing more."""
    rows = [row for row in all_rows if (folder / row["run"] / CPU).exists()]
    left = ", ".join(row["run"] for row in all_rows if row not in rows)
    left = f"\nRows that this budget did not reach: {left}.\n" if left else ""
    runs = [read_run(path) for row in rows for path in find_runs(folder / row["run"])]
    cells, _ = table1_ddpg.collect(runs, table1_ddpg.paper_table())
    judged = list(checks(cells, list(dict.fromkeys(task for task, _ in cells))))
    text = f"""## Table 1 of the paper, on a budget

{results.provenance(["cmake", "--build", "build/release", "--target", "learning_table1"])}
- Rows: `jobs/ddpg_table1.tsv`, each on one rank with one thread; printed by `python -m tenfold_analysis.table1_ddpg`
- Acceptance from: D5 of the paper's notes for what target networks bring (there at tau 0.001); nothing is asked of tasks

Preset `modern` (64-64 nets, tau 0.005, no weight decay: the paper's nets and steps do not fit the budget, its decay
crushes Q) with the action at Q's second layer, for all tasks; within a task nothing differs but the switch. low-dim has
target networks and batch normalisation, as the paper's; cntrl has no target networks. Score of the last
evaluation, 0: random actions, 1: planner. av: mean of the seeds, best: the best seed. The paper's are of 5 runs of at
most 2.5 million steps.

{BEFORE}
{left}
{table1_ddpg.document(runs, as_markdown=True)}
""" + "\n".join(f"- {'pass' if good else '**FAIL**'}: {asked}: {value:.3f}" for asked, value, good in judged) + f"""

What is 0 and what is 1:

""" + "\n".join(f"- {line}" for line in references(runs)) + f"""

CPU seconds of the three seeds of a row together:

{cpu_table(rows, folder)}
"""
    return text, all(good for _, _, good in judged)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", help="rows of the table to train; none: all")
    parser.add_argument("--folder", type=pathlib.Path, default=launch.SOURCE / "runs" / "ddpg_table1")
    parser.add_argument("--keep", action="store_true", help="train nothing, judge the runs that are there")
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    if not options.keep:
        for row in job_table.chosen(parser, TABLE, options.rows):
            train(row, options.folder)
    if options.rows and not options.keep:
        return 0
    text, good = section(job_table.rows(TABLE), options.folder)
    print(text)
    if options.record:
        results.record("ddpg", "ddpg_table1", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
