"""Decisions per CPU second of Gymnasium's tasks: through the bridge (--task gym:ID, 4 rows of one rank) beside a
plain Python loop over the same environments, seeds aside. One thread, alternating, medians.

    cmake --build build/release --target bench_gym
"""
import statistics
import subprocess
import sys
import time

import gymnasium
import numpy as np

ROWS, ROUNDS = 4, 5
TASKS = {"Pendulum-v1": 5000, "InvertedPendulum-v5": 2500, "HalfCheetah-v5": 1500, "Ant-v5": 500}


def plain(task, decisions):
    envs = [gymnasium.make(task) for _ in range(ROWS)]
    space = envs[0].action_space
    action = (space.low + 0.65 * (space.high - space.low)).astype(space.dtype)  # 0.3 of [-1, 1]
    seed = 0
    for env in envs:
        env.reset(seed=seed)
        seed += 1
    begin = time.process_time()
    for _ in range(decisions):
        for env in envs:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset(seed=seed)
                seed += 1
    return decisions * ROWS / (time.process_time() - begin)


def bridge(binary, task, decisions):
    run = subprocess.run([binary, f"gym:{task}", str(ROWS), str(decisions)], check=True, capture_output=True, text=True)
    return float(run.stdout)


def main(binary):
    print(f"gymnasium {gymnasium.__version__}, numpy {np.__version__}, {ROWS} rows, medians of {ROUNDS} rounds")
    print(f"{'task':<22}{'bridge /s':>12}{'plain /s':>12}{'ratio':>8}")
    for task, decisions in TASKS.items():
        pairs = [(bridge(binary, task, decisions), plain(task, decisions)) for _ in range(ROUNDS)]
        ours, theirs = (statistics.median(each) for each in zip(*pairs, strict=True))
        print(f"{task:<22}{ours:>12.0f}{theirs:>12.0f}{ours / theirs:>8.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
