"""Makes data/planner_scores.h5, the 0 and 1 of normalised scores, from the rows of jobs/ddpg_planner.tsv,
and holds the planners against what they must reach. Not part of CI: about half an hour of CPU time.

A planner that is not clearly above random actions has no place there: it would make a 1 that means nothing.

    cmake --build build/release --target learning_planner
    TENFOLD_BIN_DIR=build/release/bin PYTHONPATH=analysis:tests/support \\
        .venv/bin/python3 tests/learning/ddpg_planner.py [RUN...] [--scores FILE] [--record]
"""
import argparse
import math
import pathlib
import re
import shutil
import sys

import numpy as np

import job_table
import launch
import results
from planner_entries import SCORES, entries

TABLE = launch.SOURCE / "jobs" / "ddpg_planner.tsv"
# Returns per 1000 decisions of a prototype's CEM (40 plans, 2 iterations), from the paper's notes.
PROTOTYPE = {"pendulum": "721", "cartpole_swingup": "756", "reacherDouble": "980 to 1000"}
CLEARLY = 3  # standard errors between the means of planner and random actions
SUMMARY = re.compile(r"returns (\S+) \+- (\S+) \(mean and deviation of (\d+) episodes.*random actions get (\S+) \+- "
                     r"(\S+) \((\d+) episodes\)")


def standard_errors(planner, deviation, episodes, random, random_deviation, random_episodes):
    """By how many of their standard errors the planner's mean lies above that of random actions."""
    error = math.sqrt(deviation ** 2 / episodes + random_deviation ** 2 / random_episodes)
    return (planner - random) / error if error else (planner - random) * math.inf if planner != random else 0.0


def above_random(summary):
    """standard_errors, by a run's last line."""
    return standard_errors(*map(float, SUMMARY.search(summary).groups()))


def run(row, run_dir, ranks, *more):
    result = launch.run("ddpg", [*job_table.arguments(row), "--threads", "1", "--run-dir", run_dir, *more], ranks,
                        timeout=3600)
    if result.code != 0:
        raise SystemExit(f"{row['run']}: exit code {result.code}: {' '.join(result.fatal)}")
    return next(line for line in result.out.splitlines() if "returns" in line)


def play(row, scores, folder, ranks):
    """Plays a row, and records it when it is worth it. False when it is not."""
    run_dir = folder / row["run"]
    shutil.rmtree(run_dir, ignore_errors=True)
    summary = run(row, run_dir, ranks)
    print(summary, flush=True)
    above = above_random(summary)
    if above < CLEARLY:
        print(f"{row['run']}: {above:.1f} standard errors above random actions, not recorded", flush=True)
        return False
    run(row, run_dir, ranks, "--planner-record", scores)  # nothing is played again
    return True


def checks(found):
    """Oracle 11: CEM gets at least half of what iLQG gets above random actions; both are clearly above."""
    for (task, method), entry in found.items():
        planner, random = entry["return"].mean(), entry["random_return"].mean()
        above = standard_errors(planner, entry["return"].std(), len(entry["return"]), random,
                                entry["random_return"].std(), len(entry["random_return"]))
        yield f"{task}: {method} is {CLEARLY} standard errors above random actions", above, above >= CLEARLY
        if method == "cem" and (task, "ilqg") in found:
            share = (planner - random) / (found[task, "ilqg"]["return"].mean() - random)
            yield f"{task}: cem gets at least 0.5 of ilqg above random", share, share >= 0.5


def without_entry():
    """(task, why it has no entry) of the table's head: its indented lines."""
    return [line[1:].split(maxsplit=1) for line in TABLE.read_text().splitlines() if line.startswith("#   ")]


def section(found):
    lines = []
    for (task, method), entry in sorted(found.items()):
        scale = 1000 / entry["horizon"]
        returns, random = scale * entry["return"], scale * entry["random_return"]
        lines.append([f"{task}", method, str(entry["lookahead"]), f"{returns.mean():.0f}", f"{returns.std():.0f}",
                      f"{returns.min():.0f}", f"{returns.max():.0f}", str(len(returns)), f"{random.mean():.1f}",
                      f"{random.std() / np.sqrt(len(random)):.1f}", f"{entry['cpu_seconds'].mean():.1f}",
                      PROTOTYPE.get(task, "")])
    head = ["task", "method", "lookahead", "mean", "deviation", "worst", "best", "episodes", "random", "its error",
            "CPU s per episode", "prototype"]
    commands = "\n".join(f"- `{entry['command'].decode()}` (commit {entry['git'].decode()}, "
                         f"{entry['created_utc'].decode()[:10]})" for _, entry in sorted(found.items()))
    judged = "\n".join(f"- {'pass' if good else '**FAIL**'}: {asked}: {value:.2f}"
                       for asked, value, good in checks(found))
    missing = "\n".join(f"- {task}: {why}" for task, why in without_entry())
    return f"""## The planners behind the scores

{results.provenance(["cmake", "--build", "build/release", "--target", "learning_planner"])}

Returns per 1000 decisions; lookahead in decisions. These are the entries of `data/planner_scores.h5`; a run is
measured with the better method of its task. The commands at the end say which commit played each. Prototype: CEM of a
throw-away program on its own version of the task, the figures that the older sections here are normalised with.

{results.table(head, lines)}

{judged}

Tasks of the paper's Table 1 without an entry, and what an episode would cost (from 12 decisions of one):

{missing}

Commands:

{commands}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", help="rows of the table; none: all")
    parser.add_argument("--scores", type=pathlib.Path, default=SCORES, help="file that takes the entries")
    parser.add_argument("--ranks", type=int, default=1)
    parser.add_argument("--folder", type=pathlib.Path, default=launch.SOURCE / "runs" / "planner")
    parser.add_argument("--keep", action="store_true", help="play nothing, judge what the file holds")
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    weak = [row["run"] for row in job_table.chosen(parser, TABLE, options.runs)
            if not options.keep and not play(row, options.scores.resolve(), options.folder, options.ranks)]
    found = entries(options.scores)
    text = section(found)
    print(text)
    if options.record:
        results.record("ddpg", "ddpg_planner", text)
    return 0 if not weak and all(good for _, _, good in checks(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
