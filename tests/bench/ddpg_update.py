"""DDPG updates per CPU second: ours beside Python torch, and how far both are from the core's peak.

    cmake --build build/release --target bench_ddpg_update

One update is critic, actor, two Adam steps and two Polyak averages on one fixed minibatch of 64
(observation 17, action 6); drawing it is not in it. One rank of 8 shards, one thread each, in turns;
medians. Before timing, both start from the same numbers and must stay together for 20 updates.
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
from torch_ddpg import ACTION, BATCH, OBSERVATION, Peer

CHECKED = 20
TOLERANCE = 1e-4  # of the distance moved
# The batch norm behind the next layer takes any constant out: this gradient is 0 but for rounding, which
# Adam blows up to full steps.
WITHOUT_EFFECT = "input_norm.bias"


@dataclasses.dataclass(frozen=True)
class Case:
    widths: tuple[int, ...]
    action_layer: int
    normed: bool = False

    @property
    def name(self):
        return "-".join(map(str, self.widths)) + (", batch norm" if self.normed else "")

    def flops(self):
        """Of the matrix products of one update; the two halves of a backward pass are counted where
        they are needed: no gradients of inputs that nothing asks for, no gradients of Q's parameters
        in the actor's step."""
        def layers(output, action_layer):
            wide = [OBSERVATION, *self.widths, output]
            return [(wide[i] + (ACTION if i + 1 == action_layer else 0)) * wide[i + 1]
                    for i in range(len(wide) - 1)]
        actor, critic = layers(ACTION, 0), layers(1, self.action_layer)
        to_action = ACTION * [*self.widths, 1][self.action_layer - 1] + sum(critic[self.action_layer:])
        forward = 2 * sum(actor) + 3 * sum(critic)
        critic_back = sum(critic) + sum(critic[1:])
        actor_back = to_action + sum(actor) + sum(actor[1:])
        return 2 * BATCH * (forward + critic_back + actor_back)


CASES = [Case((64, 64), 1), Case((64, 64), 2), Case((400, 300), 1), Case((400, 300), 2),
         Case((400, 300), 2, normed=True)]


def binary(case, reduce, updates, *more):
    command = [str(launch.BIN / "ddpg_update_bench"), "x".join(map(str, case.widths)),
               str(case.action_layer), "paper" if case.normed else "none", reduce, str(updates), *more]
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env=launch.environment()).stdout


def difference(case):
    """How far the peer ends from ours, over how far ours moved, in 20 updates from the same start."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        binary(case, "ordered", CHECKED, file.name)
        ours = json.load(file)
    worst = 0.0
    for tuned in (False, True):
        peer = Peer(case.widths, case.action_layer, case.normed, tuned, ours["start"], ours["batch"])
        for _ in range(CHECKED):
            peer.update()
        for net in ("actor", "critic"):
            theirs = getattr(peer, net).flat()
            names = [name for name in theirs if name != WITHOUT_EFFECT]
            join = lambda values: np.concatenate([np.asarray(values[name]) for name in names])
            start, end = join(ours["start"][net]), join(ours["end"][net])
            moved = np.linalg.norm(end - start)
            worst = max(worst, float(np.linalg.norm(join(theirs) - end) / moved))
    return worst


def peer_rate(peer, seconds):
    """Updates per CPU second, over at least that many seconds."""
    for _ in range(20):
        peer.update()
    count, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        for _ in range(20):
            peer.update()
        count += 20
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


def measure(case, rounds, seconds):
    peers = {"torch": Peer(case.widths, case.action_layer, case.normed, False),
             "torch tuned": Peer(case.widths, case.action_layer, case.normed, True)}
    updates = max(50, int(seconds * float(binary(case, "ordered", 50))))
    rates = {name: [] for name in ("ordered", "fast", *peers, "peak")}
    for _ in range(rounds):
        for reduce in ("ordered", "fast"):
            rates[reduce].append(float(binary(case, reduce, updates)))
        for name, peer in peers.items():
            rates[name].append(peer_rate(peer, seconds))
        rates["peak"].append(peak_gflops())
    return {name: statistics.median(values) for name, values in rates.items()}


def row(case, rate, apart):
    share = lambda name: f"{100 * case.flops() * rate[name] / (1e9 * rate['peak']):.0f}%"
    ratio = lambda ours, peer: f"{rate[ours] / rate[peer]:.2f}"
    return [case.name, str(case.action_layer), *(f"{rate[n]:.0f}" for n in ("ordered", "fast", "torch",
            "torch tuned")), ratio("ordered", "torch"), ratio("fast", "torch"),
            ratio("ordered", "torch tuned"), ratio("fast", "torch tuned"),
            f"{case.flops() / 1e6:.2f}", f"{1e9 * rate['peak'] / case.flops():.0f}",
            share("ordered"), share("fast"), share("torch tuned"), f"{apart:.0e}"]


HEAD = ["nets", "action at layer", "ordered", "fast", "torch", "torch tuned", "ordered / torch",
        "fast / torch", "ordered / tuned", "fast / tuned", "MFLOP", "floor", "ordered of peak",
        "fast of peak", "tuned of peak", "apart"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement")
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows, peaks, good = [], [], True
    for case in CASES:
        apart = difference(case)
        good &= apart < TOLERANCE
        rate = measure(case, options.rounds, options.seconds)
        peaks.append(rate["peak"])
        rows.append(row(case, rate, apart))
        print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows[-1])), flush=True)
    text = f"""## Updates beside Python torch

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_ddpg_update"],
                    f"peer torch {torch.__version__}")}
- {"pass" if good else "**FAIL**"}: ours and the peer's networks, from one start, {CHECKED} updates \
later: {max(float(r[-1]) for r in rows):.0e} of the distance moved apart (asked for: {TOLERANCE:g})

Updates per CPU second, one thread, batch 64, observation 17, action 6; medians of {options.rounds} rounds
in turns. `ordered` and `fast` are ours (8 shards; `fast` takes them as one batch); "torch" is Python torch
as people write it, "torch tuned" has fused Adam, one Polyak call for all tensors, and no gradients that are
thrown away. MFLOP: matrix products of one update. Floor: updates per second if they ran at the peak of
{statistics.median(peaks):.0f} GFLOP/s that a product of 1024 x 1024 reaches on this core in the same run. Our
update also measures losses, gradient norms and saturation, the peer's does not.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "bench_ddpg_update", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
