"""Makes data/planner_scores.h5, the 0 and 1 of normalised scores, from the rows of jobs/ddpg_planner.tsv,
and holds the planners against what they must reach. Not part of CI: about ten CPU minutes.

    cmake --build build/release --target learning_planner
    TENFOLD_BIN_DIR=build/release/bin PYTHONPATH=analysis:tests/support \\
        .venv/bin/python3 tests/learning/ddpg_planner.py [RUN...] [--scores FILE] [--record]
"""
import argparse
import csv
import pathlib
import shutil
import sys

import h5py
import numpy as np

import launch
import results

TABLE = launch.SOURCE / "jobs" / "ddpg_planner.tsv"
SCORES = launch.SOURCE / "data" / "planner_scores.h5"
# Returns per 1000 decisions of a prototype's CEM (40 plans, 2 iterations), from the paper's notes.
PROTOTYPE = {"pendulum": "721", "cartpole_swingup": "756", "reacherDouble": "980 to 1000"}
OPTIONS = ("task", "planner", "planner-lookahead", "planner-correlation", "eval-episodes")


def rows():
    lines = [line for line in TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t"))


def play(row, scores, folder, ranks):
    run_dir = folder / row["run"]
    shutil.rmtree(run_dir, ignore_errors=True)
    args = [word for name in OPTIONS if row[name] for word in (f"--{name}", row[name])]
    result = launch.run("ddpg", [*args, "--threads", "1", "--planner-record", scores, "--run-dir", run_dir], ranks,
                        timeout=3600)
    if result.code != 0:
        raise SystemExit(f"{row['run']}: exit code {result.code}: {' '.join(result.fatal)}")
    print(next(line for line in result.out.splitlines() if "returns" in line), flush=True)


def entries(scores):
    """(task, method) -> attributes and columns of the file."""
    with h5py.File(scores, "r") as file:
        return {(task, method): {**entry.attrs, **{name: column[()] for name, column in entry.items()}}
                for task, methods in file["scores"].items() for method, entry in methods.items()}


def checks(found):
    """Oracle 11: CEM gets at least half of what iLQG gets above random actions; both beat those."""
    for (task, method), entry in found.items():
        planner, random = entry["return"].mean(), entry["random_return"].mean()
        yield f"{task}: {method} beats random actions", planner - random, planner > random
        if method == "cem" and (task, "ilqg") in found:
            share = (planner - random) / (found[task, "ilqg"]["return"].mean() - random)
            yield f"{task}: cem gets at least 0.5 of ilqg above random", share, share >= 0.5


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
    commands = "\n".join(f"- `{entry['command'].decode()}`" for _, entry in sorted(found.items()))
    judged = "\n".join(f"- {'pass' if good else '**FAIL**'}: {asked}: {value:.2f}"
                       for asked, value, good in checks(found))
    return f"""## The planners behind the scores

{results.provenance(["cmake", "--build", "build/release", "--target", "learning_planner"])}

Returns per 1000 decisions; lookahead in decisions. These are the entries of `data/planner_scores.h5`; a run is
measured with the better method of its task. Prototype: CEM of a throw-away program on its own version of the task, the
figures that the older sections here are normalised with.

{results.table(head, lines)}

{judged}

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
    unknown = set(options.runs) - {row["run"] for row in rows()}
    if unknown:
        parser.error(f"no row is called {', '.join(sorted(unknown))}")
    for row in rows():
        if not options.keep and (not options.runs or row["run"] in options.runs):
            play(row, options.scores.resolve(), options.folder, options.ranks)
    found = entries(options.scores)
    text = section(found)
    print(text)
    if options.record:
        results.record("ddpg", "ddpg_planner", text)
    return 0 if all(good for _, _, good in checks(found)) else 1


if __name__ == "__main__":
    sys.exit(main())
