"""Does `tenfold simulate --from` foretell an update on two ranks from one on one rank?

    cmake --build build/release --target bench_prediction

Weak scaling: twice the shards and twice the batch on two ranks, so that each rank computes what the one
rank did. In turns, a round measures alpha, beta and gamma between two ranks (bench_network), a ddpg run on one
rank while another such run keeps the other core as busy as the second rank will, and one on two
ranks; `tenfold simulate` is told the first two and its answer is held against the third.
Every row of perf/update_seconds is one update, of the slowest rank. Of all times a low quantile is taken, the
same on both sides: others use this machine, and ranks that wait for one that was put aside measure that.
"""
import argparse
import csv
import dataclasses
import io
import json
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import numpy as np

import launch
import results
from tenfold_analysis import tenfold_h5

SHARDS = 8  # per rank
ROWS = 8  # of a minibatch per shard
SYNCS = 1  # Agent::update sums its statistics once
WANTED = 0.20
QUANTILE = 0.05  # of times: what an update takes when nobody else is on the cores


@dataclasses.dataclass(frozen=True)
class Case:
    nets: str
    reduce: str
    updates: int

    def arguments(self, ranks, run_dir):
        shards = SHARDS * ranks
        return shlex.split(
            f"--task cartpole_swingup --actor-net {self.nets} --critic-net {self.nets} --reduce {self.reduce} "
            f"--virtual-shards {shards} --batch {ROWS * shards} --updates-per-step {1 / shards} "
            f"--start-steps {50 * shards} --total-steps {(50 + self.updates) * shards} --metrics-every {shards} "
            f"--replay 20000 --eval-every 0 --eval-episodes 1 --threads 1 --checkpoint-every 100000000 "
            f"--check-replicas-every 0 --run-dir {run_dir}")


CASES = [Case("64x64", "ordered", 1000), Case("64x64", "fast", 1000), Case("400x300", "ordered", 200),
         Case("400x300", "fast", 200)]


def network():
    """alpha, s, beta and gamma, s per byte, between two ranks of this machine."""
    done = launch.run("bench_network", ["--json", "--quantile", QUANTILE], 2, timeout=120)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    return found["alpha"], found["beta"], found["gamma"]


def run_beside(case, ranks, run_dirs):
    """Runs that share the machine, one per folder."""
    jobs = [launch.start("ddpg", case.arguments(ranks, run_dir), ranks) for run_dir in run_dirs]
    for job in jobs:
        done = launch.finish(job, timeout=600)
        assert done.code == 0, done.err


def update_seconds(run_dir):
    """Undisturbed and in the median."""
    times = tenfold_h5.read_run(run_dir).get("perf/update_seconds").value
    return float(np.quantile(times, QUANTILE)), float(np.median(times))


def predicted(run_dir, alpha, beta, gamma):
    """Seconds of an update on two ranks, as the tool says."""
    done = subprocess.run([launch.BIN / "tenfold", "simulate", "--from", run_dir, "--net", f"{alpha},{beta},{gamma}",
                           "--ranks", "2", "--syncs", str(SYNCS), "--quantile", str(QUANTILE), "--csv"],
                          check=True, capture_output=True, text=True, env=launch.environment())
    return float(next(csv.DictReader(io.StringIO(done.stdout)))["step_seconds"])


def measure(case, rounds, folder):
    found = []
    for _ in range(rounds):
        alpha, beta, gamma = network()
        run_beside(case, 1, [folder / "one", folder / "beside"])
        one, one_median = update_seconds(folder / "one")
        guess = predicted(folder / "one", alpha, beta, gamma)
        run_beside(case, 2, [folder / "two"])
        two, two_median = update_seconds(folder / "two")
        found.append((one, guess, two, alpha, beta, gamma, one_median, two_median))
        for run in folder.iterdir():
            shutil.rmtree(run)
    return [statistics.median(column) for column in zip(*found)], [guess / two - 1 for _, guess, two, *_ in found]


HEAD = ["nets", "reduce", "1 rank ms", "alpha us", "GB/s", "adding GB/s", "predicted ms", "2 ranks ms", "off",
        "rounds from", "to", "median 1 rank", "median 2 ranks"]


def row(case, medians, errors):
    one, guess, two, alpha, beta, gamma, one_median, two_median = medians
    return [case.nets, case.reduce, f"{1e3 * one:.3f}", f"{1e6 * alpha:.2f}", f"{1e-9 / beta:.2f}",
            f"{1e-9 / gamma:.2f}",
            f"{1e3 * guess:.3f}", f"{1e3 * two:.3f}", f"{100 * (guess / two - 1):+.0f}%",
            f"{100 * min(errors):+.0f}%", f"{100 * max(errors):+.0f}%",
            f"{1e3 * one_median:.3f}", f"{1e3 * two_median:.3f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="write docs/results/trust.md")
    options = parser.parse_args()
    (launch.SOURCE / "runs").mkdir(exist_ok=True)
    rows, off = [], []
    with tempfile.TemporaryDirectory(prefix="bench-prediction-", dir=launch.SOURCE / "runs") as folder:
        for case in CASES:
            medians, errors = measure(case, options.rounds, pathlib.Path(folder))
            off.append(abs(medians[1] / medians[2] - 1))
            rows.append(row(case, medians, errors))
            print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows[-1])), flush=True)
    within = sum(each <= WANTED for each in off)
    text = f"""## An update on two ranks, foretold from one

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_prediction"])}
- {"pass" if within == len(off) else "**FAIL**"}: {within} of {len(off)} predictions within {100 * WANTED:.0f} % \
(worst {100 * max(off):.0f} %)

`tenfold simulate --from RUN1 --net ALPHA,BETA,GAMMA` against `ddpg` on two ranks with twice the shards and the batch
(weak scaling: {SHARDS} shards of {ROWS} rows per rank, one thread each); beside RUN1 a second run of its kind keeps
the other core busy, for two cores of one chip slow each other down. Alpha and beta are of messages between
the two ranks, gamma of adding floats on both (`bench_network`). Of all times the
{100 * QUANTILE:.0f} % quantile, what an update takes when nobody else is on the cores; medians over {options.rounds}
rounds in turns. A row of two ranks is the slower one. Off:
predicted over measured. The last columns are the medians of the same updates: two ranks on two cores that others
use wait for each other, which no latency or rate tells.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("trust", "bench_prediction", text)
    return 0 if within == len(off) else 1


if __name__ == "__main__":
    sys.exit(main())
