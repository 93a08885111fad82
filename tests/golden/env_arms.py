"""Observations and rewards of poles, arms and manipulators, by formulas of their own, for make_env.py.

q, v, u: positions, velocities, controls; target: places of all mocap bodies, one after the other.
Planar arms are worked out by hand; points of the arms in space come from mujoco.mj_kinematics.
"""
import math
import pathlib

import mujoco
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]


def gaussian(x, margin, bound=0.0):
    return 0.1 ** ((max(0.0, abs(x) - bound) / margin) ** 2)


def small(u):
    return (4 + np.mean([max(0.0, 1 - each * each) for each in u])) / 5


def near(distance, radius, margin):
    return 0.5 * gaussian(distance, margin, radius) + 0.5 * (distance <= radius)


def turned(angles):
    return [f(each) for each in angles for f in (math.cos, math.sin)]


# --- poles and the acrobot

def side_by_side(q, v, target):
    return [q[0], *turned(q[1:]), *v]


def chained(q, v, target):
    return [q[0], *turned(np.cumsum(q[1:])), *v]


def poles(cosines, q, v, u):
    upright = np.mean([(1 + each) / 2 for each in cosines])
    slow = min((1 + gaussian(each, 5)) / 2 for each in v[1:])
    return upright * (1 + gaussian(q[0], 2)) / 2 * slow * small(u)


def parallel_poles(q, v, u, target):
    return poles(np.cos(q[1:]), q, v, u)


def serial_poles(q, v, u, target):
    return poles(np.cos(np.cumsum(q[1:])), q, v, u)


def acrobot_seen(q, v, target):
    return [*turned(np.cumsum(q)), *v]


def acrobot_distance(q):
    angles = np.cumsum(q)
    return math.hypot(np.sin(angles).sum(), 2 - np.cos(angles).sum())


def acrobot(q, v, u, target):
    return gaussian(acrobot_distance(q), 1, 0.2)


def acrobot_sparse(q, v, u, target):
    return float(acrobot_distance(q) <= 0.2)


# --- ball in cup, finger

def plain_seen(q, v, target):
    return [*q, *v]


def catch(q, v, u, target):
    x, z = q[2] - q[0], q[3] - q[1] - 0.05
    return float(abs(x) <= 0.02 and abs(z) <= 0.02)


def spin_seen(q, v, target):
    return [*turned(q), *v]


def spin(q, v, u, target):
    return float(v[2] <= -15)


def spinner_tip(q):
    return 0.2 - 0.13 * math.sin(q[2]), 0.4 + 0.13 * math.cos(q[2])


def turn_seen(radius):
    def seen(q, v, target):
        x, z = spinner_tip(q)
        beside = target[0] - x, target[2] - z
        return [*turned(q), *v, *beside, math.hypot(*beside) - radius]
    return seen


def turn(radius):
    return lambda q, v, u, target: float(math.dist(spinner_tip(q), (target[0], target[2])) <= radius)


# --- arms in the plane of a table

def finger(q, length):
    angles = np.cumsum(q)
    return length * np.cos(angles).sum(), length * np.sin(angles).sum()


def table_seen(length):
    def seen(q, v, target):
        x, y = finger(q, length)
        return [*turned(q), target[0] - x, target[1] - y, *v]
    return seen


def table(length):
    def reward(q, v, u, target):
        return near(math.dist(finger(q, length), target[:2]), 0.02, len(q) * length) * small(u)
    return reward


def obstacle_seen(q, v, target):
    x, y = finger(q, 0.06)
    return [*turned(q), *v, target[0] - x, target[1] - y, target[3] - x, target[4] - y]


def touches(q, post):
    """A link (a segment of 6 cm, 0.8 cm thick) comes nearer than the post's 2 cm."""
    angles, at = np.cumsum(q), np.zeros(2)
    for angle in angles:
        along = np.array([math.cos(angle), math.sin(angle)])
        s = min(0.06, max(0.0, float((post - at) @ along)))
        if math.dist(at + s * along, post) < 0.028:
            return True
        at = at + 0.06 * along
    return False


def obstacle(q, v, u, target):
    reward = near(math.dist(finger(q, 0.06), target[:2]), 0.02, 0.3) * small(u)
    return reward - 0.5 * touches(q, np.array(target[3:5]))


def blade(q):
    angles = np.cumsum(q[:3])
    lengths = np.array([0.3, 0.3, 0.25])
    return lengths @ np.cos(angles), lengths @ np.sin(angles)


