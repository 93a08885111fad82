"""tenfold doctor: what is missing is named with its remedy. It looks in the checkout above its own
program, so a copy of the program in a made-up checkout sees what that one needs."""

import os
import re
import shutil
import subprocess

import pytest

import launch
from tenfold_tool import said, tenfold

PACKAGES = """# PACKAGE  CHECK  PURPOSE
coreutils        ls                                  lists
frobnicator-dev  /usr/include/frobnicator/*.h        frobnication
frobber          frobber-command                     optional: faster frobbing
"""


@pytest.fixture
def checkout(tmp_path):
    root = tmp_path / "checkout"
    (root / "build" / "bin").mkdir(parents=True)
    (root / "jobs").mkdir()
    (root / "jobs" / "packages.txt").write_text(PACKAGES)
    shutil.copy2(launch.BIN / "tenfold", root / "build" / "bin" / "tenfold")
    return root


def doctor(root, cwd, **environment):
    env = {**launch.environment(), **environment}
    done = subprocess.run([root / "build" / "bin" / "tenfold", "doctor"], capture_output=True, text=True,
                          timeout=100, cwd=cwd, env=env, stdin=subprocess.DEVNULL)
    return launch.Result(done.returncode, done.stdout, done.stderr)


def finding(out, subject):
    """The line about a subject and its remedy ("" when it has none)."""
    lines = out.splitlines()
    index = next(i for i, line in enumerate(lines) if re.match(rf"(ok|optional|MISSING) +{subject}\b", line))
    after = lines[index + 1] if index + 1 < len(lines) else ""
    return lines[index], after.split("-> ", 1)[1] if "-> " in after else ""


def python_of(root, script):
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / ".venv" / "bin" / "python").write_text(f"#!/bin/sh\n{script}\n")
    (root / ".venv" / "bin" / "python").chmod(0o755)


def test_this_machine_has_what_the_tests_need():
    out = said("doctor", cwd=launch.SOURCE, **launch.environment())
    assert out.endswith("everything that is needed is here\n") and "MISSING" not in out
    for subject in ("packages", "Python", "MPI", "HDF5", "shared memory", "machine"):
        assert finding(out, subject)[0].startswith("ok"), subject
    assert "starts 2 ranks" in out and "parallel" in finding(out, "HDF5")[0]


def test_missing_packages_are_named_with_their_remedy(checkout, tmp_path):
    result = doctor(checkout, tmp_path)
    assert result.code == 4
    line, remedy = finding(result.out, "frobnicator-dev")
    assert line.startswith("MISSING") and "frobnication" in line
    assert remedy.startswith("apt-get install frobnicator-dev") and "jobs/setup" in remedy
    line, remedy = finding(result.out, "frobber")
    assert line.startswith("optional") and remedy.startswith("apt-get install frobber")
    assert "1 of 3 found" in finding(result.out, "packages")[0]
    line, remedy = finding(result.out, "Python")
    assert line.startswith("MISSING") and remedy == "run jobs/setup"
    assert result.err == "tenfold: error[4]: 2 needed things are missing; the remedies are named above\n"


def test_python_packages_by_their_pins(checkout, tmp_path):
    (checkout / "requirements.txt").write_text("# pins\ntorch==2.13.0  # why\nh5py==3.16.0\nnumpy==2.4.6\n")
    python_of(checkout, "printf 'torch 2.13.0+cpu\\nh5py 3.1.0\\nnumpy\\n'")
    out = doctor(checkout, tmp_path).out
    assert finding(out, "Python")[0].endswith("torch 2.13.0+cpu")
    line, remedy = finding(out, "h5py")
    assert line.startswith("MISSING") and "version 3.1.0, wanted 3.16.0" in line
    assert "pip install h5py==3.16.0" in remedy
    assert "numpy is not installed" in finding(out, "numpy")[0]


def test_an_environment_whose_python_does_not_run(checkout, tmp_path):
    python_of(checkout, "echo broken >&2; exit 1")
    line, remedy = finding(doctor(checkout, tmp_path).out, "torch")
    assert line.startswith("MISSING") and "2.13.0" in remedy


@pytest.mark.parametrize("script,words,remedy", [
    (None, "mpirun does not run", "openmpi-bin"),
    ("[ $1 = --version ] && { echo mpirun of another kind; exit; }; echo cannot; exit 7",
     "fails with 7: cannot", "srun"),
], ids=["none", "starts nothing"])
def test_mpi_that_does_not_start_ranks(checkout, tmp_path, script, words, remedy):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "timeout", "true", "ls"):
        (tools / name).symlink_to(shutil.which(name))
    if script:
        (tools / "mpirun").write_text(f"#!/bin/sh\n{script}\n")
        (tools / "mpirun").chmod(0o755)
    found = finding(doctor(checkout, tmp_path, PATH=str(tools)).out, "MPI")
    assert found[0].startswith("MISSING") and words in found[0] and remedy in found[1]


def test_an_installed_program_without_a_checkout(checkout, tmp_path):
    bare = tmp_path / "bare"
    shutil.move(checkout / "build", bare / "build")
    (tmp_path / "elsewhere").mkdir()
    out = doctor(bare, tmp_path / "elsewhere").out
    assert "packages not looked for" in finding(out, "checkout")[0]
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(checkout, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    assert "cannot be written" in finding(doctor(checkout, closed).out, "file locks")[0]


def test_doctor_takes_no_arguments():
    assert tenfold("doctor", "x").code == 2
