"""What a user of mcts_dpo reads: help, configuration, a dry run."""

import re
import subprocess
import sys

import numpy as np
import pytest

import launch
import small_mcts_dpo

sys.path.append(str(launch.SOURCE / "analysis"))
from tenfold_analysis.tenfold_h5 import read_run  # noqa: E402


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
    out = text(*args, "--dry-run")
    assert "dry run" in out and re.search(r"^  all +[0-9.]+ MB$", out, re.M), out
    assert re.search(r"^  measured \([+-][0-9]+ %\) +[0-9.]+ MB$", out, re.M) and "were planned" not in out
    assert list(tmp_path.iterdir()) == []


def test_theory_in_a_moment(tmp_path):
    args = ["--preset", "theory", "--answers", "2,4", "--epsilon", "0", "--repeats", "2", "--rounds", "5"]
    result = launch.run("mcts_dpo", [*args, "--run-dir", tmp_path / "run"], 2)
    assert result.code == 0, result.out + result.err
    assert "2 wrong answers: 0.9977 online, 0.1406 offline" in result.out
    run = read_run(tmp_path / "run")
    online, offline = run.get("theory/online"), run.get("theory/offline")
    assert online.step.tolist() == list(range(6))
    assert np.array_equal(run.get("theory/answers").value, [[2, 4]])
    # Notes, section 11, T.
    assert online.value[:, 0] == pytest.approx([0.05, 0.3, 0.75, 81 / 86, 81 / 82, 0.9977189781], abs=1e-9)
    assert offline.value[:, 0] == pytest.approx([0.05] + [9 / 64] * 5, abs=1e-9)
    assert (run.get("theory/unseen").value == 1).all() and (run.get("theory/bound").value == 1).all()


def test_each_seed_has_a_folder_for_its_model(tmp_path):
    more = ["--steps", "1", "--examples", "40", "--seeds", "1:2", "--symbolic-checker", "true", "--metrics-every", "1"]
    args = launch.merged(small_mcts_dpo.SFT, [*more, "--export", tmp_path / "model", "--run-dir", tmp_path / "run"])
    result = launch.run("mcts_dpo", args, 2)
    assert result.code == 0 and "2 of 2 seeds are done" in result.out, result.out + result.err
    models = sorted((tmp_path / "model").iterdir())
    assert [model.name for model in models] == ["seed-1", "seed-2"]
    weights = [(model / "model.safetensors").read_bytes() for model in models]
    assert weights[0] != weights[1] and all((model / "tokenizer.json").exists() for model in models)
    # What the checker was asked about is counted, were it nothing.
    counts = read_run(tmp_path / "run" / "seed-1")
    assert (counts.get("answers/symbolic_unanswered").value == 0).all()
    assert (counts.get("answers/symbolic_asked").value >= counts.get("answers/symbolic_same").value).all()