def rink_seen(q, v, target):
    x, y = blade(q)
    return [*turned(q[:3]), *turned(q[5:6]), q[3] - x, q[4] - y, target[0] - q[3], target[1] - q[4], *v]


def rink(q, v, u, target):
    shot = gaussian(math.dist(q[3:5], target[:2]), 1, 0.05)
    return (0.2 * near(math.dist(blade(q), q[3:5]), 0.05, 0.85) + 0.8 * shot) * small(u)


# --- the upright arm with fingers: shoulder, elbow, wrist, two fingers; x, z, turn of the object

def grasp(q, base):
    angles = np.cumsum(q[:3])
    lengths = np.array([0.25, 0.25, 0.085])
    return base[0] + lengths @ np.sin(angles), base[1] + 0.5 - lengths @ np.cos(angles)


def grip_seen(q, v, target):
    base, arm, thing = q[:-8], q[-8:-3], q[-3:]
    x, z = grasp(arm, base if len(base) else (0, 0))
    return [*base, *turned(arm), *turned(thing[2:]), thing[0] - x, thing[1] - z, target[0] - thing[0],
            target[2] - thing[1], *v]


def grip(q, v, u, target):
    base, arm, thing = q[:-8], q[-8:-3], q[-3:]
    hand = grasp(arm, base if len(base) else (0, 0))
    brought = math.dist(thing[:2], (target[0], target[2]))
    return (0.3 * near(math.dist(hand, thing[:2]), 0.03, 0.6) + 0.7 * near(brought, 0.04, 0.6)) * small(u)


# --- arms in space

class Space:
    def __init__(self, name, site):
        self.model = mujoco.MjModel.from_xml_path(str(ROOT / "data" / "mjcf" / f"{name}.xml"))
        self.data = mujoco.MjData(self.model)
        self.site = site

    def point(self, q):
        self.data.qpos[:] = q
        mujoco.mj_kinematics(self.model, self.data)
        return self.data.site(self.site).xpos


REACH, BLOCK, SHOT = (Space(*each) for each in (("reacher_3da", "finger"), ("blockworld_3da", "grasp"),
                                                ("canada", "blade")))


def space_seen(q, v, target):
    return [*turned(q), *v, *(target - REACH.point(q))]


def space(q, v, u, target):
    return near(math.dist(REACH.point(q), target), 0.04, 0.75) * small(u)


def block_seen(q, v, target):
    matrix = np.empty(9)
    mujoco.mju_quat2Mat(matrix, q[12:])
    columns = matrix.reshape(3, 3)[:, :2].T.ravel()
    return [*turned(q[:9]), *columns, *(q[9:12] - BLOCK.point(q)), *(target - q[9:12]), *v]


def block(q, v, u, target):
    hand = near(math.dist(BLOCK.point(q), q[9:12]), 0.03, 0.77)
    return (0.3 * hand + 0.7 * near(math.dist(q[9:12], target), 0.04, 0.77)) * small(u)


def puck(q):
    return np.array([q[7], q[8], 0.02])


def shot_seen(q, v, target):
    return [*turned(q[:7]), *turned(q[9:]), *(puck(q) - SHOT.point(q)), target[0] - q[7], target[1] - q[8], *v]


def shot(q, v, u, target):
    stick = near(math.dist(SHOT.point(q), puck(q)), 0.05, 1.05)
    return (0.2 * stick + 0.8 * gaussian(math.dist(q[7:9], target[:2]), 1, 0.05)) * small(u)


POSE, HAND = [1.2, -1.0, -0.2, -0.3, -0.3], [0.1, -0.4, 0.0, 1.5, 0.0, 0.45, 0.0, -0.2, -0.2]
STILL = {n: [0.0] * n for n in (8, 10, 15)}

SUBSTEPS = {"ball_in_cup": 4, "finger_spin": 2, "finger_turn": 2, "reacher_obstacle": 2, "reacher_3da": 2, "gripper": 4,
            "moving_gripper": 4, "blockworld1": 4, "blockworld_3da": 4, "canada2d": 4, "canada": 4}

