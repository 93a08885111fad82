"""DDPG beside Stable-Baselines3's on Gymnasium's MuJoCo tasks: return, and environment steps per CPU second.

    cmake --build build/release --target bench_ddpg_peers

Equal settings on both sides, one environment, one thread each, in turns; nothing is tuned here. SB3 runs with its
defaults, and with CleanRL's published settings (CleanRL itself asks for Python < 3.11 and gymnasium 0.28). CPU
seconds are user and system time of all processes of a run, less those of a run that only starts up. Both actors are
read from the end of their runs and played here, by the same code, in the same episodes.
"""
import argparse
import dataclasses
import json
import math
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

import gymnasium
import numpy as np

import launch
import peers
import results

EPISODES = 20
SHORT = 50  # steps of a run that only starts up: random actions, no update


@dataclasses.dataclass(frozen=True)
class Settings:
    """Hidden layers of both networks, one Adam step size, noise in actions of [-1, 1], random steps at the start."""
    name: str
    nets: tuple[int, ...]
    lr: float
    noise: float
    warm_up: int
    actor_every: int
    batch: int = 256
    tau: float = 0.005
    gamma: float = 0.99
    replay: int = 1_000_000

    def ours(self):
        nets = "x".join(map(str, self.nets))
        noise = ["--noise", "gauss", "--sigma", str(self.noise)] if self.noise > 0 else ["--noise", "none"]
        return ["--actor-net", nets, "--critic-net", nets, "--action-layer", "1", "--batch-norm", "none",
                "--final-init", "0", "--lr-actor", str(self.lr), "--lr-critic", str(self.lr), "--critic-l2", "0",
                "--gamma", str(self.gamma), "--tau", str(self.tau), "--batch", str(self.batch),
                "--replay", str(self.replay), "--start-steps", str(self.warm_up), "--updates-per-step", "1",
                "--actor-every", str(self.actor_every), *noise]


SB3 = Settings("SB3's defaults", (400, 300), 1e-3, 0.0, 100, 1)
# 25 000 of 1 000 000 steps are random; here the same share, at least one batch.
CLEANRL = Settings("CleanRL's", (256, 256), 3e-4, 0.1, 256, 2)


@dataclasses.dataclass(frozen=True)
class Case:
    task: str
    steps: int
    settings: Settings
    seeds: int


# A quarter of an hour of CPU time; HalfCheetah-v5 with SB3's defaults would take five minutes more. It has six seeds
# since the first three were too scattered, on SB3's side above all.
CASES = [Case("InvertedPendulum-v5", 5000, SB3, 3), Case("InvertedPendulum-v5", 5000, CLEANRL, 3),
         Case("HalfCheetah-v5", 4000, CLEANRL, 6)]


@dataclasses.dataclass
class Run:
    """What one process did: CPU seconds, and the actor's layers, weight [out, in] and bias [out] in turns."""
    cpu: float
    layers: list


def cpu_seconds(command):
    """Of the process and all that it started."""
    before = launch.cpu_seconds()
    run = subprocess.run(command, capture_output=True, text=True, env=launch.environment(), cwd=launch.SOURCE)
    if run.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}\nended with {run.returncode}:\n{run.stdout}\n{run.stderr}")
    return launch.cpu_seconds() - before


def theirs(settings, task, steps, seed, folder):
    path = folder / "actor.npz"
    cpu = cpu_seconds([peers.python(), pathlib.Path(__file__).with_name("sb3_ddpg.py"),
                       json.dumps(dataclasses.asdict(settings)), task, str(steps), str(seed), path])
    with np.load(path) as file:
        return Run(cpu, [file[name] for name in file.files])


def ours(settings, task, steps, seed, folder):
    run_dir = folder / "run"
    cpu = cpu_seconds(launch.command("ddpg", [
        "--task", f"gym:{task}", *settings.ours(), "--virtual-shards", "1", "--threads", "1",
        "--total-steps", steps, "--seed", seed, "--eval-every", "0", "--eval-episodes", "1", "--run-dir", run_dir], 1))
    state = launch.final_state(run_dir)
    shutil.rmtree(run_dir)
    names = [f"model/actor/layer{k}.{part}" for k in range(len(settings.nets) + 1) for part in ("weight", "bias")]
    return Run(cpu, [state[name] for name in names])


SIDES = {"ours": ours, "SB3": theirs}


def mean_return(task, layers):
    """Of EPISODES episodes with the actor's own actions: ReLU, tanh, scaled to the task's bounds."""
    env = gymnasium.make(task)
    low, high = env.action_space.low, env.action_space.high
    total = 0.0
    for episode in range(EPISODES):
        observation, _ = env.reset(seed=10_000 + episode)
        ended = False
        while not ended:
            value = observation.astype(np.float32)
            for k in range(0, len(layers), 2):
                value = layers[k] @ value + layers[k + 1]
                value = np.maximum(value, 0) if k + 2 < len(layers) else np.tanh(value)
            action = np.clip(low + 0.5 * (value + 1) * (high - low), low, high)
            observation, reward, terminated, truncated, _ = env.step(action)
            total += float(reward)
            ended = terminated or truncated
    env.close()
    return total / EPISODES


class Measured:
    """Runs that are kept in a file, so that a bench that was stopped goes on."""

    def __init__(self, path):
        self._path = path
        self._kept = json.loads(path.read_text()) if path.exists() else {}

    def get(self, key, measure):
        if key not in self._kept:
            self._kept[key] = measure()
            self._path.write_text(json.dumps(self._kept))
        print(f"{key}: {self._kept[key]}", flush=True)
        return self._kept[key]


