"""Pong by a3c for as long as the budget of CPU time lasts: runs it (again: it goes on where it stopped), records the
curve so far and what the rest would cost.

    tests/learning/a3c_pong.py RUN_DIR --minutes 30 [--record]

One rank, 16 actors in turns. The setting is the preset atari-ff with a longer rollout, a smaller epsilon and no
annealing, so that a run may be cut anywhere; seed 101, with which nothing is claimed.
"""
import argparse
import json
import pathlib
import subprocess
import sys

import numpy as np

import launch
import results
from tenfold_analysis import tables, tenfold_h5

ARGUMENTS = ["--preset", "atari-ff", "--task", "atari:pong", "--seed", "101", "--threads", "1", "--t-max", "20",
             "--lr", "1e-4", "--rms-eps", "1e-6", "--lr-anneal", "none", "--total-steps", "10000000", "--block", "2000",
             "--eval-every", "100000", "--eval-episodes", "3", "--checkpoint-every", "2m"]
PAPERS = 80_000_000  # decisions of the preset


def go_on(run_dir, minutes):
    """Runs for so many minutes of wall time. Adds the CPU seconds to run_dir's own account."""
    command = [str(launch.BIN / "a3c"), *ARGUMENTS, "--stop-after", f"{minutes}m", "--run-dir", str(run_dir)]
    done = subprocess.run(command, env=launch.environment(), cwd=launch.SOURCE)
    if done.returncode not in (0, 75):
        sys.exit(done.returncode)
    account = run_dir / "cpu_seconds.json"
    before = json.loads(account.read_text()) if account.exists() else 0.0
    account.write_text(json.dumps(before + launch.cpu_seconds()))


def text(run_dir):
    run = tenfold_h5.read_run(run_dir)
    evaluation, episodes = run.series["eval/return"], run.series["train/episode_return"]
    cpu = json.loads((run_dir / "cpu_seconds.json").read_text())
    decisions = int(run.series["train/entropy"].step[-1])
    rows = []
    for step, value in zip(evaluation.step, evaluation.value):
        near = episodes.value[(episodes.step > step - 25_000) & (episodes.step <= step + 25_000)]
        rows.append([tables.number(float(step)), f"{value:.2f}", f"{np.mean(near):.2f}" if len(near) else "–"])
    rate = decisions / cpu
    return f"""## Pong, as far as the budget went

{results.provenance([f"tests/learning/{pathlib.Path(__file__).name}", "RUN_DIR", "--record"], app="a3c")}
- Run: `a3c {" ".join(ARGUMENTS)}`
- {tables.number(decisions)} decisions ({tables.number(4.0 * decisions)} frames) in {cpu / 60:.1f} CPU minutes, evaluations
  and starts in it: {rate:.0f} decisions per CPU second. At that, 3 million decisions cost {3e6 / rate / 60:.0f} CPU
  minutes and the {tables.number(PAPERS)} of the preset {PAPERS / rate / 3600:.0f} CPU hours: a projection, from one core
  that others used too

One seed (101), nothing is claimed. Random actions get {tables.last_value(run.get("eval/random_return")):.2f}, a human
tester 14.6, the game's bounds are -21 and 21. Training: mean of episodes within 25,000 decisions.

{results.table(["decisions", "evaluation, 3 episodes", "training"], rows)}
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run_dir", type=pathlib.Path)
    parser.add_argument("--minutes", type=int, default=0, help="of wall time to go on for; 0: only say how far it is")
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    if options.minutes > 0:
        go_on(options.run_dir, options.minutes)
    said = text(options.run_dir)
    print(said)
    if options.record:
        results.record("a3c", "learning_pong", said)


if __name__ == "__main__":
    main()
