"""Frames per CPU second of the native games, beside Gymnasium's vector environments of the classic ones.

    cmake --build build/release --target bench_games

Both sides play random actions made before the clock starts and begin the next episode of an environment where one
is over. One thread, in turns, medians.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

import gymnasium
import numpy as np

import results

PEERS = {"classic_cartpole": "CartPole-v1", "classic_mountain_car": "MountainCar-v0",
         "classic_mountain_car_continuous": "MountainCarContinuous-v0", "classic_acrobot": "Acrobot-v1",
         "classic_pendulum": "Pendulum-v1"}
GRIDS = ["catch", "breakout", "freeway", "asterix", "seaquest", "space_invaders", "tmaze"]
PERIOD = 1024


def ours(binary, task, rows, frames):
    run = subprocess.run([binary, task, str(rows), str(frames // rows)], check=True, capture_output=True, text=True)
    return json.loads(run.stdout)["frames_per_s"]


def gymnasium_vector(task, rows, frames):
    envs = gymnasium.vector.SyncVectorEnv([lambda: gymnasium.make(PEERS[task])] * rows)
    envs.action_space.seed(1)
    actions = [envs.action_space.sample() for _ in range(PERIOD)]
    envs.reset(seed=1)
    steps = frames // rows
    begin = time.process_time()
    for k in range(steps):
        envs.step(actions[k % PERIOD])
    seconds = time.process_time() - begin
    envs.close()
    return steps * rows / seconds


def rate(value):
    return f"{value / 1e6:.2f}" if value > 1e5 else f"{value / 1e6:.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--frames", type=int, default=1_000_000, help="of one of our measurements")
    parser.add_argument("--peer-frames", type=int, default=10_000)
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    rows = []
    for task in [*PEERS, *GRIDS]:
        for size in (1, 64):
            mine, theirs = [], []
            for _ in range(options.rounds):
                mine.append(ours(options.binary, task, size, options.frames))
                if task in PEERS:
                    theirs.append(gymnasium_vector(task, size, options.peer_frames))
            middle = statistics.median(mine)
            row = [task, str(size), rate(middle), f"{1e9 / middle:.0f}", "", ""]
            if theirs:
                row[4:] = [rate(statistics.median(theirs)), f"{middle / statistics.median(theirs):.0f}"]
            rows.append(row)
            print("  ".join(row), flush=True)
    build = f"build/{pathlib.Path(options.binary).parents[1].name}"
    text = f"""## Native games

{results.provenance(["cmake", "--build", build, "--target", "bench_games"],
                    f"Gymnasium {gymnasium.__version__}, NumPy {np.__version__}", app="games_bench")}

Million frames per CPU second of random play, episodes started anew where they end, one thread, medians of
{options.rounds} rounds in turns; ns: of one frame of ours, all in. The peer is gymnasium.vector.SyncVectorEnv of the
task of that name; it has none of the others.

{results.table(["task", "environments", "ours", "ns", "Gymnasium's", "ratio"], rows)}
"""
    print(text)
    if options.record:
        results.record("a3c", "bench_games", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
