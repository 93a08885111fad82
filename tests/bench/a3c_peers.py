"""Learning CartPole-v1 beside Stable-Baselines3's A2C at equal settings: return after equal frames and CPU seconds.

    cmake --build build/release --target bench_a3c_peers

Ours is `--update sync` with one actor of 8 environments: A2C. Nothing is tuned here.
"""
import argparse
import dataclasses
import math
import pathlib
import statistics
import sys
import tempfile

import a3c_sides as sides
import launch
import peers
import results
from tenfold_analysis import tenfold_h5

ENVS, STEPS = 8, 5
LOOKS = [25_000, 50_000, 100_000]
EPISODES = 20


@dataclasses.dataclass(frozen=True)
class Settings:
    """As SB3 says it, of a loss that is a mean over ENVS x STEPS frames. Ours is their sum: its squares are
    (ENVS x STEPS)^2 times as large, and so is the epsilon that does the same; its bound ENVS x STEPS times."""
    name: str
    lr: float
    anneal: bool
    eps: float
    clip: float
    entropy: float
    reward_scale: float

    def ours(self, frames, anneal):
        rows = ENVS * STEPS
        return ["--preset", "cartpole", "--update", "sync", "--virtual-shards", "1", "--envs-per-actor", ENVS,
                "--t-max", STEPS, "--lr", self.lr, "--lr-anneal", "linear" if anneal else "none",
                "--rms-eps", self.eps * rows**2, "--clip", self.clip * rows, "--entropy", self.entropy,
                "--reward-scale", self.reward_scale, "--total-steps", frames]

    def theirs(self):
        return {key: value for key, value in dataclasses.asdict(self).items() if key != "name"}


CASES = [Settings("SB3's defaults", 7e-4, False, 1e-5, 0.5, 0.0, 1.0),
         Settings("our preset's", 3e-3, True, 0.01 / (ENVS * STEPS)**2, 1.0, 0.01, 0.01)]


def ours(settings, frames, seed, looks):
    """Mean return of EPISODES episodes with drawn actions after each of looks frames, and at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        every = looks[0] if looks else 0
        sides.output(launch.command("a3c", [*settings.ours(frames, settings.anneal), "--block", 1000, "--eval-every",
                                            every, "--eval-episodes", EPISODES, "--seed", seed, "--run-dir",
                                            f"{name}/run"], 1))
        found = tenfold_h5.read_run(f"{name}/run").get("eval/return")
        at = lambda frames: float(found.value[min(int((found.step < frames).sum()), len(found) - 1)])
        return [at(look) for look in looks] if looks else [float(found.value[-1])]


def rate(settings):
    """Frames per CPU second, all in but evaluations."""
    args = settings.ours(0, False)[:-2]
    return (1_000_000 - sides.SHORT) / (sides.app_cpu(args, 1_000_000) - sides.app_cpu(args, sides.SHORT))


def measure(settings, seed):
    """Returns of both at LOOKS, CPU seconds of both, return of ours after SB3's first CPU seconds."""
    theirs = sides.peer(peer="sb3-a2c", frames=LOOKS[-1], envs=ENVS, t_max=STEPS, seed=seed, look_at=LOOKS,
                        **settings.theirs())["looks"]
    speed = rate(settings)
    budget = int(theirs[0][1] * speed)
    return {"theirs": [look[2] for look in theirs], "their cpu": [look[1] for look in theirs],
            "ours": ours(settings, LOOKS[-1], seed, LOOKS), "our cpu": [look / speed for look in LOOKS],
            "budget": budget, "ours in time": ours(settings, budget, seed, [])[0]}


def table_rows(settings, found):
    rows = []
    for i, look in enumerate(LOOKS):
        for seed, each in enumerate(found, 1):
            rows.append([settings.name, str(look), str(seed), f"{each['ours'][i]:.0f}", f"{each['theirs'][i]:.0f}",
                         f"{each['our cpu'][i]:.3f}", f"{each['their cpu'][i]:.1f}"])
        mean = lambda key: statistics.mean(each[key][i] for each in found)
        rows.append([settings.name, str(look), "mean", f"**{mean('ours'):.0f}**", f"**{mean('theirs'):.0f}**",
                     f"{mean('our cpu'):.3f}", f"{mean('their cpu'):.1f}"])
    return rows


def verdicts(settings, found):
    last = {side: [each[side][-1] for each in found] for side in ("ours", "theirs")}
    mean = {side: statistics.mean(values) for side, values in last.items()}
    error = math.sqrt(sum(statistics.variance(values) / len(values) for values in last.values()))
    yield (mean["theirs"] - mean["ours"] <= error,
           f"{settings.name}: mean return after {LOOKS[-1]} frames not below SB3's by more than the difference's "
           f"standard error of {error:.0f}: {mean['ours']:.0f} beside {mean['theirs']:.0f}")
    ahead = statistics.mean(each["ours in time"] for each in found)
    theirs = statistics.mean(each["theirs"][0] for each in found)
    frames = statistics.median(each["budget"] for each in found)
    yield (ahead > theirs,
           f"{settings.name}: in the CPU seconds that SB3 takes for {LOOKS[0]} frames, ours makes {frames / 1e6:.1f} "
           f"million and has a mean return of {ahead:.0f} (each seed: "
           f"{', '.join(format(each['ours in time'], '.0f') for each in found)}) beside {theirs:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=pathlib.Path, help="folder to keep measurements in, and to go on from")
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    rows, lines, good = [], [], True
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        folder = options.keep or pathlib.Path(name)
        folder.mkdir(exist_ok=True)
        for settings in CASES:
            found = [sides.kept(folder, f"{settings.name} {seed}", lambda: measure(settings, seed))
                     for seed in range(1, options.seeds + 1)]
            rows += table_rows(settings, found)
            for holds, line in verdicts(settings, found):
                lines.append(f"- {'pass' if holds else '**FAIL**'}: {line}")
                good &= holds
    text = f"""## A2C beside Stable-Baselines3's on CartPole

{results.provenance(sides.command("bench_a3c_peers"),
                    peers.version("stable-baselines3"), app="a3c")}
{chr(10).join(lines)}

One process, {ENVS} environments, {STEPS} steps an update, 4-128-(2 + 1) with one trunk, ReLU, uniform +-1/sqrt(fan in),
gamma 0.99, lambda 1, value weight 0.5, RMSProp with epsilon inside the root (SB3's RMSpropTFLike), time limits
bootstrapped. SB3's defaults: 7e-4, epsilon 1e-5, norm 0.5, no entropy; our preset's: 3e-3 to 0, epsilon 0.01 and norm
40 of a sum, entropy 0.01, rewards times 0.01. SB3's squares are made to begin with 0 as ours do (its own begin
with 1; its A2C has torch's RMSprop, epsilon outside the root, unless told). Ours plays its own CartPole, theirs
Gymnasium's. Returns: mean of {EPISODES} episodes with drawn actions. CPU seconds:
without start, imports and evaluations; ours from the frames per CPU second of runs of a million frames, measured beside
each seed.

{results.table(["settings", "frames", "seed", "return, ours", "SB3", "CPU s, ours", "SB3"], rows)}
"""
    print(text)
    if options.record:
        results.record("a3c", "bench_a3c_peers", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