def start_up(measured, task, folder):
    """CPU seconds of a run that only starts, of each side: medians of three."""
    settings = dataclasses.replace(SB3, warm_up=1000)
    found = {side: [] for side in SIDES}
    for seed in (1, 2, 3):
        for side, run in SIDES.items():
            found[side].append(measured.get(f"{task} {side} start {seed}",
                                            lambda: run(settings, task, SHORT, seed, folder).cpu))
    return {side: statistics.median(values) for side, values in found.items()}


def measure(measured, case, starts, folder):
    """{side: [(return, environment steps per CPU second) of each seed]}."""
    found = {side: [] for side in SIDES}
    for seed in range(1, case.seeds + 1):
        for side, run in SIDES.items():
            def once():
                done = run(case.settings, case.task, case.steps, seed, folder)
                return [mean_return(case.task, done.layers), done.cpu]
            score, cpu = measured.get(f"{case.task} {side} {case.settings.name} {case.steps} {seed}", once)
            found[side].append((score, (case.steps - SHORT) / (cpu - starts[side])))
    return found


def judged(found):
    """Rows of a table, and whether ours is ahead in speed and not behind in return."""
    score = {side: [each[0] for each in values] for side, values in found.items()}
    rate = {side: [each[1] for each in values] for side, values in found.items()}
    mean = {side: statistics.mean(values) for side, values in score.items()}
    error = math.sqrt(sum(statistics.variance(values) / len(values) for values in score.values()))
    ratios = [a / b for a, b in zip(rate["ours"], rate["SB3"], strict=True)]
    behind = mean["SB3"] - mean["ours"]
    rows = [[*(f"{score[side][k]:.0f}" for side in SIDES), *(f"{rate[side][k]:.1f}" for side in SIDES),
             f"{ratios[k]:.2f}"] for k in range(len(ratios))]
    rows.append([*(f"**{mean[side]:.0f}**" for side in SIDES), *(f"{statistics.median(rate[side]):.1f}"
                for side in SIDES), f"**{statistics.median(ratios):.2f}**"])
    verdicts = {f"steps per CPU second over SB3's, median of the seeds > 1: {statistics.median(ratios):.2f}":
                statistics.median(ratios) > 1,
                f"mean return not below SB3's by more than the difference's standard error of {error:.0f}: "
                f"{mean['ours']:.0f} beside {mean['SB3']:.0f}": behind <= error}
    return rows, verdicts


def described(settings):
    noise = f"Gaussian noise {settings.noise:g}" if settings.noise > 0 else "no noise"
    every = "update" if settings.actor_every == 1 else f"{settings.actor_every} updates"
    return (f"{settings.name}: {'-'.join(map(str, settings.nets))}, Adam {settings.lr:g}, {noise}, {settings.warm_up} "
            f"random steps, policy and targets move every {every}.")


def differences():
    """What the settings are, and where the sides differ."""
    common = f"batch {SB3.batch}, tau {SB3.tau:g}, gamma {SB3.gamma:g}"
    return f"""Both settings: {common}, action at the critic's input, one update a step.
{described(SB3)}
{described(CLEANRL)}
CleanRL has 25 000 random steps in 1 000 000; here it is the same share, but at least a batch. CleanRL itself cannot be
installed here: its DDPG releases ask for Python < 3.11. SB3 can say all of it but that CleanRL's critic sees actions in
the task's units; SB3's and ours see them in [-1, 1] (the same thing for HalfCheetah-v5). Ours begins to update when the
memory holds a whole batch, SB3 after its random steps: with its defaults {SB3.batch - SB3.warm_up} updates more."""


HEAD = ["task", "settings", "steps", "seed", "return, ours", "SB3", "steps / CPU s, ours", "SB3", "ratio"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", type=pathlib.Path, help="file to keep runs in, and to go on from")
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    rows, lines, started, good = [], [], {}, True
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        folder = pathlib.Path(name)
        measured = Measured(options.keep or folder / "measured.json")
        for case in CASES:
            if case.task not in started:
                started[case.task] = start_up(measured, case.task, folder)
            found, verdicts = judged(measure(measured, case, started[case.task], folder))
            for seed, row in zip([*range(1, case.seeds + 1), "mean, median"], found, strict=True):
                rows.append([case.task, case.settings.name, str(case.steps), str(seed), *row])
            for text, holds in verdicts.items():
                lines.append(f"- {'pass' if holds else '**FAIL**'}: {case.task}, {case.settings.name}: {text}")
                good &= holds
    idle = "; ".join(f"{task}: ours {each['ours']:.1f}, SB3 {each['SB3']:.1f}" for task, each in started.items())
    text = f"""## DDPG beside Stable-Baselines3, also with CleanRL's settings

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_ddpg_peers"],
                    f"{peers.version('stable-baselines3')}; gymnasium {gymnasium.__version__}")}
{chr(10).join(lines)}

Gymnasium's tasks in Python on both sides (ours: `--task gym:ID`), one environment, one thread, equal settings, runs in
turns; nothing was tuned for this. Return: mean of {EPISODES} episodes without noise at the end of a run, both actors
played by the same code in the same episodes. CPU seconds: user and system time of all processes of a run, less the
median of a run that only starts up ({idle});
ours includes an evaluation of one episode and the checkpoint at the end. Last row of each: mean returns, medians of
the rest. So few steps and seeds say little about returns: the standard error in the line above is what they can tell
apart. HalfCheetah-v5 has six seeds since the first three were too scattered.

{differences()}

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "bench_ddpg_peers", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
