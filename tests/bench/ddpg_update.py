"""DDPG updates per CPU second: both engines beside Python torch, and how far they are from the machine's peak.

    cmake --build build/release --target bench_ddpg_update

One update is critic, actor, two Adam steps and two Polyak averages on one fixed minibatch (observation 17 or
pictures of 64 x 64 x 9, action 6); drawing it is not in it. One rank of 8 shards, one thread each, in turns;
medians. Before timing, all start from the same numbers and must stay together for 20 updates (pixels: 5; there
rounding grows so fast that `fast` and `ordered`, which differ in how 8 sums are added, are 2e-3 apart after 10).
"""
import argparse
import dataclasses
import json
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch

import launch
import results
from torch_ddpg import ACTION, CHANNELS, OBSERVATION, PIXELS, Peer

TOLERANCE = 1e-4  # of the distance moved
# The batch norm behind the next layer takes any constant out: this gradient is 0 but for rounding, which
# Adam blows up to full steps.
WITHOUT_EFFECT = "input_norm.bias"


@dataclasses.dataclass(frozen=True)
class Case:
    widths: tuple[int, ...]
    action_layer: int
    batch: int = 64
    normed: bool = False
    pixels: bool = False

    @property
    def name(self):
        return ("pixels, " if self.pixels else "") + "-".join(map(str, self.widths)) + \
            (", batch norm" if self.normed else "")

    @property
    def checked(self):
        return 5 if self.pixels else 20

    def products(self, output, action_layer):
        """Multiplications and additions of each layer for one row, and the layer's weights."""
        convs, side, channels = [], PIXELS, CHANNELS
        for _ in range(3 if self.pixels else 0):
            side //= 2
            convs.append((side * side * 32 * 9 * channels, 32 * 9 * channels))
            channels = 32
        wide = [side * side * channels if self.pixels else OBSERVATION, *self.widths, output]
        dense = [(wide[i] + (ACTION if i + 1 == action_layer else 0)) * wide[i + 1]
                 for i in range(len(wide) - 1)]
        return convs + [(size, size) for size in dense]

    def flops(self):
        """Of the matrix products of one update; the two halves of a backward pass are counted where
        they are needed: no gradients of inputs that nothing asks for, no gradients of Q's parameters
        in the actor's step."""
        actor = [each for each, _ in self.products(ACTION, 0)]
        critic = [each for each, _ in self.products(1, self.action_layer)]
        above = len(critic) - len(self.widths) - 1 + self.action_layer
        to_action = ACTION * [*self.widths, 1][self.action_layer - 1] + sum(critic[above:])
        forward = 2 * sum(actor) + 3 * sum(critic)
        critic_back = sum(critic) + sum(critic[1:])
        actor_back = to_action + sum(actor) + sum(actor[1:])
        return 2 * self.batch * (forward + critic_back + actor_back)

    def bytes(self):
        """That parameters, their gradients and moments move if every use reads or writes them once: in
        the two (actor) or three (critic) forward passes, the backward pass of each, the gradient, Adam
        (reads parameter, gradient and two moments, writes three), Polyak (reads two, writes one); the
        critic's also in the backward pass of the actor's step."""
        actor = sum(size for _, size in self.products(ACTION, 0))
        critic = sum(size for _, size in self.products(1, self.action_layer))
        return 4 * (actor * (2 + 1 + 1 + 7 + 3) + critic * (3 + 1 + 1 + 7 + 3 + 1))


CASES = [Case((64, 64), 1), Case((64, 64), 2), Case((256, 256), 1, 256), Case((400, 300), 1),
         Case((400, 300), 2), Case((400, 300), 2, normed=True), Case((200, 200), 2, 16, pixels=True)]
# Ours: engine and reduction. `eager` is what LibTorch's operators and autograd reach in C++, with our
# optimizers, on one joint batch.
OURS = {"ordered": ("fused", "ordered"), "fast": ("fused", "fast"), "eager": ("torch", "fast")}


def binary(case, how, updates, *more):
    command = [str(launch.BIN / "ddpg_update_bench"), "x".join(map(str, case.widths)),
               str(case.action_layer), "paper" if case.normed else "none", str(case.batch),
               "pixels" if case.pixels else "lowdim", *OURS[how], str(updates), *more]
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env=launch.environment()).stdout


def run_ours(case, how):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        binary(case, how, case.checked, file.name)
        return json.load(file)


def difference(case):
    """How far the others end from the fused engine, over how far that moved, a few updates from one start."""
    ours = run_ours(case, "ordered")
    ends = [run_ours(case, "eager")["end"]]
    for tuned in (False, True):
        peer = Peer(case, tuned, ours["start"], ours["batch"])
        for _ in range(case.checked):
            peer.update()
        ends.append({net: getattr(peer, net).flat() for net in ("actor", "critic")})
    worst = 0.0
    for other in ends:
        for net, theirs in other.items():
            names = [name for name in theirs if name != WITHOUT_EFFECT]
            join = lambda values: np.concatenate([np.asarray(values[name]) for name in names])
            start, end = join(ours["start"][net]), join(ours["end"][net])
            moved = np.linalg.norm(end - start)
            worst = max(worst, float(np.linalg.norm(join(theirs) - end) / moved))
    return worst


