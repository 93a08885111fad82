"""Damages the newest of a few checkpoints and loads: it must be refused with its name and a reason and the
older one used (or, where damage.QUIET says so, be loaded whole), without a signal, within a time, and
without more memory than a good load takes.

    PYTHONPATH=tests/support:tests/faults .venv/bin/python3 tests/faults/fuzz_checkpoints.py --count 300

Most damages are loaded by checkpoint_driver, which knows what it saved, in turn with checkpoints that are
whole and with such as build on earlier ones; every --ddpg-th is done to a small ddpg run, which must end with
the bits of the unbroken run.
"""

import argparse
import dataclasses
import itertools
import os
import pathlib
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import damage
import launch
import results
import small_run

SECONDS = 60  # for a load that takes well below one
MORE_MEMORY = 64 << 20
ADDRESS_SPACE = 8 << 30
GROUPS = (damage.BYTES, damage.STRUCTURE, damage.COMMITS, damage.QUIET, damage.FILES)


@dataclasses.dataclass
class Load:
    code: int  # negative: the signal that ended it
    text: str
    peak: int  # bytes


def load(command):
    """Runs command alone, as one rank, and measures it."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=launch.SOURCE,
                                   env=launch.environment(), preexec_fn=limit)
        end = time.monotonic() + SECONDS
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > end:
                process.kill()
                process.wait()
                raise AssertionError(f"hung for {SECONDS} s")
            time.sleep(0.01)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Load(process.returncode, output.read(), usage.ru_maxrss << 10)


class Target:
    """A checkpoint folder with two steps, and what they build on, that is copied for each damage."""

    def __init__(self, folder):
        self.folder = folder
        self.make(folder / "good")
        self.newest = sorted((folder / "good" / "checkpoint").glob("step-*"))[-1].name
        # What links that climb out of the run find: data that would be accepted.
        shutil.copy(folder / "good" / "checkpoint" / self.newest / "state.h5", folder / "elsewhere.h5")
        self.most = 0
        good = self.run(self.fresh())
        assert good.code == 0 and self.newest not in "".join(self.refused(good)), good.text
        self.most = good.peak + MORE_MEMORY

    def fresh(self):
        here = self.folder / "damaged"
        shutil.rmtree(here, ignore_errors=True)
        shutil.rmtree(self.folder / "outside", ignore_errors=True)
        return pathlib.Path(shutil.copytree(self.folder / "good", here))

    def check(self, ruin, quiet, draw):
        """One damage; returns what was said about it."""
        here = self.fresh()
        older, newest = sorted((here / "checkpoint").glob("step-*"))[-2:]
        ruin(newest, older, draw)
        result = self.run(here)
        assert result.code >= 0, f"signal {-result.code}: {result.text}"
        assert result.peak <= self.most, f"{result.peak >> 20} MiB, a good load takes {self.most >> 20}"
        assert "\x1b[2J" not in result.text and "\x1b[31m" not in result.text, repr(result.text)
        if result.code == 6:  # whole, as far as digests tell, and of another kind of run
            assert self.newest in result.text and "does not fit" in result.text, result.text
            return result.text.strip().splitlines()[-1]
        assert result.code == 0, f"code {result.code}: {result.text}"
        refused = self.refused(result)
        if not refused:
            assert quiet, f"accepted: {result.text}"
            self.ended_well(here, result, self.newest)
            return "loaded whole"
        assert len(refused) == 1 and re.match(rf"{self.newest}: \S.{{8,}}", refused[0]), refused
        self.ended_well(here, result, older.name)
        return refused[0]


class Driver(Target):
    MODE = []

    def make(self, folder):
        assert load([launch.BIN / "checkpoint_driver", folder / "checkpoint", "30", *self.MODE]).code == 0

    def run(self, folder):
        return load([launch.BIN / "checkpoint_driver", folder / "checkpoint", "0", *self.MODE])

    def refused(self, result):
        return re.findall(r"^refused (.*)$", result.text, re.M)

    def ended_well(self, folder, result, used):
        """The driver itself compares the state with what it saved at that step."""
        assert f"start {int(used[5:])}\n" in result.text, result.text


class Chain(Driver):
    """Step 30 builds on 20 and 10, of which 10 is whole."""
    MODE = ["incremental"]


class Ddpg(Target):
    def __init__(self, folder):
        result = small_run.go(folder / "unbroken")
        assert result.code == 0, result.err
        self.unbroken = launch.final_state(folder / "unbroken")
        super().__init__(folder)

    def make(self, folder):
        assert small_run.go(folder, "--stop-after", "320").code == 75

    def run(self, folder):
        return load([launch.BIN / "ddpg", *launch.merged(small_run.ARGS, ["--run-dir", folder])])

    def refused(self, result):
        return re.findall(r"checkpoint passed over: (.*)$", result.text, re.M)

    def ended_well(self, folder, result, used):
        assert f"{used} (written by 2 ranks)" in result.text, result.text
        assert launch.differences(self.unbroken, launch.final_state(folder)) == []
        assert not list(folder.glob("checkpoint/*.partial"))


def plan(count, seed):
    """(name, damage, quiet) count times: the groups in turn, each shuffled; fixed damages once."""
    draw = random.Random(seed)
    def of_group(group):
        first = True
        while first or group in (damage.BYTES, damage.QUIET):
            names = sorted(group)
            draw.shuffle(names)
            for name in names:
                yield name, group[name], group is damage.QUIET
            first = False
    turns = [of_group(group) for group in GROUPS]
    drawn = (next(turn, None) for turn in itertools.cycle(turns))
    return list(itertools.islice((each for each in drawn if each), count))


def section(handled, failed, arguments):
    """For docs/results/trust.md: how many of each kind, and what went wrong."""
    names = {"BYTES": "bytes of state.h5, swapped files, types in COMMIT.json",
             "COMMITS": "COMMIT.json", "FILES": "links, FIFOs, sockets, folders, missing files",
             "STRUCTURE": "HDF5 wrong inside, digests made to match",
             "QUIET": "metadata bits and words, digests made to match"}
    rows = [[what, str(sum(name in getattr(damage, group) for name in handled + failed)),
             str(sum(name in getattr(damage, group) for name in failed))] for group, what in names.items()]
    good = f"- pass: all {len(handled)} refused by name with a reason and the older one used, or loaded whole"
    lines = [f"## {len(handled) + len(failed)} damaged checkpoints", "",
             results.provenance(["tests/faults/fuzz_checkpoints.py", *arguments]),
             "- Each load alone, bounded in time and address space; its peak memory may pass that of a good load "
             "by 64 MiB", "", results.table(["damaged", "checkpoints", "handled wrongly"], rows), "",
             *([f"- **FAIL** {name}" for name in failed] or [good])]
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--ddpg", type=int, default=8, help="every how many-th damage is done to ddpg")
    parser.add_argument("--only", help="damages whose name holds this")
    parser.add_argument("--record", action="store_true", help="write docs/results/trust.md")
    options = parser.parse_args()
    handled, failed = [], []
    with tempfile.TemporaryDirectory() as temporary:
        folders = [pathlib.Path(temporary) / name for name in ("driver", "chain", "ddpg")]
        for folder in folders:
            folder.mkdir()
        drivers, ddpg = (Driver(folders[0]), Chain(folders[1])), Ddpg(folders[2])
        for index, (name, ruin, quiet) in enumerate(plan(options.count, options.seed)):
            if options.only and options.only not in name:
                continue
            target = ddpg if index % options.ddpg == options.ddpg - 1 else (
                drivers[index // len(GROUPS) % 2])
            try:
                said = target.check(ruin, quiet, random.Random(options.seed * 100003 + index))
                handled.append(name)
            except Exception as error:
                failed.append(name)
                said = "FAIL " + (str(error) if isinstance(error, AssertionError) else traceback.format_exc())
            print(f"{index:3} {type(target).__name__:6} {name}: {said}", flush=True)
    print(f"{len(failed)} of {len(handled) + len(failed)} damages were not handled as they must be")
    if options.record:
        print(results.record("trust", "fuzz_checkpoints", section(handled, failed, sys.argv[1:])))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
