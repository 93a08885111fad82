"""Kills a run at a named point of its third checkpoint and starts it again, on another number of
ranks. Usage: checkpoint_kill.py DRIVER MPIEXEC kill POINT | points NAME..."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

DRIVER, MPIEXEC, MODE, *ARGUMENTS = sys.argv[1:]
# Every rank passes these; rank 0 alone does the rest.
COLLECTIVE = {"ckpt.before_create", "ckpt.after_write", "ckpt.after_close"}
# From this point on the third checkpoint counts: its COMMIT.json is in place.
COMMITTED = {"ckpt.after_commit", "ckpt.before_prune", "ckpt.after_prune"}


def launch(ranks, folder, last, fault=""):
    environment = dict(os.environ, TENFOLD_FAULT=fault)
    if not fault:
        del environment["TENFOLD_FAULT"]
    return subprocess.run(
        [MPIEXEC, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), DRIVER, folder, str(last)],
        env=environment, capture_output=True, text=True, timeout=60)


def steps(folder):
    return sorted(path.name for path in folder.iterdir())


def check_kill(point, rank):
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary) / "checkpoint"
        killed = launch(2, folder, 60, f"kill:rank={rank}:at={point}:n=3")
        assert killed.returncode != 0, f"the run was not killed: {killed.stdout}"
        saved = re.findall(r"^saved (\d+)$", killed.stdout, re.M)
        assert saved == ["10", "20"], killed.stdout + killed.stderr

        newest = 30 if point in COMMITTED else 20
        again = launch(1, folder, newest)
        assert again.returncode == 0, again.stdout + again.stderr
        assert again.stdout == f"start {newest}\n", again.stdout

        finished = launch(4, folder, 50)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        assert finished.stdout.startswith(f"start {newest}\n"), finished.stdout
        assert finished.stdout.endswith("saved 50\n"), finished.stdout
        assert steps(folder) == ["step-000000000040", "step-000000000050"], steps(folder)


def check_points(tested):
    listed = subprocess.run([DRIVER, "points"], capture_output=True, text=True, check=True).stdout
    known = [name for name in listed.split() if name.startswith("ckpt.")]
    assert known == [f"ckpt.{name}" for name in tested], f"in the code: {known}"


if MODE == "kill":
    check_kill(ARGUMENTS[0], rank=0)
    if ARGUMENTS[0] in COLLECTIVE:
        check_kill(ARGUMENTS[0], rank=1)
else:
    check_points(ARGUMENTS)
