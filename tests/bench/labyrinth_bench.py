"""The labyrinth's and the race's pictures per CPU second, and what players score who do not learn.

    cmake --build build/release --target bench_labyrinth

Speed: whole decisions with random choices (4 control steps of the labyrinth, 1 of the race, then the picture), one
thread; of a labyrinth's picture also its parts and their floor, a copy of as many bytes. Scores: on held-out episodes.
"""
import argparse
import datetime
import json
import os
import shlex
import statistics
import subprocess
import sys

import results

FLOOR = 20_000  # frames per second and core that the design asks for at 84x84
SIZES = ["", "cells=5,picture=32", "cells=19,picture=84", "cells=9,picture=240"]
PLAYERS = [("labyrinth", "", "random"), ("labyrinth", "", "guide"),
           ("labyrinth", "cells=5,picture=32", "random"), ("labyrinth", "cells=5,picture=32", "guide")]
PLAYERS += [("racing", f"fast={fast},opponents={cars}", player)
            for fast in (0, 1) for cars in (0, 3) for player in ("random", "driver")]


def asked(*command):
    run = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return json.loads(run.stdout)


def speed_rows(binary, rounds):
    rows, least = [], None
    for settings in SIZES:
        for batch in (1, 64):
            found = [asked(binary, batch, 20_000 // batch, settings) for _ in range(rounds)]
            middle = {key: statistics.median(each[key] for each in found) for key in found[0]}
            if settings == "":
                least = min(least or middle["frames_per_s"], middle["frames_per_s"])
            rows.append([settings or "as shipped", str(batch), f"{middle['frames_per_s'] / 1e3:.1f}"]
                        + [f"{middle[key]:.2f}" for key in ("view_us", "rays_us", "fill_us", "copy_us")]
                        + [f"{middle['bytes']}"])
            print("  ".join(rows[-1]), flush=True)
    return rows, least


def mean(values):
    known = [value for value in values if value is not None]
    return f"{statistics.fmean(known):.2f}" if known else "-"


def score_rows(binary, episodes):
    rows = []
    for task, settings, player in PLAYERS:
        found = asked(binary, task, settings, player, episodes)
        scores = found["scores"]
        error = statistics.stdev(scores) / len(scores) ** 0.5
        facts = ", ".join(f"{name} {mean(values)}" for name, values in found["facts"].items())
        speed = f"{found['decisions_per_s'] / 1e3:.1f}" if player == "random" else ""
        rows.append([task, settings or "as shipped", player, f"{statistics.fmean(scores):.2f} ± {error:.2f}",
                     facts, speed])
        print("  ".join(rows[-1]), flush=True)
    return rows


def head():
    commit = results.text_output(["git", "rev-parse", "--short=12", "HEAD"])
    dirty = "-dirty" if results.text_output(["git", "status", "--porcelain", "src"]) else ""
    command = ["cmake", "--build", "build/release", "--target", "bench_labyrinth"]
    now = datetime.datetime.now(datetime.timezone.utc)
    return (f"- Command: `{shlex.join(command)}`\n- Commit {commit}{dirty}, {now:%Y-%m-%d %H:%M} UTC\n"
            f"- Machine: {results.machine()}; load {os.getloadavg()[1]:.1f} over the last 5 minutes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench")
    parser.add_argument("scores")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=200)
    parser.add_argument("--record", action="store_true", help="write docs/results/a3c.md")
    options = parser.parse_args()
    speeds, least = speed_rows(options.bench, options.rounds)
    scores = score_rows(options.scores, options.episodes)
    good = least >= FLOOR
    text = f"""## Labyrinth and racing: speed, and scores without learning

{head()}
- {"pass" if good else "**FAIL**"}: at least {FLOOR} pictures of 84x84 per CPU second: {least:.0f}

Labyrinth, medians of {options.rounds}: thousand decisions per CPU second with random choices, one thread; microseconds of
one picture, of its rays and columns, of the rows made from columns, and of the floor, a copy of as many bytes in the
nearest cache.

{results.table(["settings", "environments", "decisions/s (k)", "picture", "rays", "rows", "copy", "bytes"], speeds)}

Scores of {options.episodes} held-out episodes ± standard error; facts are means (seconds: over episodes that have them).
`random`: uniform choices. `guide`: knows the maze, takes the shortest way to the portal. `driver`: knows the track,
drives the racing line; it stands for the paper's human tester.

{results.table(["task", "settings", "player", "score", "facts", "decisions/s (k)"], scores)}
"""
    print(text)
    if options.record:
        results.record("a3c", "bench_labyrinth", text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
