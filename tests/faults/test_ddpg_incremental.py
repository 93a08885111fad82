"""--replay-checkpoint incremental: small checkpoints that build on earlier ones, and nothing is lost."""

import re
import shutil
import subprocess

import pytest

import launch
import small_run

# 40 transitions per shard: the memory is full after step 320. 5 new ones per shard and checkpoint.
ARGS = ["--replay", "320", "--checkpoint-every", "40"]
INCREMENTAL = [*ARGS, "--replay-checkpoint", "incremental"]


def tenfold(*arguments):
    done = subprocess.run([launch.BIN / "tenfold", *arguments], capture_output=True, text=True, timeout=60)
    return launch.Result(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("unbroken") / "run"
    result = small_run.go(run_dir, *ARGS)
    assert result.code == 0, result.out + result.err
    return run_dir


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that stopped after step 560, when every slot had been written once and some twice."""
    run_dir = tmp_path_factory.mktemp("stopped") / "run"
    result = small_run.go(run_dir, *INCREMENTAL, "--stop-after", "560")
    assert result.code == 75, result.out + result.err
    return run_dir


def test_checkpoints_are_small_and_name_what_they_build_on(unbroken, stopped):
    folders = launch.checkpoints(stopped)
    newest = folders[-1]
    record = launch.commit(newest)
    steps = [need["step"] for need in record["needs"]]
    assert steps == list(range(40, 560, 40)) == [launch.commit(f)["step"] for f in folders[:-1]]
    assert [need["sha256"] for need in record["needs"]] == [launch.commit(f)["sha256"] for f in folders[:-1]]
    sets = launch.data_sets(newest)
    shape = sets["replay/observation"][0].shape
    assert shape[:2] == (8, 5)
    for name in ("observation", "action", "reward", "next_observation", "terminal"):
        attributes = sets[f"replay/{name}"][1]
        assert attributes["scope"] == b"increment"
        assert attributes["first"].tolist() == [65] * 8 and attributes["written"].tolist() == [70] * 8
    whole = launch.commit(launch.checkpoints(unbroken)[-1])
    assert record["bytes"] < whole["bytes"]


def test_what_is_stored_is_documented(stopped):
    text = (launch.SOURCE / "docs" / "schema.md").read_text()
    part = re.search(r"^## Increments\n(.*?)^## ", text, re.M | re.S)[1]
    documented = set(re.findall(r"^\| `([^`]+)` ", part, re.M))
    attributes = launch.data_sets(launch.checkpoints(stopped)[-1])["replay/reward"][1]
    usual = {"dtype", "scope", "shape", "rows", "xxh64"}
    assert documented == {f"/checkpoint/<name>@{key}" for key in set(attributes) - usual} | {
        f"needs[].{key}" for key in launch.commit(launch.checkpoints(stopped)[-1])["needs"][0]}


@pytest.mark.parametrize("ranks", [1, 4])
def test_resumes_on_another_number_of_ranks(tmp_path, unbroken, stopped, ranks):
    run_dir = tmp_path / "run"
    shutil.copytree(stopped, run_dir)
    result = small_run.go(run_dir, *INCREMENTAL, ranks=ranks)
    assert result.code == 0, result.out + result.err
    assert "step-000000000560 (written by 2 ranks)" in result.out
    assert launch.differences(launch.final_state(unbroken), launch.final_state(run_dir)) == []
    first = launch.commit(launch.checkpoints(run_dir)[-2])
    assert first["step"] == 600 and "needs" not in first, "a process begins with a full one"
    assert [need["step"] for need in launch.commit(launch.checkpoints(run_dir)[-1])["needs"]] == [600]
    assert len(launch.checkpoints(run_dir)) == 2, "nothing needs those before"


def test_killed_and_resumed_as_full(tmp_path, unbroken):
    run_dir = tmp_path / "run"
    killed = small_run.go(run_dir, *INCREMENTAL, fault="kill:rank=1:at=loop.step:n=61")
    assert killed.code != 0
    assert launch.commit(launch.checkpoints(run_dir)[-1])["needs"]
    result = small_run.go(run_dir, *ARGS)
    assert result.code == 0, result.out + result.err
    assert launch.differences(launch.final_state(unbroken), launch.final_state(run_dir)) == []


def test_a_damaged_member_makes_the_run_start_from_before_it(tmp_path, unbroken, stopped):
    run_dir = tmp_path / "run"
    shutil.copytree(stopped, run_dir)
    member = launch.checkpoints(run_dir)[4] / "state.h5"
    data = bytearray(member.read_bytes())
    data[len(data) // 2] ^= 0x10
    member.write_bytes(data)
    result = tenfold("verify", run_dir)
    assert result.code == 6 and "step-000000000200" in result.err, result.err
    result = small_run.go(run_dir, *INCREMENTAL)
    assert result.code == 0, result.out + result.err
    assert len(re.findall("passed over: .*builds on step-000000000200", result.err)) == 9
    assert "step-000000000160 (written by 2 ranks)" in result.out
    assert launch.differences(launch.final_state(unbroken), launch.final_state(run_dir)) == []


def test_the_tool_reads_chains(tmp_path, unbroken, stopped):
    result = tenfold("verify", stopped)
    assert result.code == 0 and "on top of 13 from step 40 to 520" in result.out, result.out + result.err
    result = tenfold("inspect", launch.checkpoints(stopped)[-1])
    assert result.code == 0 and "8x[5 new of 40" in result.out, result.out + result.err
    run_dir = tmp_path / "run"
    shutil.copytree(stopped, run_dir)
    assert small_run.go(run_dir, *INCREMENTAL).code == 0
    newest = [launch.checkpoints(run)[-1] for run in (unbroken, run_dir)]
    result = tenfold("diff", *newest)
    assert result.code == 0 and result.out.endswith("\nequal\n"), result.out + result.err
    older = launch.checkpoints(run_dir)[-2]
    result = tenfold("diff", newest[0], older)
    assert result.code == 1 and re.search(r"^ *replay/reward +320 ", result.out, re.M), result.out
