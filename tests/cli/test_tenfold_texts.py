"""Manual pages and completions of the tool and of every application, from their option tables."""

import shutil
import subprocess

import pytest

import launch
from tenfold_tool import refused, said

PAGES = {"tenfold": ["man"], "ddpg": ["--print-man"]}
SCRIPTS = {"tenfold": ["completion"], "ddpg": ["--completion"]}


def output(program, *arguments):
    done = subprocess.run([launch.BIN / program, *arguments], capture_output=True, text=True, timeout=60,
                          env=launch.environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program", PAGES)
@pytest.mark.skipif(not shutil.which("man"), reason="man is not installed")
def test_groff_has_no_complaint_and_shows_every_flag(program):
    page = output(program, *PAGES[program])
    done = subprocess.run(["man", "--warnings", "-Tutf8", "-l", "-"], input=page, capture_output=True, text=True,
                          timeout=60, env={**launch.environment(), "MANWIDTH": "80", "LC_ALL": "C.UTF-8"})
    assert done.returncode == 0 and done.stderr == ""
    plain = subprocess.run(["col", "-bx"], input=done.stdout, capture_output=True, text=True, timeout=60).stdout
    for heading in ("NAME", "SYNOPSIS", "EXIT STATUS", "SEE ALSO"):
        assert f"\n{heading}\n" in plain
    flags = ("--virtual-shards", "--lr-critic", "--preset paper") if program == "ddpg" else (
        "tenfold inspect", "--tolerance", "tenfold simulate", "--net")
    for flag in flags:
        assert flag in plain.replace("\N{HYPHEN}", "-").replace("\N{MINUS SIGN}", "-"), flag


def offered(program, words):
    """What bash offers for the last of the words."""
    script = output(program, *SCRIPTS[program], "bash")
    line = " ".join(f"'{word}'" for word in words)
    script += (f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _tenfold_{program}\n"
               'printf "%s\\n" "${COMPREPLY[@]}"\n')
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=60, cwd=launch.SOURCE)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split()


def test_commands_flags_and_files_of_the_tool():
    assert offered("tenfold", ["tenfold", "in"]) == ["inspect"]
    assert offered("tenfold", ["tenfold", "diff", "--t"]) == ["--tolerance"]
    assert offered("tenfold", ["tenfold", "show", "--a"]) == ["--all", "--ascii"]
    assert offered("tenfold", ["tenfold", "completion", ""]) == ["bash", "zsh"]
    assert offered("tenfold", ["tenfold", "help", "sim"]) == ["simulate"]
    assert offered("tenfold", ["tenfold", "show", "READ"]) == ["README.md"]


def test_options_and_words_of_an_application():
    assert offered("ddpg", ["ddpg", "--critic-l"]) == ["--critic-l2"]
    assert offered("ddpg", ["ddpg", "--reduce", "f"]) == ["fast", "fixed"]
    assert offered("ddpg", ["ddpg", "--completion", ""]) == ["bash", "zsh"]


@pytest.mark.skipif(not (launch.BIN.parent / "CMakeCache.txt").exists(), reason="not a build folder")
def test_an_installed_tree_has_all_and_runs(tmp_path):
    done = subprocess.run(["cmake", "--install", launch.BIN.parent, "--prefix", tmp_path / "usr"], capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    for program in PAGES:
        for place in ("bin", "share/bash-completion/completions"):
            assert (tmp_path / "usr" / place / program).is_file()
        page = (tmp_path / f"usr/share/man/man1/{program}.1").read_text()
        assert page == output(program, *PAGES[program])
    # With its libraries and its models, far from the checkout.
    done = subprocess.run([tmp_path / "usr/bin/ddpg", "--task", "pendulum", "--dry-run", "--eval-episodes", "1"],
                          capture_output=True, text=True, timeout=120, env=launch.environment(), cwd=tmp_path)
    assert done.returncode == 0 and "dry run: nothing was kept" in done.stdout + done.stderr, done.stderr


def test_other_shells_are_refused():
    refused(2, ["completion", "fish"], "only bash and zsh")
    assert "bashcompinit" in said("completion", "zsh")
