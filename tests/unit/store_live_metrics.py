"""Metrics can be read while a job writes them, after it was killed and after it ended: by h5py and
by our own reader. Usage: store_live_metrics.py DRIVER"""
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

DRIVER = sys.argv[1]


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def check_h5py(path, rows, live):
    with h5py.File(path, "r", swmr=live) as file:
        assert text(file.attrs["schema"]) == "tenfold-run"
        assert file.attrs["schema_version"] == 1
        assert file.attrs["resumed_from_step"] == -1
        assert text(file.attrs["writer"]).startswith("tenfold ")
        assert text(file.attrs["created_utc"]).endswith("Z")
        loss = file["metrics/train/loss"]
        assert text(loss.attrs["unit"]) == "nats" and text(loss.attrs["better"]) == "min"
        assert text(loss.attrs["reduction"]) == "mean"
        assert text(loss.attrs["description"]) == "the loss"
        steps = np.arange(1, rows + 1)
        np.testing.assert_array_equal(loss["step"][:], steps.astype(np.uint64))
        np.testing.assert_array_equal(loss["value"][:], 1.0 / steps)
        assert np.all(np.diff(loss["wall_s"][:]) >= 0)
        np.testing.assert_array_equal(file["metrics/eval/return/value"][:],
                                      np.stack([steps, -steps], 1).astype(float))
        events = file["events"]
        assert [text(t) for t in events["text"][:]] == [f"row {s}" for s in steps]
        assert all(text(k) == "checkpoint" for k in events["kind"][:])
        np.testing.assert_array_equal(events["step"][:], steps)


def check_own_reader(run, rows):
    answer = subprocess.run([DRIVER, "read", run], capture_output=True, text=True, check=True).stdout
    expected = [f"eval/return {rows} {-rows}", f"train/loss {rows} {1 / rows:g}"]
    expected += [f"checkpoint row {step}" for step in range(1, rows + 1)]
    assert answer.splitlines() == expected, answer


def write(run, rows, kill):
    path = run / "metrics" / "seg-0000.h5"
    path.parent.mkdir(parents=True)
    writer = subprocess.Popen([DRIVER, "write", path], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "ready\n"
    for step in range(1, rows + 1):
        writer.stdin.write(f"row {step}\n")
        writer.stdin.flush()
        assert writer.stdout.readline() == f"{step}\n"
        if step in (1, 3, rows):
            check_h5py(path, step, live=True)
            check_own_reader(run, step)
    if kill:
        writer.kill()
    else:
        writer.stdin.close()
    assert writer.wait() == (-9 if kill else 0)
    check_h5py(path, rows, live=True)
    if not kill:
        check_h5py(path, rows, live=False)
    check_own_reader(run, rows)


with tempfile.TemporaryDirectory() as folder:
    write(pathlib.Path(folder) / "ended", 5, kill=False)
    write(pathlib.Path(folder) / "killed", 600, kill=True)
