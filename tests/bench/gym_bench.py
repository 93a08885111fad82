"""Environment steps per CPU second on Gymnasium's tasks: ours beside Gymnasium's vector environments and EnvPool.

    cmake --build build/release --target bench_gym

Uniform random actions, drawn beforehand, one thread, in turns, medians. "bridge" is --task gym:ID, the environments
that `ddpg` trains on; "loop" is Python's plain loop over the same environments, SyncVectorEnv Gymnasium's own vector
of them. EnvPool and "C++" have no Python in the step: EnvPool wrote the tasks anew in C++ over a MuJoCo of its own,
C++ is our cheetah_run on the model file of HalfCheetah-v5 with as many physics steps a decision; its reward and
observations are other ones, and it takes the reward after every physics step, not after five. A step that only resets
an environment does not count.
"""
import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import gymnasium
import numpy as np

PERIOD = 64
ROWS = (1, 8, 64)
TASKS = {"Pendulum-v1": 16_000, "InvertedPendulum-v5": 8000, "HalfCheetah-v5": 6000, "Hopper-v5": 4000}
CHEETAH, PHYSICS_STEPS = "HalfCheetah-v5", 5  # of one decision


def random_actions(space, rows):
    draw = np.random.default_rng(7)
    return draw.uniform(space.low, space.high, (PERIOD, rows, *space.shape)).astype(space.dtype)


def loop(task, rows, decisions):
    envs = [gymnasium.make(task) for _ in range(rows)]
    actions = random_actions(envs[0].action_space, rows)
    for seed, env in enumerate(envs):
        env.reset(seed=seed)
    seed = rows
    begin = time.process_time()
    for k in range(decisions):
        for env, action in zip(envs, actions[k % PERIOD]):
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset(seed=seed)
                seed += 1
    return decisions * rows / (time.process_time() - begin)


def sync_vector(task, rows, decisions):
    envs = gymnasium.make_vec(task, rows, "sync",
                              vector_kwargs={"autoreset_mode": gymnasium.vector.AutoresetMode.SAME_STEP})
    actions = random_actions(envs.single_action_space, rows)
    envs.reset(seed=1)
    begin = time.process_time()
    for k in range(decisions):
        envs.step(actions[k % PERIOD])
    return decisions * rows / (time.process_time() - begin)


def envpool(task, rows, decisions):
    import envpool

    envs = envpool.make(task, env_type="gymnasium", num_envs=rows, num_threads=1, seed=1)
    actions = random_actions(envs.action_space, rows)
    envs.reset()
    resets = 0
    begin = time.process_time()
    for k in range(decisions):
        _, _, terminated, truncated, _ = envs.step(actions[k % PERIOD])
        resets += np.count_nonzero(terminated | truncated)
    return (decisions * rows - resets) / (time.process_time() - begin)


class EnvPool:
    """envpool() in a process of the Python that has it; asked by lines."""

    def __init__(self, python):
        self._process = subprocess.Popen([python, __file__, "--envpool"], text=True, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)

    def __call__(self, *asked):
        print(*asked, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    @staticmethod
    def answer():
        for line in sys.stdin:
            task, rows, decisions = line.split()
            print(envpool(task, int(rows), int(decisions)), flush=True)


def bench(binary, task, rows, decisions, *more):
    run = subprocess.run([binary, task, str(rows), str(decisions), *map(str, more)], check=True, capture_output=True,
                         text=True)
    return float(run.stdout)


def cheetah_model(folder):
    """HalfCheetah-v5's model under the names that our cheetah looks for, as folder/cheetah.xml."""
    source = pathlib.Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets" / "half_cheetah.xml"
    root = ElementTree.parse(source).getroot()
    for joint in root.iter("joint"):
        if joint.get("name", "").startswith("root"):
            joint.set("name", f"root_{joint.get('name')[-1]}")
    ElementTree.SubElement(ElementTree.SubElement(root, "sensor"), "subtreelinvel", name="velocity", body="torso")
    ElementTree.ElementTree(root).write(folder / "cheetah.xml")


def measure(task, rows, steps, rounds, contenders):
    """Medians by name."""
    rates = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, rate in contenders.items():
            rates[name].append(rate(task, rows, max(1, steps // rows)))
    return {name: statistics.median(values) for name, values in rates.items()}


HEAD = ["task", "environments", "bridge", "loop", "ratio", "SyncVectorEnv", "ratio", "EnvPool", "ratio", "C++",
        "C++ / EnvPool"]


def table_row(task, rows, rate):
    number = lambda name: f"{rate[name]:.0f}" if name in rate else "-"
    ratio = lambda a, b: f"{rate[a] / rate[b]:.2f}" if a in rate else "-"
    return [task, str(rows), number("bridge"), number("loop"), ratio("bridge", "loop"), number("sync"),
            ratio("bridge", "sync"), number("envpool"), ratio("bridge", "envpool"), number("C++"),
            ratio("C++", "envpool")]


def main():
    import peers
    import results

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    pool = EnvPool(peers.python())
    bridge = lambda task, rows, decisions: bench(options.binary, f"gym:{task}", rows, decisions)
    found, rows_out = [], []
    with tempfile.TemporaryDirectory(prefix="bench-gym-") as name:
        cheetah_model(pathlib.Path(name))
        native = lambda task, rows, decisions: bench(options.binary, "cheetah_run", rows, decisions, name,
                                                     PHYSICS_STEPS)
        for task, steps in TASKS.items():
            contenders = {"bridge": bridge, "loop": loop, "sync": sync_vector, "envpool": pool,
                          **({"C++": native} if task == CHEETAH else {})}
            for rows in ROWS:
                rate = measure(task, rows, steps, options.rounds, contenders)
                found.append(rate["bridge"] / rate["sync"])
                rows_out.append(table_row(task, rows, rate))
                print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows_out[-1])), flush=True)
    pool.close()
    good = min(found) > 1
    text = f"""## Environment steps beside Gymnasium's vector environments and EnvPool

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_gym"],
                    f"gymnasium {gymnasium.__version__}; {peers.version('envpool')}, which holds MuJoCo 3.6.0")}
- {"pass" if good else "**FAIL**"}: bridge over SyncVectorEnv > 1 in every row: {min(found):.2f} to {max(found):.2f}

Environment steps per CPU second under uniform random actions, one thread, medians of {options.rounds} rounds in turns;
ratios are ours over the peer's. Bridge: `--task gym:ID`. Loop: Python's plain loop over the same environments. EnvPool
and C++ have no Python in the step. EnvPool wrote the tasks anew in C++; C++ is our `cheetah_run` on the model file of
HalfCheetah-v5, {PHYSICS_STEPS} physics steps a decision: its reward and observations are others, and it takes the
reward after every physics step, EnvPool after {PHYSICS_STEPS}. Steps that only reset an environment do not count.

{results.table(HEAD, rows_out)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "bench_gym", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(EnvPool.answer() if sys.argv[1:] == ["--envpool"] else main())
