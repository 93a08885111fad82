"""What a checkpoint costs: bytes, and the time that training stands still, beside the disk's own speed.

    cmake --build build/release --target bench_checkpoint

A ddpg run fills its replay memory with random actions and writes checkpoints; those with a full
memory count. In turns with the runs, this script writes as many bytes to a file beside them and syncs it, and
hashes as many with SHA-256: a checkpoint that is on the disk and digested cannot take less than both. Ours also
digests every data set, commits by renames that are synced, and reads the file back before older ones go.
"""
import argparse
import dataclasses
import hashlib
import os
import pathlib
import shlex
import statistics
import sys
import tempfile
import time

import launch
import results
from tenfold_analysis import tenfold_h5


@dataclasses.dataclass(frozen=True)
class Case:
    net: str
    transitions: int
    ranks: int

    def command(self, run_dir):
        total, every = self.transitions * 3 // 2, self.transitions // 10
        return shlex.split(
            f"--task cartpole_swingup --actor-net {self.net} --critic-net {self.net} --replay {self.transitions} "
            f"--total-steps {total} --start-steps {total} --checkpoint-every {every} --keep-last 1 "
            f"--envs-per-shard 8 --eval-every 0 --metrics-every {every} --run-dir {run_dir}")


CASES = [Case("64x64", 100_000, 1), Case("64x64", 100_000, 2), Case("400x300", 100_000, 2),
         Case("64x64", 1_000_000, 2)]


def stalls(case, run_dir):
    """(bytes, seconds) of each checkpoint that holds a full memory."""
    result = launch.run("ddpg", case.command(run_dir), case.ranks, timeout=600)
    assert result.code == 0, result.err
    run = tenfold_h5.read_run(run_dir)
    seconds, size = run.get("checkpoint/seconds"), run.get("checkpoint/bytes")
    full = seconds.step >= case.transitions
    return list(zip(size.value[full], seconds.value[full]))


def write_and_sync(path, data):
    begin = time.monotonic()
    with open(path, "wb", buffering=0) as file:
        file.write(data)
        os.fsync(file.fileno())
    seconds = time.monotonic() - begin
    path.unlink()
    return seconds


def hash_seconds(data):
    begin = time.monotonic()
    hashlib.sha256(data).hexdigest()
    return time.monotonic() - begin


def measure(case, rounds, folder):
    found, disk, digest, data = [], [], [], b""
    for i in range(rounds):
        found += stalls(case, folder / f"{case.net}-{case.transitions}-{case.ranks}-{i}")
        if not data:
            data = os.urandom(int(found[-1][0]))
        for _ in range(3):
            disk.append(write_and_sync(folder / "disk", data))
            digest.append(hash_seconds(data))
    return found, disk, digest


HEAD = ["nets", "transitions", "ranks", "MB", "stall s", "slowest", "MB/s", "disk s", "slowest", "disk MB/s", "SHA-256 s",
        "stall / disk", "stall / (disk + SHA-256)"]


def row(case, found, disk, digest):
    size = found[-1][0] / 1e6
    seconds = [each for _, each in found]
    stall, write, sha = (statistics.median(values) for values in (seconds, disk, digest))
    return [case.net, f"{case.transitions:,}", str(case.ranks), f"{size:.1f}", f"{stall:.3f}", f"{max(seconds):.3f}",
            f"{size / stall:.0f}", f"{write:.3f}", f"{max(disk):.3f}", f"{size / write:.0f}", f"{sha:.3f}",
            f"{stall / write:.1f}", f"{stall / (write + sha):.1f}"]


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

Runs on the cart-pole with the replay memory full. Stall: seconds that the loop stands still for a
checkpoint (`checkpoint/seconds`), from the first digest to the removal of the older one. Disk: one write and
fsync of as many bytes to a file beside it; SHA-256: one hash of them; in turns, medians of {options.rounds} rounds
(6 checkpoints and 3 writes each). Wall seconds, on whatever else the machine was doing.

{results.table(HEAD, rows)}
"""
    print(text)
    if options.record:
        results.record("ddpg", "bench_checkpoint", text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
