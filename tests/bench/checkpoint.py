"""What a checkpoint costs: bytes, how long training stands still, how long until it is safe.

    cmake --build build/release --target bench_checkpoint

A ddpg run fills its replay memory with random actions and writes checkpoints; those with a full memory
count. With --checkpoint-background the run stands still for a copy of its state, without for all of it. In
turns with the runs, this script copies as many bytes in memory, writes as many to a file beside the run and
syncs it, and hashes as many with SHA-256: no checkpoint that is on the disk and digested takes less than the
last two. Ours also digests every data set, commits by renames that are synced, and reads the file back
before older ones go.
"""
import argparse
import dataclasses
import hashlib
import os
import pathlib
import shlex
import shutil
import statistics
import sys
import tempfile
import time

import launch
import results
from tenfold_analysis import tenfold_h5

PER_RUN = 4  # checkpoints that count


@dataclasses.dataclass(frozen=True)
class Case:
    net: str
    transitions: int
    ranks: int

    def command(self, run_dir, background):
        total, every = 2 * self.transitions, self.transitions // PER_RUN
        return shlex.split(
            f"--task cartpole_swingup --actor-net {self.net} --critic-net {self.net} --replay {self.transitions} "
            f"--total-steps {total} --start-steps {total} --envs-per-shard 64 --checkpoint-every {every} "
            f"--checkpoint-background {background} --keep-last 1 --eval-every 0 --metrics-every {every} "
            f"--threads 1 --run-dir {run_dir}")


CASES = [Case("64x64", 100_000, 1), Case("64x64", 100_000, 2), Case("400x300", 100_000, 2),
         Case("64x64", 1_000_000, 2)]


def costs(case, run_dir, background, metric):
    """Bytes of a checkpoint, and the metric of each that holds a full memory. The last is left out: a
    run that ends waits for it in either mode."""
    result = launch.run("ddpg", case.command(run_dir, background), case.ranks, timeout=900)
    assert result.code == 0, result.err
    run = tenfold_h5.read_run(run_dir)
    series = run.get(metric)
    counts = (series.step >= case.transitions) & (series.step < 2 * case.transitions)
    shutil.rmtree(run_dir)
    return int(run.get("checkpoint/bytes").value[-1]), list(series.value[counts])


def timed(body):
    begin = time.monotonic()
    body()
    return time.monotonic() - begin


def write_and_sync(path, data):
    with open(path, "wb", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())


def measure(case, rounds, folder):
    """Size and, by name, seconds of everything that is compared."""
    seconds = {name: [] for name in ("stall", "whole", "copy", "disk", "SHA-256")}
    for _ in range(rounds):
        size, found = costs(case, folder / "run", "true", "checkpoint/stall_seconds")
        seconds["stall"] += found
        seconds["whole"] += costs(case, folder / "run", "false", "checkpoint/stall_seconds")[1]
        data = os.urandom(size)
        for _ in range(PER_RUN):
            seconds["copy"].append(timed(lambda: bytearray(data)))
            seconds["disk"].append(timed(lambda: write_and_sync(folder / "disk", data)))
            seconds["SHA-256"].append(timed(lambda: hashlib.sha256(data).digest()))
    return size, seconds


HEAD = ["nets", "transitions", "ranks", "MB", "stall ms", "slowest", "copy ms", "stall / copy", "whole ms", "slowest",
        "MB/s", "disk ms", "slowest", "SHA-256 ms", "whole / (disk + SHA-256)"]


def row(case, size, seconds):
    median = {name: statistics.median(values) for name, values in seconds.items()}
    ms = lambda value: f"{1e3 * value:.1f}"
    return [case.net, f"{case.transitions:,}", str(case.ranks), f"{size / 1e6:.1f}",
            ms(median["stall"]), ms(max(seconds["stall"])), ms(median["copy"]),
            f"{median['stall'] / median['copy']:.1f}", ms(median["whole"]), ms(max(seconds["whole"])),
            f"{size / 1e6 / median['whole']:.0f}", ms(median["disk"]), ms(max(seconds["disk"])),
            ms(median["SHA-256"]), f"{median['whole'] / (median['disk'] + median['SHA-256']):.1f}"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--record", action="store_true", help="write docs/results/ddpg.md")
    options = parser.parse_args()
    (launch.SOURCE / "runs").mkdir(exist_ok=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="bench-checkpoint-", dir=launch.SOURCE / "runs") as folder:
        for case in CASES:
            rows.append(row(case, *measure(case, options.rounds, pathlib.Path(folder))))
            print("  ".join(f"{head} {value}" for head, value in zip(HEAD, rows[-1])), flush=True)
    text = f"""## What a checkpoint costs

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_checkpoint"])}

Runs on the cart-pole with the replay memory full. Stall: how long the loop stands still for a checkpoint that a
thread writes behind it; copy: as many bytes copied in memory. Whole: the same with `--checkpoint-background
false`, from the first digest to the removal of the older one. Disk: one write and fsync of as many bytes to a
file beside it; SHA-256: one hash of them. In turns, medians of {options.rounds} rounds of {PER_RUN} each. Wall time, on
whatever else the machine was doing; what the writing thread takes from the loop while it runs is not in it.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "bench_checkpoint", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
