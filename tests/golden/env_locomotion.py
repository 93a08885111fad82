"""Observations and rewards of what runs, hops, walks and stands, by formulas of their own, for make_env.py.

q, v, u: positions, velocities, controls. Bodies are worked out by hand; the velocity of the centre of mass comes from
MuJoCo's Jacobian, forces of contacts from mj_forward on data of its own.
"""
import math
import pathlib

import mujoco
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Body:
    """A model and data in which states are looked at."""

    def __init__(self, name):
        self.model = mujoco.MjModel.from_xml_path(str(ROOT / "data" / "mjcf" / f"{name}.xml"))
        self.data = mujoco.MjData(self.model)

    def at(self, q, v, u):
        self.data.qpos[:], self.data.qvel[:], self.data.ctrl[:] = q, v, u
        self.data.qacc_warmstart[:] = 0
        mujoco.mj_forward(self.model, self.data)
        return self.data

    def speed(self, q, v):
        """Of the centre of mass, along x."""
        jacobian = np.zeros((3, self.model.nv))
        mujoco.mj_jacSubtreeCom(self.model, self.at(q, v, 0), jacobian, 1)
        return float(jacobian[0] @ v)

    def impact(self, q, v, u):
        data = self.at(q, v, u)
        force, total = np.zeros(6), 0.0
        for contact in range(data.ncon):
            mujoco.mj_contactForce(self.model, data, contact, force)
            total += float(np.linalg.norm(force[:3]))
        return total / (9.81 * self.model.body_mass.sum())


CHEETAH, HARD, HOPPER, WALKER, HYQ = (Body(name) for name in ("cheetah", "hard_cheetah", "hopper", "walker", "hyq"))


def small(u):
    return (4 + np.mean([max(0.0, 1 - each * each) for each in u])) / 5


def rises(x, goal, margin, least):
    """1 from goal on, below it linear to least at goal - margin, cut at 0."""
    return max(0.0, min(1.0, 1 - (1 - least) * (goal - x) / margin))


def below(x, bound, margin):
    """1 from bound on, below it gaussian, 0.1 at bound - margin."""
    return 0.1 ** ((max(0.0, bound - x) / margin) ** 2)


def effort(body, q, v, u):
    return 0.05 * float(np.dot(u, u)) / 6 + 1e-3 * min(body.impact(q, v, u), 10)


def planar(height):
    return lambda q, v, target: [q[1] + height, math.cos(q[2]), math.sin(q[2]), *q[3:], *v]


# --- cheetah

def run(q, v, u, target):
    return rises(CHEETAH.speed(q, v), 10, 10, 0)


def race(body, bonus):
    def reward(q, v, u, target):
        return max(-1.0, min(1.0, body.speed(q, v) / 10)) - effort(body, q, v, u) + bonus * below(q[1] + 0.7, 0.6, 0.4)
    return reward


# --- hopper

def hopper_seen(q, v, u):
    return [*planar(0.94)(q, v, None), *np.log1p(HOPPER.at(q, v, u).sensordata[3:5])]


def up(q):
    """Torso above foot: links of these lengths, each turned by the sum of the angles above it."""
    return float(np.dot([0.05, 0.2, 0.33, 0.32], np.cos(np.cumsum(q[2:6])))) >= 0.6


def stand(q, v, u, target):
    return up(q) * small(u)


def hop(q, v, u, target):
    return up(q) * rises(HOPPER.speed(q, v), 2, 1, 0.5)


def balance(q, v, u, target):
    return -1.0 if q[1] + 0.94 < 0.45 else stand(q, v, u, target)


# --- walker

def walker_seen(q, v, target):
    torso, legs = q[2], [q[2] - np.cumsum(q[first:first + 3]) for first in (3, 6)]
    turned = [f(each) for each in (torso, *legs[0], *legs[1]) for f in (math.cos, math.sin)]
    return [*turned, q[1] + 1.3, *v]


def tall(q):
    return (3 * below(q[1] + 1.3, 1.2, 0.6) + (1 + math.cos(q[2])) / 2) / 4


def walker_stand(q, v, u, target):
    return tall(q)


def move(goal):
    return lambda q, v, u, target: tall(q) * (5 * rises(WALKER.speed(q, v), goal, goal / 2, 0.5) + 1) / 6


def walk(q, v, u, target):
    if q[1] + 1.3 < 0.8 or math.cos(q[2]) < math.cos(1):
        return -1.0
    return max(-1.0, min(1.0, WALKER.speed(q, v) / 2)) * math.cos(q[2]) - effort(WALKER, q, v, u)


# --- hyq

def vertical(q):
    """The world's z axis as the torso sees it."""
    w, x, y, z = q[3:7] / np.linalg.norm(q[3:7])
    return np.array([2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)])