def peer_rate(peer, seconds):
    """Updates per CPU second, over at least that many seconds."""
    for _ in range(10):
        peer.update()
    count, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        peer.update()
        count += 1
    return count / (time.process_time() - begin)


def peak_gflops():
    """What one core reaches on a large single-precision product."""
    a = torch.rand(1024, 1024)
    best = 0.0
    for _ in range(5):
        begin = time.process_time()
        torch.mm(a, a)
        best = max(best, 2 * 1024**3 / (time.process_time() - begin) / 1e9)
    return best


def stream_gbytes():
    """What one core moves adding two arrays that no cache holds: two reads and a write."""
    a, b, c = (torch.ones(16 * 1024 * 1024) for _ in range(3))
    best = 0.0
    for _ in range(5):
        begin = time.process_time()
        torch.add(a, b, out=c)
        best = max(best, 3 * 4 * a.numel() / (time.process_time() - begin) / 1e9)
    return best


def measure(case, rounds, seconds):
    peers = {"torch": Peer(case, False), "torch tuned": Peer(case, True)}
    updates = max(5, int(seconds * float(binary(case, "ordered", 5))))
    rates = {name: [] for name in (*OURS, *peers, "peak", "stream")}
    for _ in range(rounds):
        for how in OURS:
            rates[how].append(float(binary(case, how, updates)))
        for name, peer in peers.items():
            rates[name].append(peer_rate(peer, seconds))
        rates["peak"].append(peak_gflops())
        rates["stream"].append(stream_gbytes())
    return {name: statistics.median(values) for name, values in rates.items()}


def floor(case, rate):
    """Updates per second that neither the products nor the parameters' traffic allow to exceed."""
    return min(1e9 * rate["peak"] / case.flops(), 1e9 * rate["stream"] / case.bytes())


def row(case, rate, apart):
    share = lambda name: f"{100 * rate[name] / floor(case, rate):.0f}%"
    ratio = lambda ours, peer: f"{rate[ours] / rate[peer]:.2f}"
    shown = lambda value: f"{value:.0f}" if value >= 100 else f"{value:.1f}"
    return [case.name, str(case.action_layer), str(case.batch),
            *(shown(rate[n]) for n in ("ordered", "fast", "eager", "torch", "torch tuned")),
            ratio("ordered", "torch"), ratio("fast", "torch"), ratio("fast", "torch tuned"),
            ratio("ordered", "eager"), ratio("fast", "eager"),
            f"{case.flops() / 1e6:.2f}", f"{case.bytes() / 1e6:.2f}", shown(floor(case, rate)),
            share("ordered"), share("fast"), share("eager"), f"{apart:.0e}"]


HEAD = ["nets", "action at layer", "batch", "ordered", "fast", "eager", "torch", "torch tuned", "ordered / torch",
        "fast / torch", "fast / tuned", "ordered / eager", "fast / eager", "MFLOP", "MB", "floor",
        "ordered of floor", "fast of floor", "eager of floor", "apart"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, peaks, streams, good = [], [], [], True
    for case in (case for case in CASES if options.only in case.name):
        apart = difference(case)
        good &= apart < TOLERANCE
        rate = measure(case, options.rounds, options.seconds)
        peaks.append(rate["peak"])
        streams.append(rate["stream"])
        rows.append(row(case, rate, apart))
        print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows[-1])), flush=True)
    text = f"""## Updates beside Python torch

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_ddpg_update"],
                    f"peer torch {torch.__version__}")}
- {"pass" if good else "**FAIL**"}: all networks, from one start, 20 updates \
(pixels: 5) later: {max(float(r[-1]) for r in rows):.0e} of the distance moved apart (asked for: {TOLERANCE:g})

Updates per CPU second, one thread, observation 17 (or pictures of {PIXELS} x {PIXELS} x {CHANNELS}), action 6;
medians of {options.rounds} rounds in turns. `ordered` and `fast` are our fused engine (8 shards; `fast` takes
them as one batch); `eager` is our other engine, LibTorch's operators and autograd in C++ with the same flat
optimizers, as one batch; "torch" is Python torch as people write it, "torch tuned" has fused Adam, one Polyak
call for all tensors, no gradients that are thrown away, and pictures channels last. MFLOP: matrix products of
one update. MB: parameters, gradients and moments, each use counted once. Floor: updates per second that the
peak of {statistics.median(peaks):.0f} GFLOP/s (a product of 1024 x 1024) and {statistics.median(streams):.1f} GB/s
(adding arrays of 64 MB) allow on this core, measured in the same run. Our update also measures losses, gradient
norms and saturation, the peer's does not.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "bench_ddpg_update", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