# task: model, qpos, qvel, places of mocap bodies, observation, reward
TASKS = {
    "cartpoleParallelDouble": ("cartpole_parallel_double", [0.1, 0.02, -0.3], [0.1, 0.0, -0.2], None, side_by_side,
                               parallel_poles),
    "cartpoleParallelTriple": ("cartpole_parallel_triple", [-0.1, 0.01, -0.02, 0.4], [0.0, 0.1, 0.0, 0.3], None,
                               side_by_side, parallel_poles),
    "cartpoleSerialDouble": ("cartpole_serial_double", [0.0, 3.1, 0.2], [0.5, 0.0, -0.1], None, chained, serial_poles),
    "cartpoleSerialTriple": ("cartpole_serial_triple", [0.2, 3.0, 0.1, -0.1], [0.0, 0.2, 0.0, 0.1], None, chained,
                             serial_poles),
    "acrobot_swingup": ("acrobot", [0.4, -0.3], [0.0, 0.0], None, acrobot_seen, acrobot),
    "acrobot_swingup_sparse": ("acrobot", [0.02, -0.03], [0.0, 0.1], None, acrobot_seen, acrobot_sparse),
    "ball_in_cup_catch": ("ball_in_cup", [0.0, 0.0, 0.005, 0.06], [0.0, 0.0, 0.0, 0.0], None, plain_seen, catch),
    "finger_spin": ("finger_spin", [-1.0, 0.3, 0.5], [0.0, 0.0, -18.0], None, spin_seen, spin),
    "finger_turn_easy": ("finger_turn", [0.3, 0.2, 1.0], [2.0, 0.0, 10.0], [[0.048, 0.0, 0.403]], turn_seen(0.07),
                         turn(0.07)),
    "finger_turn_hard": ("finger_turn", [-0.3, -0.2, 0.2], [2.0, 0.0, 10.0], [[0.135, 0.0, 0.519]], turn_seen(0.03),
                         turn(0.03)),
    "reacherSingle": ("reacher_single", [1.2], [2.0], [[-0.072, 0.096, 0.0]], table_seen(0.12), table(0.12)),
    "reacher": ("reacher_triple", [0.4, 0.5, -0.6], [0.0, 1.0, 0.0], [[0.15, 0.1, 0.0]], table_seen(0.08),
                table(0.08)),
    "fixedReacher": ("reacher_triple", [1.4, 0.8, 0.2], [0.5, 0.0, 0.0], None, table_seen(0.08), table(0.08)),
    "reacherObstacle": ("reacher_obstacle", [0.5, 0.3, -0.2, 0.4, 0.1], [0.0] * 5,
                        [[0.1, 0.2, 0.0], [0.07, 0.11, 0.0]], obstacle_seen, obstacle),
    "reacher3daFixedTarget": ("reacher_3da", [0.3, -0.4, 0.2, 1.0, 0.1, 0.2, -0.1], [0.0] * 7, None, space_seen, space),
    "reacher3daRandomTarget": ("reacher_3da", [-0.8, 0.1, 0.5, 0.7, -0.5, 0.0, 0.3], [0.0] * 7, [[0.2, -0.4, 0.8]],
                               space_seen, space),
    "gripper": ("gripper", [*POSE, 0.27, 0.03, 0.0], STILL[8], None, grip_seen, grip),
    "gripperRandom": ("gripper", [*POSE, -0.2, 0.03, 0.3], STILL[8], [[-0.2, 0.0, 0.06]], grip_seen, grip),
    "movingGripper": ("moving_gripper", [0.1, 0.05, *POSE, -0.3, 0.03, 0.0], STILL[10], None, grip_seen, grip),
    "movingGripperRandom": ("moving_gripper", [-0.2, 0.0, *POSE, 0.3, 0.03, 1.0], STILL[10], [[0.4, 0.0, 0.3]],
                            grip_seen, grip),
    "blockworld1": ("blockworld1", [*POSE, 0.25, 0.9, 0.7], STILL[8], [[0.1, 0.0, 0.3]], grip_seen, grip),
    "blockworld3da": ("blockworld_3da", [*HAND, 0.4, 0.05, 0.025, math.cos(0.2), 0.0, 0.0, math.sin(0.2)], STILL[15],
                      [[0.35, 0.0, 0.2]], block_seen, block),
    "canada2d": ("canada2d", [0.2, 0.4, 0.3, 0.3, 0.65, 0.5], [0.0] * 6, [[-0.3, 0.6, 0.0]], rink_seen, rink),
    "canada": ("canada", [0.0, -0.35, 0.0, 1.4, 0.0, -0.18, 0.0, 0.8, 0.1, 0.3], STILL[10], [[1.2, 0.3, 0.0]],
               shot_seen, shot),
}
