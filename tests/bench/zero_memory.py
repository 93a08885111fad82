"""What ZeRO-1 saves: the largest rank's peak memory with and without, beside the formula.

    cmake --build build/release --target bench_zero_memory

Two nets of 2048x2048 (P parameters together), one virtual shard per rank, one update and one checkpoint
(`ddpg --dry-run`). Without ZeRO-1 a rank holds 12 P bytes of Adam's moments and summed gradient, with it
12 P / n: the difference is what is compared.
"""
import argparse
import re
import shlex
import sys

import launch
import results

NET = "2048x2048"
ARGS = (f"--dry-run true --task pendulum --actor-net {NET} --critic-net {NET} --replay 1000 --start-steps 0 "
        "--eval-episodes 1 --threads 1")
# 3 -> 2048 -> 2048 -> 1, and 4 -> 2048 -> 2048 -> 1: weights and biases, each to a multiple of 16.
PARAMETERS = sum((inputs * 2048 + 2048) + (2048 * 2048 + 2048) + (2048 + 16) for inputs in (3, 4))


def largest_rank(ranks, zero):
    """MB, as the dry run prints it."""
    args = shlex.split(f"{ARGS} --virtual-shards {ranks} --batch {ranks} --zero {zero}")
    result = launch.run("ddpg", args, ranks, timeout=300)
    assert result.code == 0, result.err
    value, unit = re.search(r"largest rank ([0-9.]+) (MB|GB)", result.out).groups()
    return float(value) * {"MB": 1, "GB": 1000}[unit]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--record", action="store_true", help="write docs/results/trust.md")
    options = parser.parse_args()
    rows = []
    for ranks in (2, 4):
        without, shared = largest_rank(ranks, 0), largest_rank(ranks, 1)
        formula = 12 * PARAMETERS * (1 - 1 / ranks) / 1e6
        rows.append([str(ranks), f"{without:.0f}", f"{shared:.0f}", f"{without - shared:.0f}", f"{formula:.0f}",
                     f"{(without - shared) / formula:.2f}"])
    head = ["ranks", "without MB", "with MB", "saved MB", "12 P (1 - 1/n) MB", "saved / formula"]
    text = f"""## Memory of a rank with ZeRO-1

{results.provenance(["cmake", "--build", "build/release", "--target", "bench_zero_memory"])}

Peak resident memory of the largest rank in one update and one checkpoint (`ddpg --dry-run`), two nets of {NET}:
P = {PARAMETERS / 1e6:.2f} million. The state itself is that of the formula to the byte
(`tests/mpi/train_flat_adam_test.cpp`); the peak also holds what exchanges and the checkpoint buffer, which
is more with ZeRO-1 (all ranks then write moments); how much of the rest that is has not been measured apart.

{results.table(head, rows)}
"""
    print(text)
    if options.record:
        print(results.record("trust", "bench_zero_memory", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
