"""What a user reads: help, configuration, tasks, version, a dry run."""

import re

import launch


def text(*args):
    result = launch.run("ddpg", args, ranks=2)
    assert result.code == 0, result.out + result.err
    return result.out


def test_help_fits_a_terminal_and_is_printed_once():
    out = text("--help")
    lines = out.splitlines()
    assert max(map(len, lines)) <= 80 and len(lines) <= 50
    assert out.count("--total-steps") == 1
    for word in ("--run-dir", "--resume", "--seed", "--stop-after", "--device", "--reduce",
                 "--virtual-shards", "--task", "75"):
        assert word in out


def test_help_all_names_every_option():
    out = text("--help", "all")
    assert max(map(len, out.splitlines())) <= 80
    for word in ("--ou-theta", "--target-bn", "--watchdog", "--keep-last", "--envs-per-shard"):
        assert word in out


def test_print_config_is_a_config(tmp_path):
    first = text("--preset", "paper", "--tau", "0.002", "--print-config")
    path = tmp_path / "again.cfg"
    path.write_text(first)
    values = lambda out: dict(re.findall(r"^([a-z0-9-]+) *= *([^#\n]*?) *(?:#.*)?$", out, re.M))
    assert values(text("--config", str(path), "--print-config")) == values(first)
    assert values(first)["tau"] == "0.002" and values(first)["critic-l2"] == "1e-2"


def test_list_tasks():
    out = text("--list-tasks")
    for task in ("pendulum", "cartpole_swingup", "cartpole_balance", "reacher_easy", "reacher_hard",
                 "point_mass"):
        assert re.search(rf"^{task}\b", out, re.M), task


def test_version_names_what_it_is_built_on():
    out = text("--version")
    for word in ("Tenfold", "Open MPI", "HDF5", "Kokkos", "2.13"):
        assert word.lower() in out.lower(), word


def test_dry_run_leaves_nothing(tmp_path):
    out = text("--config", "apps/ddpg/configs/smoke.cfg", "--dry-run", "--run-dir", str(tmp_path / "run"))
    assert "dry run" in out
    assert list(tmp_path.iterdir()) == []
