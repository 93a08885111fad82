"""A3C's frames per CPU second on CartPole, acting and updating, beside eager LibTorch and Python's peers.

    cmake --build build/release --target bench_a3c_speed

The paper's shape: 4-128-(2 + 1), updates after 5 frames, one thread, one environment unless said. All sides in turns,
medians of the rounds. CPU seconds leave out start and imports.
"""
import argparse
import statistics
import sys

import a3c_sides as sides
import peers
import results

EAGER_TARGET, PEER_TARGET = 50, 5
OURS = "ours"
EAGER = {"LibTorch eager, C++, RMSProp by hand": "written", "LibTorch eager, C++, torch::optim::RMSprop": "torch"}


def cases(scale):
    """name -> (environments, what measures it)."""
    frames = lambda count: int(count * scale)
    app = lambda *args, count: lambda: sides.app_rate(["--preset", "cartpole", *args], frames(count))
    found = {OURS: (1, app(count=2_000_000)),
             "ours, --engine torch": (1, app("--engine", "torch", count=20_000)),
             "ours, sync, 1 actor of 8": (8, app("--update", "sync", "--virtual-shards", "1", "--envs-per-actor", "8",
                                                 count=2_000_000)),
             "ours, sync, 1 actor of 64": (64, app("--update", "sync", "--virtual-shards", "1", "--envs-per-actor",
                                                   "64", count=2_000_000))}
    for name, optimizer in EAGER.items():
        found[name] = (1, lambda optimizer=optimizer: sides.eager(optimizer, frames(8000)))
    for name, spec in {"PFRL A3C": {"peer": "pfrl-a3c", "frames": 3000},
                       "SB3 A2C": {"peer": "sb3-a2c", "frames": 3000},
                       "SB3 A2C, 8 environments": {"peer": "sb3-a2c", "frames": 20_000, "envs": 8},
                       "SB3 A2C, 64 environments": {"peer": "sb3-a2c", "frames": 96_000, "envs": 64},
                       "SB3 DQN": {"peer": "sb3-dqn", "frames": 4000}}.items():
        count = frames(spec["frames"])
        spec = {**spec, "frames": count, "warm_up": count // 10}
        found[name] = (spec.get("envs", 1), lambda spec=spec: sides.peer_rate(**spec))
    return found


def measure(rounds, scale):
    """{name: [frames per CPU second of each round]}, and the parts and the peak of each round."""
    rates, parts, peaks = {}, [], []
    for _ in range(rounds):
        for name, (_, once) in cases(scale).items():
            rates.setdefault(name, []).append(once())
            print(f"{name}: {rates[name][-1]:.0f}", flush=True)
        parts.append(sides.parts("classic_cartpole"))
        peaks.append(sides.peak_gflops())
    return rates, {key: statistics.median(each[key] for each in parts) for key in parts[0]}, max(peaks)


def flops_per_frame():
    """Of the products: six forward passes for five frames, and a backward pass whose first layer sends nothing down."""
    first, second = 4 * 128, 128 * 3
    return 2 * ((first + second) * 6 / 5 + (first + second) + second)


def verdict(name, ratio, target):
    return f"- {'pass' if ratio >= target else '**FAIL**'}: {ratio:.1f} times {name} (asked for: {target})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of frames")
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    rates, parts, peak = measure(options.rounds, options.scale)
    rate = {name: statistics.median(values) for name, values in rates.items()}
    eager = max(EAGER, key=rate.get)
    rivals = [name for name in rate if name not in EAGER and not name.startswith(OURS)]
    alone = max((name for name in rivals if cases(1)[name][0] == 1), key=rate.get)
    fastest = max(rivals, key=rate.get)
    same = f"ours, sync, 1 actor of {cases(1)[fastest][0]}"
    ratio = rate[OURS] / rate[eager], rate[OURS] / rate[fastest]
    lines = [verdict(f"the faster eager LibTorch ({eager})", ratio[0], EAGER_TARGET),
             verdict(f"the fastest peer in any setting ({fastest}; ours with one environment)", ratio[1], PEER_TARGET),
             f"- {rate[OURS] / rate[alone]:.0f} times the fastest peer with one environment ({alone})"]
    if same in rate:
        lines.append(f"- {rate[same] / rate[fastest]:.1f} times {fastest} with as many of ours, one batch")
    rows = [[name, str(cases(1)[name][0]), f"{rate[name]:.0f}", f"{min(rates[name]):.0f}", f"{max(rates[name]):.0f}",
             f"{rate[OURS] / rate[name]:.1f}"] for name in rate]
    floor = flops_per_frame() / peak + parts["env"]
    split = ", ".join(f"{name} {100 * share:.0f}%" for name, share in sides.shares(parts).items())
    text = f"""## A3C's frames per CPU second on CartPole

{results.provenance(sides.command("bench_a3c_speed"),
                    f"{peers.version('stable-baselines3')}; {peers.version('pfrl')}", app="a3c")}
{chr(10).join(lines)}

4-128-(2 + 1), an update after every 5 frames of each environment, one thread; medians of {options.rounds} rounds, all
sides in turns. CPU seconds are user and system time, without start and imports: of ours the difference between a long
run of the application and one of {sides.SHORT} frames, with its metrics and meetings of ranks; of the others the
process's clock after the first tenth. Ours, PFRL's and eager LibTorch have shared RMSProp's arithmetic (torch's own
RMSprop where said), the same rate, entropy, clip and reward scale. Eager LibTorch plays our CartPole, and acts with the
parameters that it updates, where A3C, ours and PFRL's, copies them for every rollout. Python's play Gymnasium's. SB3's
DQN has its defaults (an update of 32 drawn frames after every 4). CleanRL cannot be installed: its releases ask for
Python < 3.11.

{results.table(["", "environments", "frames / CPU s", "least", "most", "ours / it"], rows)}

Where ours goes, measured part by part: {parts["whole"]:.0f} ns a frame, of which {split}. (network: the forward passes
of a rollout and of its bootstrap and the backward pass; update: copy of the parameters, gradient norm, shared RMSProp;
rest: drawing actions, their probabilities, returns, bookkeeping.) Floor: {flops_per_frame():.0f} FLOP a frame at this
core's {peak:.0f} GFLOP/s (a product of 1024 x 1024) and the environment: {floor:.0f} ns,
{100 * floor / parts["whole"]:.0f}% of what ours takes; it leaves out the root and quotient of each of
{parts["parameters"]:.0f} parameters, softmax and draws, and one row at a time does not fill a core's vector units as
that product does.
"""
    print(text)
    if options.record:
        results.record("a3c", "bench_a3c_speed", text)
    return 0 if ratio[0] >= EAGER_TARGET and ratio[1] >= PEER_TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
