"""Planner figures on our tasks, beside those that the claims in ddpg.py normalise with.

    cmake --build build/release --target learning_planner
"""
import argparse
import statistics
import subprocess
import sys

import launch
import results
from ddpg import CLAIMS

LOOKAHEAD = {"pendulum": 25, "cartpole_swingup": 40, "fixedReacherDouble": 15, "reacherDouble": 15}
EPISODES = 4


def figure(task):
    run = subprocess.run([str(launch.BIN / "planner"), task, str(LOOKAHEAD[task]), str(EPISODES)],
                         check=True, capture_output=True, text=True, env=launch.environment())
    return [float(line) for line in run.stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    rows = []
    for task in LOOKAHEAD:
        returns = figure(task)
        used = {c.planner for c in CLAIMS if f"--task {task} " in c.arguments}
        rows.append([task, str(LOOKAHEAD[task]), f"{statistics.mean(returns):.0f}",
                     ", ".join(f"{each:.0f}" for each in sorted(returns)), ", ".join(f"{u:g}" for u in used)])
        print("  ".join(rows[-1]), flush=True)
    text = f"""## The planner behind the scores

{results.provenance(["cmake", "--build", "build/release", "--target", "learning_planner"])}

Returns per 1000 decisions of model-predictive control by the cross-entropy method (40 plans, 2 refits to the best
8; `tests/learning/planner.cpp`) on our tasks, {EPISODES} episodes, beside the figures that the scores above are normalised
with, which a prototype of the tasks gave.

{results.table(["task", "lookahead", "mean", "episodes", "used"], rows)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "ddpg_planner", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
