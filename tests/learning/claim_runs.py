"""What all learning claims have in common: a seed's run with what it took, and the command line of tests/learning/APP.py."""

import argparse
import pathlib
import time

import launch
import results
from tenfold_analysis import tenfold_h5


def run(outcome, app, arguments, ranks, timeout, read):
    """Fills in outcome.wall and outcome.cpu, and outcome.problem where the run or read() failed."""
    begin, cpu = time.monotonic(), launch.cpu_seconds()
    try:
        result = launch.run(app, arguments, ranks, timeout=timeout)
        outcome.wall, outcome.cpu = time.monotonic() - begin, launch.cpu_seconds() - cpu
        if result.code != 0:
            outcome.problem = f"exit code {result.code}: {' '.join(result.fatal)}".strip(": ")
        else:
            read()
    except (AssertionError, tenfold_h5.NotARun) as error:
        outcome.problem = str(error).splitlines()[0]
    return outcome


def main(app, claims, description, judge, can_keep=False):
    """judge(claim, options) gives (text, whether the claim holds). 0: every claim holds; 1: one does not."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("claims", nargs="*", help=f"of {', '.join(c.name for c in claims)}; none: all")
    parser.add_argument("--record", action="store_true", help=f"write docs/results/{app}.md")
    if can_keep:
        parser.add_argument("--keep", action="store_true", help="train nothing, judge the runs that are there")
    parser.add_argument("--folder", type=pathlib.Path, default=launch.SOURCE / "runs" / "learning")
    options = parser.parse_args()
    unknown = set(options.claims) - {claim.name for claim in claims}
    if unknown:
        parser.error(f"no claim is called {', '.join(sorted(unknown))}")
    good = True
    for claim in claims:
        if options.claims and claim.name not in options.claims:
            continue
        text, holds = judge(claim, options)
        print(text, flush=True)
        if options.record:
            results.record(app, claim.name, text)
        good &= holds
    return 0 if good else 1
