"""tenfold diff: what differs between two runs, and the exit code that scripts ask for."""

import hashlib
import json
import re
import shutil

import h5py
import numpy as np
import pytest

import launch
import run_files
from tenfold_tool import STEP, V1, refused, said, tenfold


@pytest.fixture
def pair(tmp_path):
    for name in ("a", "b"):
        shutil.copytree(V1, tmp_path / name)
    return tmp_path / "a", tmp_path / "b"


def change_state(run, change):
    """Edits a checkpoint and commits it anew."""
    folder = run / "checkpoint" / STEP
    with h5py.File(folder / "state.h5", "r+") as file:
        change(file["checkpoint"])
    record = json.loads((folder / "COMMIT.json").read_text())
    content = (folder / "state.h5").read_bytes()
    record.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    (folder / "COMMIT.json").write_text(json.dumps(record))


def different(*arguments):
    result = tenfold("diff", *arguments)
    assert result.code == 1 and result.err == "", f"{result.code}\n{result.out}{result.err}"
    return result.out


def test_equal_runs(pair):
    out = said("diff", *pair)
    assert out.startswith(f"A  {pair[0]}\nB  {pair[1]}\n") and out.endswith("\nequal\n")
    assert "68 data sets equal" in out and "Options: 53 equal" in out
    assert said("diff", pair[0] / "checkpoint" / STEP, pair[1] / "checkpoint" / STEP / "state.h5").endswith("\nequal\n")


def test_times_of_the_machine_are_no_difference(pair):
    for run, seconds in zip(pair, (1.5, 2.5)):
        change_state(run, lambda group: group.create_dataset("planner/cpu_seconds", data=seconds).attrs.update(
            dict(group["progress/updates_due"].attrs)))
    assert said("diff", *pair).endswith("\nequal\n")


def test_a_parameter_by_ulp_and_a_whole_number_without(pair):
    def change(group):
        data = group["model/actor/layer0.weight"]
        values = data[()]
        values[0, 0] = np.nextafter(values[0, 0], np.float32(9))
        values[1, 1] += np.float32(0.5)
        data[()] = values
        group["replay/cursor"][0] += 3
    before = h5py.File(pair[0] / "checkpoint" / STEP / "state.h5")["checkpoint/model/actor/layer0.weight"][()]
    change_state(pair[1], change)
    out = different(*pair)
    after = np.float32(before[1, 1] + np.float32(0.5))
    ordered = lambda x: int(np.int64(np.float32(x).view(np.int32)) if x >= 0
                            else np.int64(-2**31) - np.int64(np.float32(x).view(np.int32)))
    ulp = abs(ordered(after) - ordered(before[1, 1]))
    assert re.search(rf"^  model/actor/layer0.weight +48 +2 +0.5 +{ulp}$", out, re.M), out
    assert re.search(r"^  replay/cursor +8 +1 +3 +-$", out, re.M)
    assert "66 data sets equal" in out and out.endswith("they differ: state\n")


def test_rows_that_are_not_in_use_mean_nothing(pair):
    def shrink(group):
        for name in ("observation", "next_observation", "action", "reward", "terminal"):
            rows = group[f"replay/{name}"].attrs["rows"]
            rows[2] = 90
            group[f"replay/{name}"].attrs.modify("rows", rows)
    for run in pair:
        change_state(run, shrink)
    def scribble(group):
        group["replay/reward"][2, 95] = 7
    change_state(pair[1], scribble)
    assert said("diff", *pair).endswith("\nequal\n")


def test_data_sets_of_other_shapes_and_names(pair):
    def change(group):
        group.move("progress/evaluations", "progress/judgements")
        rows = group["replay/reward"].attrs["rows"]
        rows[0] = 50
        group["replay/reward"].attrs.modify("rows", rows)
    change_state(pair[1], change)
    out = different(*pair)
    assert re.search(r"progress/evaluations +only in A", out) and re.search(r"progress/judgements +only in B", out)
    assert "8x[100 of 200] / float32 8x[50-100 of 200]" in out


