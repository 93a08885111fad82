"""tenfold inspect: what files hold, checked against h5py."""

import re
import shutil

import h5py
import numpy as np
import pytest

import run_files
from tenfold_tool import STEP, V1, refused, said, tenfold


@pytest.fixture
def run(tmp_path):
    shutil.copytree(V1, tmp_path / "run")
    return tmp_path / "run"


def test_a_run_shows_manifest_series_and_every_data_set():
    out = said("inspect", V1)
    assert re.search(r"^  git_commit +a266ecd", out, re.M)
    assert re.search(r"^  eval/return +5 +1 +0.05245 +111 +24.49 +reward$", out, re.M)
    with h5py.File(V1 / "checkpoint" / STEP / "state.h5") as file:
        names = []
        file["checkpoint"].visititems(lambda n, o: names.append(n) if isinstance(o, h5py.Dataset) else None)
    assert f"{len(names)} data sets; 0 values not finite; all 159 digests hold" in out
    table = out[out.index("data set "):]
    assert max(map(len, table.splitlines())) <= 80
    for name in names:
        assert re.search(rf"^ *{name.rsplit('/', 1)[-1]} ", table, re.M), name


def values_of(text):
    """The number columns of a data set's line."""
    return [float(word) for word in text.split()[-3:]]


def test_least_greatest_and_mean_are_those_of_the_rows_in_use():
    with h5py.File(V1 / "checkpoint" / STEP / "state.h5") as file:
        data = file["checkpoint/replay/observation"]
        used = np.concatenate([data[s, :rows] for s, rows in enumerate(data.attrs["rows"])])
    line = re.search(r"^  observation +float32  8x\[100 of 200, 3\].*$",
                     said("inspect", V1, "replay"), re.M)[0]
    assert values_of(line) == pytest.approx([used.min(), used.max(), used.mean()], rel=5e-3)


def test_one_data_set_to_the_single_value(run):
    folder = run / "checkpoint" / STEP
    with h5py.File(folder / "state.h5") as file:
        weight = file["checkpoint/model/actor/layer0.weight"][()]
        action = file["checkpoint/replay/action"][()]
    for path in (run, folder, f"{folder}/", folder / "state.h5"):
        out = said("inspect", path, "model/actor/layer0.weight", "-n", "2")
        assert out.startswith("model/actor/layer0.weight: float32 16x3, the same on all ranks\n")
        rows = re.findall(r"^ +\[\d\](.*)$", out, re.M)
        np.testing.assert_allclose([[float(v) for v in row.split()] for row in rows], weight[:2], rtol=1e-4)
        assert "1 digest is right" in out and "42 more values" in out
    out = said("inspect", run, "replay/action", "--shard", "5", "--rows", "1")
    shown = [float(v) for v in re.search(r"^ +\[0\](.*)$", out, re.M)[1].split()]
    np.testing.assert_allclose(shown, action[5, :6, 0], rtol=1e-4)
    refused(2, ["inspect", run, "replay/action", "--shard", "8"], "shards 0 to 7")


def test_a_name_selects_all_below_it():
    out = said("inspect", V1, "model/actor")
    assert "6 data sets" in out and "model/critic" not in out and "optimizer" not in out
    assert said("inspect", V1, "eval").count("eval/") == 6
    assert said("inspect", V1, "train/").count("train/") == 9
    assert said("inspect", V1, "version") == "0.1.0\n"


def test_a_series_by_its_rows():
    out = said("inspect", V1, "eval/return", "-n", "2")
    assert out.startswith("eval/return: 5 rows of 1 value, in reward\n")
    assert re.search(r"^ +200  2026-11-24 20:56:51   0.052448594$", out, re.M) and "3 more rows" in out


def test_what_is_not_there_is_refused_with_what_is_near(run):
    refused(3, ["inspect", run, "model/actor/layer0.wieght"], "layer0.wieght", "Did you mean 'model/actor/layer0.weight'")
    refused(3, ["inspect", run / "checkpoint" / STEP, "modl"], "nothing named 'modl'")
    refused(3, ["inspect", run / "metrics/seg-0000.h5", "eval/retrun"], "Did you mean 'eval/return'")
    refused(3, ["inspect", run / "none"], "does not exist")
    refused(3, ["inspect", run.parent], "neither a run")


def test_single_files(run):
    assert "git_commit" in said("inspect", run / "manifest.h5")
    shutil.copy(run / "manifest.h5", run.parent / "kept.h5")
    assert said("inspect", run.parent / "kept.h5", "app") == "ddpg\n"
    out = said("inspect", run / "metrics/seg-0000.h5")
    assert "from the run's beginning, 8 events" in out or re.search(r"beginning, \d+ events", out)
    assert "eval/return" in out
    shutil.copy(run / "checkpoint" / STEP / "state.h5", run.parent / "alone.h5")
    assert "68 data sets" in said("inspect", run.parent / "alone.h5")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89HDF\r\n\x1a\n" + b"\0" * 500])
def test_a_file_that_is_no_hdf5_is_bad_data(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    refused(3, ["inspect", tmp_path / "x.h5"], "x.h5")


def test_hdf5_of_others_is_refused(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["a"] = 1
    refused(3, ["inspect", tmp_path / "x.h5"], "not a file of Tenfold")


def test_damage_is_seen_before_hdf5_sees_the_file(run):
    file = run / "checkpoint" / STEP / "state.h5"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    result = refused(6, ["inspect", run], "state.h5 is damaged")
    assert "eval/return" in result.out  # what can be read was shown
    refused(6, ["inspect", file], "state.h5 is damaged")


def test_a_wrong_digest_and_a_nan_are_named(run):
    file = run.parent / "alone.h5"
    shutil.copy(run / "checkpoint" / STEP / "state.h5", file)
    with h5py.File(file, "r+") as state:
        state["checkpoint/model/actor/layer0.bias"][3] = np.nan
    result = refused(6, ["inspect", file], "1 of 159 digests do not hold")
    assert re.search(r"layer0.bias .* 1 NOT FINITE, WRONG DIGEST$", result.out, re.M)
    assert "1 of 1 digests WRONG" in said("inspect", file, "model/actor/layer0.bias")


def test_sizes_that_lie_allocate_nothing(run):
    file = run.parent / "alone.h5"
    shutil.copy(run / "checkpoint" / STEP / "state.h5", file)
    with h5py.File(file, "r+") as state:
        attrs = state["checkpoint/replay/reward"].attrs
        attrs.modify("shape", np.array([1 << 61], dtype=np.uint64))
        attrs.modify("rows", np.array([1 << 60] * 8, dtype=np.uint64))
    refused(3, ["inspect", file], "'replay/reward' contradicts itself")


def test_a_segment_that_is_being_written(tmp_path):
    path = tmp_path / "live"
    run_files.write_manifest(path)
    with run_files.create_segment(path, 0, {"eval/return": 1}) as file:
        file.swmr_mode = True
        run_files.append_rows(file, "eval/return", [0, 1, 2], [0, 10, 20])
        for where in (path / "metrics/seg-0000.h5", path):
            assert re.search(r"eval/return +3 +1 +0 +20 +10 +reward", said("inspect", where))
    assert "no committed checkpoint" in said("inspect", path)


def test_names_that_would_move_the_cursor_are_shown_as_codes(tmp_path):
    path = run_files.make_run(tmp_path / "a", command_line="x\x1b[2J")
    assert "\x1b" not in said("inspect", path)
    assert "\x1b" not in tenfold("inspect", path, "\x1b[31m").err
