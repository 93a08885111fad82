"""Frames per CPU second of a network that acts and learns: our two engines beside LibTorch's modules.

    cmake --build build/release --target bench_rollout

One environment: a forward pass of one row for every frame, a backward pass for every 5. No environment, no
loss, no optimizer. One thread, in turns in one run; medians.
"""
import argparse
import json
import statistics
import subprocess
import sys

import launch
import results

STEPS = 5
CASES = {"cartpole": "4-128-3", "sparse": "144 (7% ones)-64-4", "conv10": "10x10x4 (7% ones): 16@3x3, 128-4",
         "dqn13": "84x84x4 bytes: 16@8x8/4, 32@4x4/2, 256-5", "dqn13-lstm": "the same, LSTM 256 before the 5"}
WHO = ["fused", "torch", "eager", "bytes", "peak"]


def run(binary, case, who, seconds):
    return json.loads(subprocess.run([binary, case, who, str(seconds)], check=True, capture_output=True, text=True,
                                     env=launch.environment()).stdout)


def measure(binary, case, rounds, seconds):
    rates = {who: [] for who in WHO}
    for _ in range(rounds):
        for who in WHO:
            rates[who].append(run(binary, case, who, seconds))
    return {who: statistics.median(values) for who, values in rates.items()}


def flops(shape):
    """Of one frame: forward, and a fifth of the gradients of 5 rows; none of the observation's gradient."""
    return 2 * (3 * shape["products"] - shape["lowest"])


def row(case, shape, rate):
    floor = min(1e9 * rate["peak"] / flops(shape), rate["bytes"])
    shown = lambda value: f"{value:,.0f}".replace(",", " ")
    return [CASES[case], shown(shape["parameters"]), f"{flops(shape) / 1e6:.3f}",
            *(shown(rate[who]) for who in ("fused", "torch", "eager")), f"{1e6 / rate['fused']:.2f}",
            f"{rate['fused'] / rate['torch']:.1f}", f"{rate['fused'] / rate['eager']:.1f}",
            f"{rate['torch'] / rate['eager']:.2f}", shown(1e9 * rate["peak"] / flops(shape)), shown(rate["bytes"]),
            f"{100 * rate['fused'] / floor:.0f}%"]


HEAD = ["net", "parameters", "MFLOP", "fused", "torch", "eager", "fused: us a frame", "fused / torch", "fused / eager",
        "torch / eager", "arithmetic's floor", "bytes' floor", "fused of the nearer floor"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each measurement")
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    rows, peaks = [], []
    for case in CASES:
        rate = measure(options.binary, case, options.rounds, options.seconds)
        peaks.append(rate["peak"])
        rows.append(row(case, run(options.binary, case, "describe", 0), rate))
        print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows[-1])), flush=True)
    text = f"""## Networks that act and learn: frames per CPU second

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_rollout"])}

One environment, one thread: a forward pass of one row for each frame and a backward pass for every {STEPS}, without
environment, loss and optimizer; medians of {options.rounds} rounds in turns. `fused` and `torch` are our engines;
`eager` is `torch::nn` modules in C++ as people write them (its loss, a sum of products with fixed numbers, included).
MFLOP: of the matrix products of one frame, zeros counted. Floors, in frames per CPU second: what the products take at
{statistics.median(peaks):.0f} GFLOP/s (a product of 1024 x 1024, the same run), and what it takes to read the parameters
for each frame and once for the gradient, and to write that. The fused engine passes over inputs that are zero, which
after a ReLU is about every other one, and does not read their weights: it may be faster than a floor.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("a3c", "bench_rollout", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
