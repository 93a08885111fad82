"""Starts applications under mpirun as a user would, for tests that look at what a user sees."""

import dataclasses
import json
import os
import pathlib
import re
import resource
import subprocess

import h5py
import numpy as np

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TENFOLD_BIN_DIR", SOURCE / "build" / "ci" / "bin"))


@dataclasses.dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def fatal(self):
        """The fatal lines of all ranks."""
        return [line for line in (self.out + self.err).splitlines() if line.startswith("tenfold: error[")]


def cpu_seconds():
    """Of all processes that this one has started and that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def environment(extra=None):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TENFOLD_", "OMPI_", "PMIX_"))}
    # Ranks that wait give way: tests share their cores with others, and more ranks run than there are cores.
    env.update(OMP_NUM_THREADS="1", OMPI_MCA_mpi_yield_when_idle="1")
    if os.getuid() == 0:
        env.update(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1")
    env.update(extra or {})
    return env


def refused(result, code, *words):
    """One fatal line, every word in it, this exit code."""
    assert result.code == code, f"exit code {result.code}\n{result.out}\n{result.err}"
    assert len(result.fatal) == 1, result.out + result.err
    for word in words:
        assert word in result.fatal[0], f"no '{word}' in: {result.fatal[0]}"


def merged(args, more):
    """args, pairs of --option and value, with those replaced that more gives too: an application
    refuses an option that is given twice."""
    pairs = lambda words: dict(zip(words[::2], words[1::2], strict=True))
    return [word for pair in {**pairs(list(args)), **pairs(list(more))}.items() for word in pair]


def command(app, args, ranks):
    return ["mpirun", "--oversubscribe", "--bind-to", "none", "-n", str(ranks), str(BIN / app),
            *[str(a) for a in args]]


def start(app, args, ranks=2, env=None):
    return subprocess.Popen(command(app, args, ranks), env=environment(env), text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=SOURCE)


def finish(process, timeout=120):
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"hung for {timeout} s; printed:\n{out}\n{err}") from None
    return Result(process.returncode, out, err)


def run(app, args, ranks=2, env=None, timeout=120):
    return finish(start(app, args, ranks, env), timeout)


def checkpoints(run_dir):
    """Committed checkpoint folders, oldest first."""
    return sorted(p.parent for p in pathlib.Path(run_dir).glob("checkpoint/step-*/COMMIT.json"))


def data_sets(step_folder):
    """name -> (values, attributes) of one state.h5."""
    found = {}
    with h5py.File(pathlib.Path(step_folder) / "state.h5", "r") as file:
        file["checkpoint"].visititems(lambda name, item: found.__setitem__(
            name, (item[()], dict(item.attrs))) if isinstance(item, h5py.Dataset) else None)
    return found


def state(step_folder):
    """Every data set of a checkpoint by name; rings that are stored as increments put together."""
    folder = pathlib.Path(step_folder)
    earlier = [data_sets(folder.parent / f"step-{need['step']:012}")
               for need in commit(folder).get("needs", [])]
    found = {}
    for name, (values, attributes) in data_sets(folder).items():
        if attributes["scope"] == b"increment":
            values = ring([each[name] for each in earlier] + [(values, attributes)])
        found[name] = values
    return found


def ring(parts):
    """The slots in use [shards, most, ...] of a ring from its (values, attributes), oldest first: row
    number i lies in slot i % capacity."""
    written = parts[-1][1]["written"]
    capacity = int(parts[-1][1]["shape"][0])
    used = np.minimum(written, capacity).astype(int)
    slots = np.zeros((len(written), max(used), *parts[-1][0].shape[2:]), parts[-1][0].dtype)
    for values, attributes in parts:
        for shard, rows in enumerate(attributes["rows"].astype(int)):
            first = int(attributes["first"][shard]) if "first" in attributes else 0
            for row in range(rows):
                slots[shard, (first + row) % capacity] = values[shard, row]
    return slots


def final_state(run_dir):
    return state(checkpoints(run_dir)[-1])


def differences(a, b, only=None):
    """Names of data sets whose bytes differ."""
    names = sorted(set(a) | set(b))
    if only:
        names = [n for n in names if re.match(only, n)]
    assert names, "nothing to compare"
    return [n for n in names
            if n not in a or n not in b or np.asarray(a[n]).tobytes() != np.asarray(b[n]).tobytes()]


def commit(step_folder):
    return json.loads((pathlib.Path(step_folder) / "COMMIT.json").read_text())
