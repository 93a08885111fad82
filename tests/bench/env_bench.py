"""Simulation steps per CPU second: our environments beside Python's mujoco on the same MJCF and version.

    cmake --build build/release --target bench_env

Ours does the whole environment (clip, 2 mj_steps per decision, observation, reward, ends); the peers only set
controls and step: a loop over mujoco.mj_step, mujoco.batch, and mujoco.rollout (open loop, one call for the
whole trajectory). All on one thread, alternating; medians. Final states must agree bit for bit.

Importing mujoco sets the C library's mjcb_time, a clock that mj_step then reads many times per step: it takes up
to half of the speed of small models, and mujoco.set_mjcb_time(None) does not remove it. Peers are measured as
shipped and, "no timer", with that pointer cleared through ctypes, which is the fair floor and which hardly any
user does.
"""
import argparse
import ctypes
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import mujoco
import mujoco.batch
import mujoco.rollout
import numpy as np

import results

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPEAT, PERIOD = 2, 64
TASKS = {"pendulum": "pendulum", "cartpole_swingup": "cartpole", "fixedReacherDouble": "reacher",
         "point_mass": "point_mass"}
PHYSICS = mujoco.mjtState.mjSTATE_FULLPHYSICS


class Scene:
    """One task's model, start states and actions, the same for all who are measured."""

    def __init__(self, task, rows, decisions):
        self.task, self.rows, self.decisions = task, rows, decisions
        self.model = mujoco.MjModel.from_xml_path(str(ROOT / "data" / "mjcf" / f"{TASKS[task]}.xml"))
        draw = np.random.default_rng(7)
        self.start = draw.uniform(-0.2, 0.2, (rows, self.model.nq + self.model.nv))
        self.actions = draw.uniform(-1, 1, (PERIOD, rows, self.model.nu)).astype(np.float32).astype(float)

    def place(self, data, row):
        data.qpos[:] = self.start[row, :self.model.nq]
        data.qvel[:] = self.start[row, self.model.nq:]

    def datas(self):
        made = [mujoco.MjData(self.model) for _ in range(self.rows)]
        for row, data in enumerate(made):
            self.place(data, row)
        return made

    def rate(self, seconds):
        return self.decisions * REPEAT * self.rows / seconds


def ours(scene, binary):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"start": scene.start.tolist(), "actions": scene.actions.tolist()}, file)
        file.flush()
        run = subprocess.run([binary, scene.task, str(scene.rows), str(scene.decisions), file.name],
                             check=True, capture_output=True, text=True)
    result = json.loads(run.stdout)
    return result["steps_per_s"], np.array(result["states"])


def seen(scene, datas):
    return np.array([np.concatenate([[data.time], data.qpos, data.qvel]) for data in datas])


def step_loop(scene):
    datas, model, step = scene.datas(), scene.model, mujoco.mj_step
    controls = [data.ctrl for data in datas]
    begin = time.process_time()
    for k in range(scene.decisions):
        actions = scene.actions[k % PERIOD]
        for row, data in enumerate(datas):
            controls[row][:] = actions[row]
            step(model, data, REPEAT)
    return scene.rate(time.process_time() - begin), seen(scene, datas)


def batch(scene):
    made = mujoco.batch.Batch(scene.model, scene.rows, nthread=1)
    time_, qpos, qvel, ctrl = (made.bind(name) for name in ("time", "qpos", "qvel", "ctrl"))
    qpos[:], qvel[:] = scene.start[:, :scene.model.nq], scene.start[:, scene.model.nq:]
    begin = time.process_time()
    for k in range(scene.decisions):
        ctrl[:] = scene.actions[k % PERIOD]
        made.step(nstep=REPEAT)
    rate = scene.rate(time.process_time() - begin)
    return rate, np.concatenate([time_.reshape(-1, 1), qpos, qvel], axis=1)


def rollout(scene):
    model, size = scene.model, mujoco.mj_stateSize(scene.model, PHYSICS)
    start = np.empty((scene.rows, size))
    for row, data in enumerate(scene.datas()):
        mujoco.mj_getState(model, data, start[row], PHYSICS)
    which = np.repeat(np.arange(scene.decisions) % PERIOD, REPEAT)
    control = np.ascontiguousarray(scene.actions[which].transpose(1, 0, 2))
    data = mujoco.MjData(model)
    states = np.empty((scene.rows, len(which), size))
    begin = time.process_time()
    mujoco.rollout.rollout(model, [data], start, control, state=states)
    rate = scene.rate(time.process_time() - begin)
    return rate, states[:, -1, :1 + model.nq + model.nv].copy()


PEERS = {"mj_step loop": step_loop, "mujoco.batch": batch, "mujoco.rollout": rollout}
LIBRARY = next(pathlib.Path(mujoco.__file__).parent.glob("libmujoco.so.*"))
TIMER = ctypes.c_void_p.in_dll(ctypes.CDLL(str(LIBRARY)), "mjcb_time")


def without_timer(peer):
    def measured(scene):
        before = TIMER.value
        TIMER.value = None
        try:
            return peer(scene)
        finally:
            TIMER.value = before
    return measured


def measure(scene, binary, rounds):
    contenders = {**PEERS, **{f"{name}, no timer": without_timer(peer) for name, peer in PEERS.items()}}
    rates = {name: [] for name in ("ours", *contenders)}
    differing = set()
    for _ in range(rounds):
        rate, expected = ours(scene, binary)
        rates["ours"].append(rate)
        for name, peer in contenders.items():
            rate, states = peer(scene)
            rates[name].append(rate)
            if states.tobytes() != expected.tobytes():
                differing.add(name)
    mine = statistics.median(rates["ours"])
    rows = []
    for name in contenders:
        theirs = statistics.median(rates[name])
        rows.append([scene.task, str(scene.rows), f"{mine / 1e3:.1f}", name, f"{theirs / 1e3:.1f}",
                     f"{mine / theirs:.2f}", "**DIFFER**" if name in differing else "same bits"])
        print("  ".join(rows[-1]), flush=True)
    return rows, not differing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60_000, help="simulation steps per measurement")
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    rows, good = [], True
    for task in TASKS:
        for size in (1, 64):
            scene = Scene(task, size, max(1, options.steps // (size * REPEAT)))
            found, same = measure(scene, options.binary, options.rounds)
            rows += found
            good &= same
    text = f"""## Environments beside Python MuJoCo

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_env"],
                    f"MuJoCo {mujoco.mj_versionString()}")}
- {"pass" if good else "**FAIL**"}: final states of ours and of every peer agree bit for bit

Thousand simulation steps per CPU second, one thread, medians of {options.rounds} rounds in turns. Ours does the whole
environment (clip, two steps per decision, observation, reward, ends), the peers only set controls and step. "no
timer": with the clock switched off that importing Python's mujoco sets, a floor that hardly any user has.

{results.table(["task", "environments", "ours", "peer", "peer's", "ratio", "states"], rows)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "bench_env", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