def test_options_count_when_results_depend_on_them(tmp_path):
    config = {"run.seed": ("1", "default"), "run.dir": ("x", "command line"), "metrics.every": ("5", "default")}
    a = run_files.make_run(tmp_path / "a")
    run_files.write_manifest(a, config)
    b = run_files.make_run(tmp_path / "b")
    run_files.write_manifest(b, {**config, "run.dir": ("y", ""), "metrics.every": ("7", "")}, hosts="elsewhere")
    out = said("diff", a, b)
    assert "results depend" not in out and re.search(r"^  metrics.every +5 +7$", out, re.M)
    assert re.search(r"^  hosts +\(absent\) +elsewhere$", out, re.M) and "neither run has a checkpoint" in out
    run_files.write_manifest(b, {**config, "run.seed": ("2", "command line")})
    assert different(a, b).endswith("they differ: options\n")


def test_metrics_at_common_steps(tmp_path):
    a = run_files.make_run(tmp_path / "a")
    b = run_files.make_run(tmp_path / "b", steps=range(0, 4001, 2000))
    assert "4 series equal" in said("diff", a, b)
    c = run_files.make_run(tmp_path / "c", scale=1.25)
    out = different(a, c)
    assert re.search(r"^  eval/return +5 +4 +1000 +100 +0.2$", out, re.M) and out.endswith("they differ: metrics\n")
    assert said("diff", a, c, "--tolerance", "0.3").endswith("\nequal\n")


def test_last_digits_that_another_number_of_ranks_gives_do_not_count(tmp_path):
    a = run_files.make_run(tmp_path / "a")
    b = run_files.make_run(tmp_path / "b", scale=1 + 1e-13)
    said("diff", a, b)
    assert "metrics" in different(a, b, "--tolerance", "0")


def test_checkpoints_of_one_step_are_compared(pair):
    newer = pair[1] / "checkpoint" / "step-000000001600"
    shutil.copytree(pair[1] / "checkpoint" / STEP, newer)
    record = json.loads((newer / "COMMIT.json").read_text())
    (newer / "COMMIT.json").write_text(json.dumps({**record, "step": 1600}))
    assert "State: step 800 in A, 800 in B" in said("diff", *pair)
    assert "State: step 800 in A, 800 in B" in said("diff", *pair, "--step", "800")
    refused(3, ["diff", *pair, "--step", "1600"], "no checkpoint of step 1600")
    shutil.rmtree(pair[0] / "checkpoint" / STEP)
    assert "only B has a checkpoint" in different(*pair)


def test_damage_and_wrong_usage_are_no_difference(pair):
    file = pair[1] / "checkpoint" / STEP / "state.h5"
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 4
    file.write_bytes(data)
    refused(6, ["diff", *pair], "state.h5 is damaged")
    refused(2, ["diff", pair[0], pair[1] / "manifest.h5"], "single file")
    refused(2, ["diff", pair[0]], "A B is missing")
    refused(3, ["diff", pair[0], pair[0] / "none"], "does not exist")
    refused(2, ["diff", *pair, "--tolerance", "much"], "--tolerance", "'much'")


def test_two_runs_of_one_seed_are_equal_and_of_two_are_not(tmp_path):
    base = ["--config", "apps/ddpg/configs/smoke.cfg", "--total-steps", "320", "--start-steps", "160",
            "--eval-every", "0", "--eval-episodes", "1", "--horizon", "60", "--replay", "2000"]
    for name, ranks, seed in (("one", 1, 3), ("two", 2, 3), ("other", 2, 4)):
        extra = ["--seed", str(seed), "--run-dir", str(tmp_path / name)]
        assert launch.run("ddpg", launch.merged(base, extra), ranks).code == 0
    out = said("diff", tmp_path / "one", tmp_path / "two")
    assert re.search(r"^  world_size +1 +2$", out, re.M) and "run.dir" in out
    out = different(tmp_path / "two", tmp_path / "other")
    assert re.search(r"^  run.seed +3 +4 +<- results depend on it$", out, re.M)
    assert out.endswith("they differ: options, metrics, state\n")
