"""Writes env.json: what Python's mujoco and plain formulas say about every task.

    .venv/bin/python tests/golden/make_env.py [--out FILE]

States come from mujoco.mj_step on the same MJCF, to be matched bit for bit; observations and rewards from the
formulas below, which share nothing with the C++ tasks. Run it after a change to data/mjcf or of MuJoCo's version.
"""
import argparse
import hashlib
import json
import math
import pathlib
import re

import env_arms
import env_locomotion
import mujoco
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
DECISIONS, REPEAT, CHECK_EVERY = 200, 2, 50
# Another machine's sin and cos differ in the last bit. Where collisions and chains of poles make such a
# difference grow, its states agree for a while only: as long as a start moved by MOVED stays within APART.
MOVED, APART = 1e-13, 1e-10
# Simulation steps per control step, where there is more than one.
SUBSTEPS = {**env_arms.SUBSTEPS, **env_locomotion.SUBSTEPS}


def gaussian(x, margin, bound=0.0):
    """tol(x; [-bound, bound], margin), gaussian, 0.1 at the margin."""
    return 0.1 ** ((max(0.0, abs(x) - bound) / margin) ** 2)


def small(u):
    return (4 + np.mean([max(0.0, 1 - each * each) for each in u])) / 5


def pendulum_seen(q, v, target):
    return [math.cos(q[0]), math.sin(q[0]), v[0]]


def cartpole_seen(q, v, target):
    return [q[0], math.cos(q[1]), math.sin(q[1]), v[0], v[1]]


def plain_seen(q, v, target):
    return [*q, *v]


def finger(q):
    angles = np.cumsum(q)
    return 0.12 * np.cos(angles).sum(), 0.12 * np.sin(angles).sum()


def arm_seen(q, v, target):
    x, y = finger(q)
    turned = [f(each) for each in q for f in (math.cos, math.sin)]
    return [*turned, target[0] - x, target[1] - y, *v]


def miss(q, target):
    x, y = finger(q)
    return math.dist((x, y), target[:2])


def pendulum(q, v, u, target):
    return (1 + math.cos(q[0])) / 2 * (1 + gaussian(v[0], 5)) / 2 * small(u)


def pendulum_swingup(q, v, u, target):
    return float(math.cos(q[0]) >= math.cos(math.radians(8)))


def cart(q, v, u, target):
    return gaussian(q[0], 1) * (1 + gaussian(v[0], 2)) / 2 * small(u)


def cartpole(q, v, u, target):
    return (1 + math.cos(q[1])) / 2 * (1 + gaussian(q[0], 2)) / 2 * (1 + gaussian(v[1], 5)) / 2 * small(u)


def cartpole_sparse(q, v, u, target):
    return float(abs(q[0]) <= 0.25 and math.cos(q[1]) >= 0.995)


def reacher(q, v, u, target):
    return gaussian(miss(q, target), 0.2, 0.02) * small(u)


def point_mass(q, v, u, target):
    return gaussian(math.hypot(*q), 0.015, 0.015) * small(u)


def touch(radius):
    return lambda q, v, u, target: float(miss(q, target) <= radius + 0.01)


# task: model, qpos, qvel, target's x and y or the places of all mocap bodies, observation, reward
TASKS = {
    "pendulum": ("pendulum", [3.0], [0.5], None, pendulum_seen, pendulum),
    "pendulum_swingup": ("pendulum", [0.05], [-0.1], None, pendulum_seen, pendulum_swingup),
    "cart": ("cart", [-1.25], [0.75], None, plain_seen, cart),
    "cartpole_balance": ("cartpole", [0.05, 0.02], [0.01, -0.02], None, cartpole_seen, cartpole),
    "cartpole_swingup": ("cartpole", [-0.5, 3.0], [1.5, 4.0], None, cartpole_seen, cartpole),
    "cartpole_balance_sparse": ("cartpole", [0.2, -0.01], [0.5, 0.1], None, cartpole_seen, cartpole_sparse),
    "cartpole_swingup_sparse": ("cartpole", [0.1, 0.3], [0.0, -3.0], None, cartpole_seen, cartpole_sparse),
    "reacher_easy": ("reacher", [0.5, 2.5], [0.0, 3.0], [0.1, -0.05], arm_seen, touch(0.05)),
    "reacher_hard": ("reacher", [-3.0, -1.0], [0.5, 0.0], [-0.19, 0.07], arm_seen, touch(0.015)),
    "reacherDouble": ("reacher", [1.0, -0.5], [0.0, 0.0], [0.03, 0.14], arm_seen, reacher),
    "fixedReacherDouble": ("reacher", [0.25, 1.5], [-1.0, 1.0], None, arm_seen, reacher),
    "fixedReacherSingle": ("reacher_single", [-2.0], [1.0], None, arm_seen, reacher),
    "point_mass": ("point_mass", [0.02, -0.015], [-0.01, 0.02], None, plain_seen, point_mass),
    **env_arms.TASKS,
    **env_locomotion.TASKS,
}


