"""tenfold rerun: the printed command, run by a shell, gives the same run."""

import re
import shutil
import subprocess

import launch
import run_files
from tenfold_tool import V1, refused, said, tenfold


def test_the_command_line_of_a_run_that_stays(tmp_path):
    shutil.copytree(V1, tmp_path / "run")
    result = tenfold("rerun", tmp_path / "run")
    lines = [line.rstrip(" \\").strip() for line in result.out.splitlines()]
    assert result.code == 0 and lines[0] == f"mpirun -n 2 {launch.BIN / 'ddpg'}"
    for option in ("--network.actor-net 16x16", "--train.total-steps 800", "--parallel.threads 1"):
        assert option in lines
    assert lines[-1] == f"--run.dir {tmp_path / 'run-again'}"
    assert "the commit was a266ecd9103b-dirty, here it is" in result.err and "in no commit" in result.err
    assert all(line.startswith("tenfold: warning: ") for line in result.err.splitlines())
    assert "--run.seed" not in result.out and "--run.seed 1" in said("rerun", "--all", V1)
    (tmp_path / "run-again").mkdir()
    assert "run-again-2" in said("rerun", tmp_path / "run")
    assert "--run.dir elsewhere\n" in said("rerun", V1, "--run-dir", "elsewhere")


def test_the_command_gives_the_same_run(tmp_path):
    base = ["--preset", "modern", "--task", "pendulum", "--total-steps", "240", "--start-steps", "160",
            "--batch", "32", "--actor-net", "16x16", "--critic-net", "16x16", "--replay", "2000", "--seed", "5",
            "--eval-every", "0", "--eval-episodes", "1", "--horizon", "60", "--run-dir", str(tmp_path / "a b")]
    assert launch.run("ddpg", base, 2).code == 0
    text = said("rerun", tmp_path / "a b")
    # Beside other tests there may be fewer cores than ranks.
    text = re.sub(r"^mpirun", "mpirun --bind-to none --oversubscribe", text)
    done = subprocess.run(["sh", "-c", text], env=launch.environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert said("diff", tmp_path / "a b", tmp_path / "a b-again").endswith("\nequal\n")
    result = tenfold("rerun", tmp_path / "a b", "--run-dir", tmp_path / "a b-again")
    assert "would go on with it" in result.err


def test_an_application_that_is_not_here_and_one_that_is_no_name(tmp_path):
    path = run_files.make_run(tmp_path / "a", app="odegan")
    result = tenfold("rerun", path)
    assert result.code == 0 and result.out.startswith("mpirun -n 2 odegan")
    assert "odegan does not start here" in result.err
    for name in ("", "x; touch bad", "../evil"):
        path = run_files.make_run(tmp_path / f"b{len(name)}", app=name)
        refused(3, ["rerun", path], "names no application")
    refused(3, ["rerun", run_files.make_run(tmp_path / "c", world_size="many")], "how many ranks")
