"""What a user of a3c reads: help, configuration, tasks, a dry run."""

import re
import subprocess

import launch


def text(*args):
    result = launch.run("a3c", args, ranks=1)
    assert result.code == 0, result.out + result.err
    return result.out


def test_help_fits_a_terminal():
    out = text("--help")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 50
    for word in ("--task", "--method", "--update", "--lr", "--net", "--run-dir", "--resume", "--seed", "--total-steps",
                 "75"):
        assert word in out, word


def test_help_all_names_every_option():
    out = text("--help", "all")
    assert max(map(len, out.splitlines())) <= 80
    for word in ("--gae-lambda", "--target-period", "--epsilon-final", "--rms-eps", "--stripes", "--inter-rate",
                 "--fake-nodes", "--order", "--lstm", "--timeout-as-terminal", "--eval-greedy", "1 is the paper's formula"):
        assert word in re.sub(r"\s+", " ", out), word


def test_print_config_is_a_config(tmp_path):
    first = text("--preset", "atari-lstm", "--gamma", "0.98", "--print-config")
    path = tmp_path / "again.cfg"
    path.write_text(first)
    values = lambda out: dict(re.findall(r"^([a-z0-9-]+) *= *([^#\n]*?) *(?:#.*)?$", out, re.M))
    assert values(text("--config", str(path), "--print-config")) == values(first)
    assert values(first)["gamma"] == "0.98" and values(first)["lstm"] == "256" and values(first)["conv"] == "dqn13"


def test_tasks_man_page_and_completion():
    out = text("--list-tasks")
    for task in ("catch", "classic_cartpole", "breakout", "tmaze", "labyrinth", "classic_pendulum", "pendulum"):
        assert re.search(rf"^{task}\b", out, re.M), task
    man = text("--print-man")
    assert man.startswith((".TH", '.\\"')) and "epsilon-final" in man.replace("\\-", "-")
    script = text("--completion", "bash")
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    assert "--target-period" in script


def test_dry_run_leaves_nothing(tmp_path):
    assert "dry run" in text("--preset", "catch", "--dry-run", "--run-dir", str(tmp_path / "run"))
    assert list(tmp_path.iterdir()) == []
