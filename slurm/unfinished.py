"""Which runs of a sweep have not finished, one a line with their state: python unfinished.py SWEEP.

SWEEP is what jobs/submit wrote; the runs lie beside it. Wants analysis/ on PYTHONPATH.
Exit codes: 0 all have finished, 2 usage, 3 some have not."""

import pathlib
import sys

from tenfold_analysis.tenfold_h5 import NotARun, read_run


def state(run: pathlib.Path) -> str:
    try:
        return read_run(run).state
    except NotARun as reason:
        return f"not a run: {reason}"


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    sweep = pathlib.Path(arguments[0])
    names = [line.split("\t")[0] for line in sweep.read_text().splitlines()]
    states = {name: state(sweep.parent / name) for name in names}
    left = {name: how for name, how in states.items() if how != "finished"}
    print(f"{len(names) - len(left)} of {len(names)} runs have finished")
    for name, how in left.items():
        print(f"  {name}: {how}")
    return 3 if left else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