def action(decision, motor):
    """Exact in float32, the same in C++."""
    return ((5 * decision + 3 * motor + decision * decision // 7) % 17 - 8) / 8


def state_of(model, data):
    state = np.empty(mujoco.mj_stateSize(model, mujoco.mjtState.mjSTATE_INTEGRATION))
    mujoco.mj_getState(model, data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
    return state


def begin(model, qpos, qvel, target):
    data = mujoco.MjData(model)
    data.qpos[:], data.qvel[:] = qpos, qvel
    if target:
        places = [[*target, 0.0]] if isinstance(target[0], float) else target
        data.mocap_pos[:] = places
    return data


def agreed_decisions(model, qpos, qvel, target, substeps):
    """Decisions for which a trace from a slightly other start is the same trace."""
    one, other = begin(model, qpos, qvel, target), begin(model, qpos, qvel, target)
    other.qpos[:] += MOVED
    for decision in range(DECISIONS):
        for data in (one, other):
            data.ctrl[:] = [action(decision, motor) for motor in range(model.nu)]
            mujoco.mj_step(model, data, REPEAT * substeps)
        if np.abs(one.qpos - other.qpos).max() > APART or np.abs(one.qvel - other.qvel).max() > APART:
            return decision
    return DECISIONS


def mjcf_digest(path):
    """Of a model and what it includes."""
    text = path.read_bytes()
    for name in re.findall(rb'<include file="([^"]*)"', text):
        text += (path.parent / name.decode()).read_bytes()
    return hashlib.sha256(text).hexdigest()


def trace(name, model_name, qpos, qvel, target, seen, rewarded):
    path = ROOT / "data" / "mjcf" / f"{model_name}.xml"
    model = mujoco.MjModel.from_xml_path(str(path))
    substeps = SUBSTEPS.get(model_name, 1)
    data = begin(model, qpos, qvel, target)
    goal = data.mocap_pos.ravel().copy()
    push = env_locomotion.PUSHES.get(name, lambda data: None)
    push(data)
    result = {"mjcf_sha256": mjcf_digest(path), "repeat": REPEAT,
              "agreed_decisions": agreed_decisions(model, qpos, qvel, target, substeps),
              "start": state_of(model, data).tolist(), "rewards": [], "checks": []}
    digest = hashlib.sha256()
    for decision in range(DECISIONS):
        data.ctrl[:] = [action(decision, motor) for motor in range(model.nu)]
        reward = 0.0
        for _ in range(REPEAT):
            mujoco.mj_step(model, data, substeps)
            push(data)
            reward += rewarded(data.qpos, data.qvel, data.ctrl, goal) / REPEAT
        state = state_of(model, data)
        digest.update(state.tobytes())
        result["rewards"].append(round(float(reward), 9))
        if (decision + 1) % CHECK_EVERY == 0:
            other = data.ctrl if seen in env_locomotion.SEES_CONTROLS else goal
            result["checks"].append({"decision": decision, "state": state.tolist(),
                                     "observation": [float(each) for each in seen(data.qpos, data.qvel, other)]})
    result["states_sha256"] = digest.hexdigest()
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).with_name("env.json"))
    out = parser.parse_args().out
    golden = {"mujoco": mujoco.mj_versionString(), "decisions": DECISIONS,
              "tasks": {name: trace(name, *facts) for name, facts in TASKS.items()}}
    out.write_text(json.dumps(golden, separators=(",", ":")).replace('{"mjcf', '\n{"mjcf') + "\n")


if __name__ == "__main__":
    main()
