"""Writes games.json: trajectories of Gymnasium's classic control from given states and actions.

    .venv/bin/python tests/golden/make_games.py [--out FILE]

The starts reach what rarely happens by itself: walls, limits of speed, ends on either side. Time limits are not
part of it: environments are stepped without their wrappers.
"""
import argparse
import json
import pathlib

import gymnasium
import numpy as np

STEPS = 40
# Our name, Gymnasium's, its actions per unit of ours (0: choices), starts as Gymnasium's state has them.
TASKS = [
    ("classic_cartpole", "CartPole-v1", 0,
     [[0, 0, 0.05, 0], [2.3, 1.5, -0.02, -0.5], [-2.35, -1, 0.01, 0.1], [0.3, -0.4, 0.15, 0.6], [0, 0, -0.19, -0.3]]),
    ("classic_mountain_car", "MountainCar-v0", 0,
     [[-0.5, 0], [-1.15, -0.06], [0.45, 0.03], [0.1, 0.069], [0.49, -0.01]]),
    ("classic_mountain_car_continuous", "MountainCarContinuous-v0", 1,
     [[-0.5, 0], [-1.15, -0.06], [0.40, 0.03], [0.1, 0.069], [0.46, -0.01]]),
    ("classic_acrobot", "Acrobot-v1", 0,
     [[0.05, -0.02, 0.1, 0.03], [1.2, -0.7, 0, 0.5], [-0.5, 3.0, 2, -3], [0.3, 0.1, 3, 3], [3.0, -3.1, 12.4, 28],
      [-1.5, 0.5, -12, -20]]),
    ("classic_pendulum", "Pendulum-v1", 2,
     [[3.1, 0.5], [0.02, -0.1], [-2.9, -7.9], [9.5, 7.5], [1.5, 0]]),
]


def action_number(step):
    """Whole numbers from 0 to 16, as in games_golden_test.cpp."""
    return (5 * step + step * step // 7) % 17


def action_of(env, step, scale):
    if scale == 0:
        return int(action_number(step) % env.action_space.n)
    return np.array([(action_number(step) - 8) / 8 * scale], dtype=np.float32)


def play(name, start, scale):
    env = gymnasium.make(name).unwrapped
    env.reset(seed=0)
    env.state = np.array(start, dtype=np.float32 if name == "MountainCarContinuous-v0" else np.float64)
    trajectory = {"start": [float(each) for each in env.state], "steps": []}
    for step in range(STEPS):
        seen, reward, ended, truncated, _ = env.step(action_of(env, step, scale))
        assert not truncated
        # Floats need nine digits.
        trajectory["steps"].append([[float(f"{each:.9g}") for each in np.float32(seen)], float(f"{reward:.9g}"), ended])
        if ended:
            break
    return trajectory


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", default=pathlib.Path(__file__).with_name("games.json"))
    options = parser.parse_args()
    tasks = {ours: [play(theirs, start, scale) for start in starts] for ours, theirs, scale, starts in TASKS}
    text = json.dumps({"gymnasium": gymnasium.__version__, "tasks": tasks}, separators=(",", ":"))
    pathlib.Path(options.out).write_text(text.replace('{"start"', '\n{"start"') + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
