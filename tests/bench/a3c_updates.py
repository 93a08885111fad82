"""How ranks apply gradients: updates per second of each policy, what it loses, how stale gradients are, how it learns.

    cmake --build build/release --target bench_a3c_updates

First a3c_updates_bench under mpirun with 1, 2 and 4 ranks (updates alone, on CartPole's 1040 floats and on a million;
additions of exactly 1), then the application's own runs of `--preset catch`, whose staleness it logs.
"""
import argparse
import json
import math
import pathlib
import statistics
import sys
import tempfile

import a3c_sides as sides
import launch
import results
from tenfold_analysis import tenfold_h5

POLICIES = ["hogwild", "striped", "atomic", "mutex", "rma", "sync"]
LOSSLESS = POLICIES[1:]
RANKS = [1, 2, 4]
SIZES = {"CartPole": 1040, "1 M": 1_000_000}
BINS = ["0", "1", "2", "3-4", "5-8", "9-16", "17-32", "33-64", "65+"]
WORST_SCORE = 0.1  # below the best policy's
CATCH = ["--preset", "catch", "--t-max", "20", "--net", "128"]  # as tests/learning/a3c.py has it for a3c
OWN = {"sync": ["--lr", "0.04"]}  # the mean of 16 gradients, one step where the others take 16


def updates(policy, size, ranks, seconds):
    command = ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", ranks, launch.BIN / "a3c_updates_bench", policy,
               size, seconds]
    return json.loads(sides.output(command))


def medians(found):
    return {key: statistics.median(each[key] for each in found) for key in found[0] if key != "policy"}


def measure(rounds, seconds, folder):
    """{(size's name, ranks, policy): medians of the rounds}."""
    found = {}
    for number in range(rounds):
        for name, size in SIZES.items():
            for ranks in RANKS:
                for policy in POLICIES:
                    each = sides.kept(folder, f"{policy}-{size}-{ranks}-{number}",
                                      lambda: updates(policy, size, ranks, seconds))
                    found.setdefault((name, ranks, policy), []).append(each)
    return {key: medians(values) for key, values in found.items()}


def catch(policy, ranks, seed):
    """Final score of one run and its histogram of staleness as shares."""
    with tempfile.TemporaryDirectory(prefix="bench-updates-") as name:
        sides.output(launch.command("a3c", [*CATCH, *OWN.get(policy, []), "--update", policy, "--eval-every", "0",
                                            "--eval-episodes", "200", "--seed", seed, "--run-dir", f"{name}/run"],
                                    ranks))
        run = tenfold_h5.read_run(f"{name}/run")
    score = float(run.get("eval/return").value[-1])
    series = run.get("async/staleness_histogram")
    if series is None:
        return score, None
    counts = series.value.sum(axis=0)
    return score, (counts / counts.sum()).tolist()


def learn(seeds, folder):
    """{(ranks, policy): ([score of each seed], mean histogram or None)}."""
    found = {}
    for ranks in RANKS:
        for policy in POLICIES:
            runs = [sides.kept(folder, f"catch-{policy}-{ranks}-{seed}", lambda: catch(policy, ranks, seed))
                    for seed in range(1, seeds + 1)]
            shares = None if runs[0][1] is None else [statistics.mean(bins) for bins in
                                                      zip(*(run[1] for run in runs), strict=True)]
            found[ranks, policy] = ([run[0] for run in runs], shares)
    return found


def lost(share):
    return "0" if share == 0 else f"{share:.1e}"


def speed_rows(found):
    rows = []
    for (name, ranks, policy), each in found.items():
        cost = each["cpu"] / each["updates"]
        rows.append([policy, name, str(ranks), f"{1e6 * cost:.3g}", f"{each['floor'] / cost:.2f}",
                     f"{each['updates'] / each['cpu']:.0f}", f"{each['updates'] / each['wall']:.0f}",
                     lost(each["lost"]), lost(each["lost_working"])])
    return rows


def learning_rows(found):
    rows = []
    for (ranks, policy), (scores, shares) in found.items():
        bins = ["-"] * len(BINS) if shares is None else [f"{100 * share:.3g}" for share in shares]
        rows.append([policy, str(ranks), f"{statistics.mean(scores):.3f}", f"{min(scores):.3f}", *bins])
    return rows


