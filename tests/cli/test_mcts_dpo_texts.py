"""What a user of mcts_dpo reads: help, configuration, a dry run."""

import re
import subprocess

import launch
import small_mcts_dpo


def text(*args):
    result = launch.run("mcts_dpo", args, ranks=1)
    assert result.code == 0, result.out + result.err
    return result.out


def test_help_fits_a_terminal():
    out = text("--help")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 50
    for word in ("--mode", "--model", "--task", "--method", "--lr", "--run-dir", "--resume", "--seed", "online", "75"):
        assert word in out, word


def test_help_all_names_every_option():
    out = text("--help", "all")
    assert max(map(len, out.splitlines())) <= 80
    for word in ("--c-puct", "--self-evaluation", "--step-rule", "--trees-in-flight", "--slice", "--policy-refresh",
                 "--loser", "--smoothing", "--lora-rank", "--eval-by", "--verdicts", "--inject-solution", "--export",
                 "paper-math", "official-choices"):
        assert word in re.sub(r"\s+", " ", out), word


def test_print_config_is_a_config(tmp_path):
    first = text("--preset", "paper-math", "--beta", "0.2", "--prompt.answer", "SO:\\n", "--print-config")
    path = tmp_path / "again.cfg"
    path.write_text(first)
    values = lambda out: dict(re.findall(r"^([a-z0-9-]+) *= *([^#\n]*?) *(?:#.*)?$", out, re.M))
    assert values(text("--config", str(path), "--print-config")) == values(first)
    assert values(first)["beta"] == "0.2" and values(first)["depth-limit"] == "4" and values(first)["lr"] == "1e-6"


def test_man_page_and_completion():
    man = text("--print-man")
    assert man.startswith((".TH", '.\\"')) and "policy-refresh" in man.replace("\\-", "-")
    script = text("--completion", "bash")
    assert subprocess.run(["bash", "-n"], input=script, text=True).returncode == 0
    assert "--self-evaluation" in script


def test_dry_run_leaves_nothing(tmp_path):
    args = launch.merged(small_mcts_dpo.SFT, ["--export", tmp_path / "model", "--run-dir", tmp_path / "run"])
    assert "dry run" in text(*args, "--dry-run")
    assert list(tmp_path.iterdir()) == []
