"""Kills runs at random until it has killed --kills times, and compares the end of each with the run that
nobody killed: every data set of the last checkpoint, bit for bit.

    PYTHONPATH=tests/support:tests/faults .venv/bin/python3 tests/faults/soak.py --kills 500 --record

Each run is killed up to --per-run times: half of the kills at a named point (TENFOLD_FAULT), half by
SIGKILL to one rank at a moment that nobody chose. Each start takes its number of ranks from 1, 2 and 4, and
writes checkpoints in the background or at once. --record writes docs/results/trust.md.
"""

import argparse
import collections
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

import launch
import results
import small_run

TASKS = ("pendulum", "cartpole_swingup")
CHECKPOINT_POINTS = ("before_create", "after_write", "after_close", "after_sync", "after_digest",
                     "after_rename", "before_commit", "after_commit", "before_prune", "after_prune")
# Passed by every rank; the others by rank 0 alone.
EVERYWHERE = {"ckpt.before_create", "ckpt.after_write", "ckpt.after_close", "loop.step",
              "loop.after_update", "reduce.gradient"}
POINTS = [f"ckpt.{name}" for name in CHECKPOINT_POINTS] + ["loop.step", "loop.after_update",
                                                           "reduce.gradient", "metrics.flush"]


def arguments(task, run_dir, background):
    return launch.merged(small_run.ARGS, ["--task", task, "--run-dir", run_dir, "--flush-every", "0",
                                          "--checkpoint-background", background])


def draw_fault(draw, ranks):
    point = draw.choice(POINTS)
    rank = draw.randrange(ranks) if point in EVERYWHERE else 0
    most = 4 if point.startswith("ckpt.") else small_run.STEPS
    return f"kill:rank={rank}:at={point}:n={draw.randint(1, most)}", point


def ranks_of(launcher):
    """Process ids of the ranks below mpirun."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[1]) == launcher:
                found.append(int(entry.name))
    return sorted(found)


def kill_a_rank(process, delay, chosen):
    """SIGKILL to one rank, delay after the launcher started it."""
    time.sleep(delay)
    ranks = ranks_of(process.pid)
    if ranks and process.poll() is None:
        os.kill(ranks[chosen % len(ranks)], signal.SIGKILL)


def start(task, run_dir, draw, fault, seconds):
    """One start that something kills, or nothing does when fault is None. Returns the result and where."""
    ranks = draw.choice((1, 2, 2, 4))
    background = draw.choice(("true", "false"))
    env, where, killer = {}, "", None
    if fault == "point":
        env["TENFOLD_FAULT"], where = draw_fault(draw, ranks)
    process = launch.start("ddpg", arguments(task, run_dir, background), ranks, env)
    if fault == "moment":
        where = "any moment"
        killer = threading.Thread(target=kill_a_rank,
                                  args=(process, draw.uniform(0.1, 1.2) * seconds, draw.randrange(ranks)))
        killer.start()
    result = launch.finish(process, timeout=600)
    if killer:
        killer.join()
    return result, where


# SIGTERM and SIGINT: the run in hand is finished, then the section is written.
stopped = []


class Tally:
    def __init__(self, task):
        self.task, self.runs, self.starts, self.kills = task, 0, 0, 0
        self.where = collections.Counter()
        self.problems = []


def broken_run(tally, unbroken, run_dir, draw, seconds, kills):
    """Kills one run up to `kills` times, lets it end, compares."""
    tally.runs += 1
    for _ in range(kills):
        result, where = start(tally.task, run_dir, draw, draw.choice(("point", "moment")), seconds)
        tally.starts += 1
        if result.code == 0:
            break  # ended before it was killed
        if result.fatal:
            tally.problems.append(f"{run_dir.name}, killed at {where}: {result.fatal[0]}")
        tally.kills += 1
        tally.where[where] += 1
    last, _ = start(tally.task, run_dir, draw, None, seconds)
    tally.starts += 1
    if last.code != 0:
        tally.problems.append(f"{run_dir.name}: the last start ended with {last.code}: {last.err[-500:]}")
        return
    wrong = launch.differences(unbroken, launch.final_state(run_dir))
    if wrong:
        tally.problems.append(f"{run_dir.name}: other bits in {', '.join(wrong)}")
    if rest := small_run.left_over(run_dir):
        tally.problems.append(f"{run_dir.name}: left over: {', '.join(rest)}")


def run_unbroken(tally, folder):
    """The run that all others of the task are compared with; how long a start takes."""
    begin = time.monotonic()
    result = launch.run("ddpg", arguments(tally.task, folder, "true"), 2, timeout=600)
    assert result.code == 0, result.err
    return launch.final_state(folder), time.monotonic() - begin


def soak(tallies, kills, per_run, seed, folder):
    """The tasks in turns, kills of each."""
    draws = [random.Random(seed + index) for index in range(len(tallies))]
    unbroken = [run_unbroken(tally, folder / tally.task / "unbroken") for tally in tallies]
    while not stopped and any(tally.kills < kills for tally in tallies):
        for tally, draw, (state, seconds) in zip(tallies, draws, unbroken):
            if tally.kills >= kills or stopped:
                continue
            run_dir = folder / tally.task / f"run-{tally.runs}"
            broken_run(tally, state, run_dir, draw, seconds, min(per_run, kills - tally.kills))
            print(f"{tally.task}: {tally.kills} of {kills} kills, {tally.runs} runs, "
                  f"{len(tally.problems)} problems", flush=True)
            if not tally.problems:
                shutil.rmtree(run_dir)


def section(tallies, arguments_, wall):
    points = sorted({where for tally in tallies for where in tally.where})
    rows = [[where, *[str(tally.where[where]) for tally in tallies]] for where in points]
    total = [["**kills**", *[str(tally.kills) for tally in tallies]],
             ["runs", *[str(tally.runs) for tally in tallies]],
             ["starts", *[str(tally.starts) for tally in tallies]],
             ["runs that ended otherwise", *[str(len(tally.problems)) for tally in tallies]]]
    kills = sum(tally.kills for tally in tallies)
    lines = [f"## Soak: {kills} random kills", "",
             results.provenance(["tests/faults/soak.py", *arguments_]),
             "- Each start on 1, 2 or 4 ranks, checkpoints in the background or at once, drawn; half of the "
             "kills at a named point, half by SIGKILL to a rank at any moment (also before the first "
             "checkpoint and during start-up)",
             "- Compared: every data set of the last checkpoint (parameters, optimisers, replay, environments, "
             "counters), bit for bit, with the run that nobody killed; and that no `.partial` is left",
             f"- {wall / 60:.0f} minutes", "",
             results.table(["killed at", *[tally.task for tally in tallies]], rows + total), ""]
    lines += [f"- **FAIL** {tally.task}: {problem}" for tally in tallies for problem in tally.problems]
    if not any(tally.problems for tally in tallies):
        lines.append(f"- pass: {kills} kills, every run ended with the bits of the unbroken one")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500, help="over all tasks")
    parser.add_argument("--per-run", type=int, default=4, help="kills of one run at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", action="store_true", help="write docs/results/trust.md")
    parser.add_argument("--keep", type=pathlib.Path, help="work here and keep the runs that went wrong")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        tallies = [Tally(task) for task in TASKS]
        for tally in tallies:
            (folder / tally.task).mkdir(parents=True)
        soak(tallies, -(-options.kills // len(tallies)), options.per_run, options.seed, folder)
    text = section(tallies, sys.argv[1:], time.monotonic() - begin)
    print(text)
    if options.record:
        print(results.record("trust", "soak", text))
    return 1 if any(tally.problems for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
