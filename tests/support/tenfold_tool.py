"""Runs the offline tool as a user would."""

import os
import subprocess

import launch

# The recorded run that stays readable (tests/data/README.md), and its checkpoint.
V1 = launch.SOURCE / "tests" / "data" / "run-v1"
STEP = "step-000000000800"


def tenfold(*arguments, cwd=None, **environment):
    env = {key: value for key, value in os.environ.items()
           if key not in ("LC_ALL", "LC_CTYPE") and not key.startswith(("OMPI_", "PMIX_"))}
    env.update({"LANG": "C.UTF-8", **environment})
    done = subprocess.run([launch.BIN / "tenfold", *map(str, arguments)], capture_output=True, text=True,
                          timeout=60, cwd=cwd, env=env, stdin=subprocess.DEVNULL)
    return launch.Result(done.returncode, done.stdout, done.stderr)


def said(*arguments, **options):
    """stdout of a command that must succeed."""
    result = tenfold(*arguments, **options)
    assert result.code == 0, f"exit code {result.code}\n{result.out}\n{result.err}"
    return result.out


def refused(code, arguments, *words, **options):
    """One line on stderr, every word in it, this exit code, nothing raw in it."""
    result = tenfold(*arguments, **options)
    assert result.code == code, f"exit code {result.code}\n{result.out}\n{result.err}"
    lines = result.err.splitlines()
    assert len(lines) == 1 and lines[0].startswith(f"tenfold: error[{code}]: "), result.err
    assert "\x1b" not in lines[0]
    for word in words:
        assert word in lines[0], f"no '{word}' in: {lines[0]}"
    return result