def hyq_seen(q, v, target):
    w, axis = q[3], -np.asarray(q[4:7])  # the world turned against the torso
    velocity = v[:3] + 2 * np.cross(axis, np.cross(axis, v[:3]) + w * np.asarray(v[:3]))
    return [q[2], *vertical(q), *velocity, *v[3:6], *q[7:], *v[6:]]


def keep_standing(q, v, u, target):
    upright = vertical(q)[2]
    if q[2] < 0.25 or upright < 0.5:
        return -1.0
    return below(q[2], 0.45, 0.2) * upright * small(u)


def philox(counter, key):
    """Philox4x32-10 (Salmon et al., 2011)."""
    counter, key = list(counter), list(key)
    for _ in range(10):
        first, second = 0xD2511F53 * counter[0], 0xCD9E8D57 * counter[2]
        counter = [(second >> 32) ^ counter[1] ^ key[0], second & 0xFFFFFFFF,
                   (first >> 32) ^ counter[3] ^ key[1], first & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return counter


def kick(data):
    """Sets the force on the torso for the next control step."""
    time = data.time + 1e-9
    window = int(time // 2)
    bits = [each for block in range(2)
            for each in philox([block, window, 0, int(data.userdata[1])], [int(data.userdata[0]), 8])]
    moment, direction, size = (((bits[i] >> 5) * 67108864 + (bits[i + 1] >> 6)) * 2.0 ** -53 for i in (0, 2, 4))
    begin = 2.0 * window + 1.9 * moment
    force, angle = (2 + 4 * size) / 0.1, 2 * math.pi * direction
    now = begin <= time < begin + 0.1
    data.xfrc_applied[1, :2] = (force * math.cos(angle), force * math.sin(angle)) if now else (0.0, 0.0)


RUNNER = [0.0, -0.05, 0.1, 0.2, -0.3, 0.1, -0.2, 0.1, 0.0]
UPRIGHT = [0.0, -0.02, 0.05, 0.2, -0.4, 0.2, 0.1, -0.2, 0.1]
TURN = [math.cos(0.5), 0.02, -0.01, math.sin(0.5)]
QUADRUPED = [0.3, -0.2, 0.62, *(np.array(TURN) / np.linalg.norm(TURN)), 0.05, 0.6, -1.2, -0.05, 0.65, -1.1,
             0.0, -0.6, 1.2, 0.1, -0.55, 1.3]

SUBSTEPS = {"hopper": 4, "walker": 10, "hyq": 4}
# What pushes the body from control step to control step, and observations that depend on the controls.
PUSHES = {"hyqKick": kick}
SEES_CONTROLS = (hopper_seen,)

# task: model, qpos, qvel, places of mocap bodies, observation, reward
TASKS = {
    "cheetah_run": ("cheetah", RUNNER, [1.0, 0.0, 0.1, *[0.0] * 6], None, planar(0.7), run),
    "cheetah": ("cheetah", RUNNER, [-1.0, 0.3, 0.0, *[0.5] * 6], None, planar(0.7), race(CHEETAH, 0)),
    "hardCheetah": ("hard_cheetah", RUNNER, [2.0, 0.0, 0.0, *[0.1] * 6], None, planar(0.7), race(HARD, 0)),
    "hardCheetahNice": ("hard_cheetah", RUNNER, [0.0] * 9, None, planar(0.7), race(HARD, 0.1)),
    "hopper_stand": ("hopper", [0.0, 0.0, 0.02, 0.1, -0.3, 0.6, -0.3], [0.0] * 7, None, hopper_seen, stand),
    "hopper_hop": ("hopper", [0.0, -0.02, 0.1, 0.0, -0.2, 0.4, -0.2], [1.5, 0.0, *[0.1] * 5], None, hopper_seen, hop),
    "hopper": ("hopper", [1.0, -0.03, 0.0, -0.05, -0.4, 0.8, -0.4], [0.1, 0.0, *[0.0] * 5], None, hopper_seen, balance),
    "walker_stand": ("walker", UPRIGHT, [0.0] * 9, None, walker_seen, walker_stand),
    "walker_walk": ("walker", UPRIGHT, [0.9, 0.0, 0.1, *[0.0] * 6], None, walker_seen, move(1)),
    "walker_run": ("walker", UPRIGHT, [5.0, 0.5, 0.0, *[0.2] * 6], None, walker_seen, move(8)),
    "walker2d": ("walker", UPRIGHT, [1.0, 0.0, -0.2, *[0.0] * 6], None, walker_seen, walk),
    "hyq": ("hyq", QUADRUPED, [0.1, 0.2, 0.0, 0.1, -0.1, 0.2, *[0.0] * 12], None, hyq_seen, keep_standing),
    "hyqKick": ("hyq", QUADRUPED, [0.0] * 18, None, hyq_seen, keep_standing),
}