def verdicts(found, learned):
    losses = [(name, ranks, policy) for (name, ranks, policy), each in found.items() if policy in LOSSLESS and
              (each["lost"] != 0 or each["lost_working"] != 0)]
    text = "; ".join(f"{policy}, {name}, {ranks} ranks" for name, ranks, policy in losses) or "none did"
    yield not losses, f"striped, atomic, mutex, rma and sync lose no addition: {text}"
    for ranks in RANKS:
        means = {policy: statistics.mean(learned[ranks, policy][0]) for policy in POLICIES}
        for policies, of in ((POLICIES[:-1], "asynchronous policies"), (POLICIES, "all policies, sync too")):
            worst, best = min(policies, key=means.get), max(policies, key=means.get)
            below = means[best] - means[worst]
            error = math.sqrt(sum(statistics.variance(learned[ranks, policy][0]) / len(learned[ranks, policy][0])
                                  for policy in (worst, best)))
            yield below <= WORST_SCORE, (f"{ranks} ranks, {of}: the least final score on catch ({worst}) is "
                                         f"{below:.2f} below the best (asked for: {WORST_SCORE}; standard error of the "
                                         f"difference {error:.2f})")


HEAD = ["policy", "parameters", "ranks", "CPU us / update", "floor / it", "updates / CPU s", "updates / s",
        "lost, adding only", "lost, adding a tenth of the time"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.1, help="of each measurement")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=pathlib.Path, help="folder to keep measurements in, and to go on from")
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-updates-") as name:
        folder = options.keep or pathlib.Path(name)
        folder.mkdir(exist_ok=True)
        found, learned = measure(options.rounds, options.seconds, folder), learn(options.seeds, folder)
    lines, good = [], True
    for holds, text in verdicts(found, learned):
        lines.append(f"- {'pass' if holds else '**FAIL**'}: {text}")
        good &= holds
    floor = statistics.median(each["floor"] for (name, ranks, _), each in found.items() if name == "1 M" and ranks == 1)
    text = f"""## Update policies

{results.provenance(sides.command("bench_a3c_updates"), app="a3c")}
{chr(10).join(lines)}

Updates alone: every rank applies one gradient again and again by shared RMSProp, on 1040 floats (CartPole's network)
and on a million; medians of rounds: {options.rounds}. An update is one gradient; of `sync`, which sums the gradients
of all ranks and then takes one step everywhere, each of the ranks' gradients counts. CPU seconds are of all ranks;
updates a second (wall) are worth little here: this machine has 2 cores, which others used meanwhile. Floor: a pass
over private memory with the same traffic, three arrays read and two written, one multiply-add each: {1e6 * floor:.0f}
us for a million on one rank, {20e-3 / floor:.0f} GB/s, for it lies in the last cache. Lost: share of additions of
exactly 1 (momentum that forgets, a gradient of -1) that are missing at the end; at first ranks do nothing else, then
they work on memory of their own nine tenths of the time, which is nearer to a rollout. With more ranks than cores a
rank meets the others' writes mostly where it is interrupted.

{results.table(HEAD, speed_rows(found))}

`{" ".join(CATCH)}` (600 000 decisions, 16 actors, A3C), {options.seeds} seeds: mean and least score of 200 episodes at
the end (1 is perfect), and how stale gradients were, in per cent of updates: updates by others between reading the
parameters and applying the gradient. One rank is never stale; 4 ranks share 2 cores with others here, so that a rank
that was interrupted applies what is more than 64 updates old. With one rank, asynchronous policies differ in nothing but
how they write: differences between scores of ranks and policies are those of seeds. `sync` takes one step with the mean
of all 16 actors' gradients where the others take 16, so it has a step size of its own, `{" ".join(OWN["sync"])}`, 4 times
the others'. On seeds 101 to 104 this gave 0.98, 0.08 gave 0.60, 0.16 -0.20; with the others' 0.01 it had come to -0.79
(seeds 1 to 3, rollouts of 5, 64 units).

{results.table(["policy", "ranks", "score", "least", *BINS], learning_rows(learned))}
"""
    print(text)
    if options.record:
        results.record("a3c", "bench_a3c_updates", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
