"""Simulations per CPU second of the tree search's arithmetic, beside mctx on the CPU.

    cmake --build build/ci --target bench_search

The expander, mctx's model, costs next to nothing: what is measured is selection, making nodes and backup.
"""

import argparse
import datetime
import json
import os
import pathlib
import shlex
import statistics
import subprocess
import sys

import peers
import results

FLOOR = 10  # times mctx's simulations per CPU second
SIDES = [(64, 128, 4), (64, 128, 16), (16, 256, 16), (1, 128, 16)]  # trees, simulations, children
OURS = [("paper's: K=5, 3 children", 20_000, 5, 3), ("K=64, 5 children", 2_000, 64, 5), ("K=64, 2 children", 5_000, 64, 2)]


def asked(*command):
    run = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def ours(binary, trees, simulations, children, in_flight, mode):
    return asked(binary, trees, simulations, children, in_flight, mode)


def theirs(trees, simulations, children):
    rounds = max(1, 20_000 // (trees * simulations))
    return asked(peers.python("mctx"), pathlib.Path(__file__).with_name("mctx_search.py"), trees, simulations, children,
                 rounds)


def beside_rows(binary, rounds):
    rows, ratios = [], []
    for trees, simulations, children in SIDES:
        many = max(64, 400_000 // simulations)
        found = [(ours(binary, many, simulations, children, trees, "new"), theirs(trees, simulations, children))
                 for _ in range(rounds)]
        ratio = [mine["simulations_per_s"] / other["simulations_per_s"] for mine, other in found]
        ratios.append(min(ratio))
        middle = [statistics.median(pair[side]["simulations_per_s"] for pair in found) for side in (0, 1)]
        held = [found[0][side]["bytes_per_node"] for side in (0, 1)]
        rows.append([f"{trees} x {simulations} x {children}", f"{middle[0] / 1e3:.0f}", f"{middle[1] / 1e3:.1f}",
                     f"{statistics.median(ratio):.0f} ({min(ratio):.0f}-{max(ratio):.0f})", f"{held[0]:.0f}",
                     f"{held[1]:.0f}"])
        print("  ".join(rows[-1]), flush=True)
    return rows, min(ratios)


def alone_rows(binary, rounds):
    rows = []
    for name, trees, simulations, children in OURS:
        found = [ours(binary, trees, simulations, children, 64, "terminal") for _ in range(rounds)]
        middle = {key: statistics.median(each[key] for each in found) for key in found[0]}
        rows.append([name, f"{middle['simulations_per_s'] / 1e3:.0f}", f"{middle['children_per_s'] / 1e3:.0f}",
                     f"{middle['nodes_per_tree']:.0f}", f"{middle['bytes_per_node']:.0f}"])
        print("  ".join(rows[-1]), flush=True)
    return rows


def head():
    commit = results.text_output(["git", "rev-parse", "--short=12", "HEAD"])
    dirty = "-dirty" if results.text_output(["git", "status", "--porcelain", "src"]) else ""
    now = datetime.datetime.now(datetime.timezone.utc)
    command = ["cmake", "--build", "build/ci", "--target", "bench_search"]
    return (f"- Command: `{shlex.join(command)}`\n- Commit {commit}{dirty}, {now:%Y-%m-%d %H:%M} UTC\n"
            f"- Machine: {results.machine()}; load {os.getloadavg()[1]:.1f} over the last 5 minutes\n"
            f"- Versions: {peers.version('mctx', 'mctx')}; {peers.version('jax', 'mctx')}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", action="store_true", help="write docs/results/search.md")
    options = parser.parse_args()
    beside, least = beside_rows(options.bench, options.rounds)
    alone = alone_rows(options.bench, options.rounds)
    good = least >= FLOOR
    text = f"""## Tree search: simulations per CPU second

{head()}
- {"pass" if good else "**FAIL**"}: at least {FLOOR} times mctx's simulations per CPU second in every round: {least:.0f}

One core; an expansion costs next to nothing. Medians of {options.rounds} rounds in turns, ratios with their range.

Beside mctx (`muzero_policy`, compiled before the clock starts): trees in the batch or in flight x simulations x
children. An iteration ends at a new node. mctx calls its model once a simulation; ours asks for all children of a node
when it is visited the second time, which is about half as often. mctx is made for accelerators and keeps float32 arrays of
fixed size, ours keeps doubles, tokens and a node for every child: bytes are per child, reserved memory included.

{results.table(["trees x simulations x children", "ours (k/s)", "mctx (k/s)", "times", "bytes a child, ours", "mctx"],
               beside)}

The search as `mcts_dpo` uses it (no peer does this): iterations go down to depth 4 or a terminal, a step is committed to
after K of them, 64 trees in flight.

{results.table(["settings", "iterations/s (k)", "children/s (k)", "nodes a tree", "bytes a node"], alone)}
"""
    print(text)
    if options.record:
        results.record("search", "bench_search", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
