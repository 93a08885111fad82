"""docs/schema.md against tests/data/run-v1: everything in the files is documented, and everything
documented is in the files, with its type. And the rule that a v1 run is read for ever."""

import atexit
import hashlib
import json
import re
import shutil
import struct
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest

import launch
import tree_files
from tenfold_analysis import report
from tenfold_analysis.tenfold_h5 import read_run

RUN = launch.SOURCE / "tests" / "data" / "run-v1"
STEP = RUN / "checkpoint" / "step-000000000800"


def sections():
    """Heading -> rows (name, type) of its table."""
    found = {}
    for part in re.split(r"^## ", (launch.SOURCE / "docs" / "schema.md").read_text(), flags=re.M)[1:]:
        rows = re.findall(r"^\| `([^`]+)` \| ([^|]*) \|", part, re.M)
        found[part.splitlines()[0]] = [(name, kind.strip()) for name, kind in rows]
    return found


SECTIONS = sections()
TREES = Path(tempfile.mkdtemp(prefix="tenfold-schema-"))
atexit.register(shutil.rmtree, TREES, ignore_errors=True)
FILES = {
    "manifest.h5": (RUN / "manifest.h5", ["Every HDF5 file", "manifest.h5"]),
    "segment": (RUN / "metrics" / "seg-0000.h5", ["Every HDF5 file", "metrics/seg-NNNN.h5"]),
    "state": (STEP / "state.h5", ["Every HDF5 file", "checkpoint/step-NNNNNNNNNNNN/state.h5",
                                  "What ddpg stores"]),
    "trees": (tree_files.write_round(TREES, 1, dropped=[(0, 1, 0)]), ["trees/round-NNNNNN.h5"]),
    "scores": (launch.SOURCE / "data" / "planner_scores.h5", ["planner_scores.h5"]),
}


def kind_of(dtype):
    return "text" if dtype.kind in "SO" else dtype.name


def contents(path):
    """Name as in the document -> what its type is called there."""
    found = {}
    with h5py.File(path, "r") as file:
        def visit(name, item):
            name = "/" + name.strip("/")
            if isinstance(item, h5py.Dataset):
                found[name] = kind_of(item.dtype)
            for key in item.attrs:
                found[f"{name}@{key}"] = kind_of(item.attrs.get_id(key).dtype)
        visit("", file)
        file.visititems(visit)
    return found


def pattern(name):
    """<series>, <name> and the like stand for one part or several, but no attribute."""
    return re.compile(re.sub(r"<[a-z]+>", "[^@]+", re.escape(name).replace("\\<", "<").replace("\\>", ">")))


@pytest.mark.parametrize("which", FILES)
def test_everything_in_the_file_is_documented_with_its_type(which):
    path, headings = FILES[which]
    rows = [row for heading in headings for row in SECTIONS[heading]]
    for name, kind in contents(path).items():
        matching = [documented for row, documented in rows if pattern(row).fullmatch(name)]
        assert matching, f"{path.name}: {name} is not in docs/schema.md"
        assert any(documented.startswith(kind) or "number" in documented for documented in matching), name


@pytest.mark.parametrize("which", FILES)
def test_everything_documented_is_in_the_file(which):
    path, headings = FILES[which]
    names = contents(path)
    with h5py.File(path, "r") as file:
        for heading in headings:
            for row, kind in SECTIONS[heading]:
                assert any(pattern(row).fullmatch(name) for name in names) or (
                    kind == "group" and row in file), f"{row} is not in {path.name}"


def test_files_of_a_run():
    documented = [re.compile(re.escape(name).replace("N" * 12, r"\d{12,}").replace("NNNNN", r"\d{5}")
                             .replace("NNNN", r"\d{4,}"))
                  for name, _ in SECTIONS["Files"]]
    files = [path.relative_to(RUN).as_posix() for path in RUN.rglob("*") if path.is_file()]
    for name in files:
        assert any(each.fullmatch(name) for each in documented), name
    for each in documented:
        assert any(each.fullmatch(name) for name in files), each.pattern


def test_commit_record():
    record = json.loads((STEP / "COMMIT.json").read_text())
    flat = {key: value for key, value in record.items() if key != "metadata"}
    flat.update({f"metadata.{key}": value for key, value in record["metadata"].items()})
    rows = dict(SECTIONS["checkpoint/step-NNNNNNNNNNNN/COMMIT.json"])
    assert set(rows) == set(flat)
    for key, kind in rows.items():
        assert isinstance(flat[key], {"text": str, "integer": int}[kind]), key
    state = (STEP / "state.h5").read_bytes()
    assert (record["bytes"], record["sha256"]) == (len(state), hashlib.sha256(state).hexdigest())
    assert (record["step"], record["world_size"], record["shards"]) == (800, 2, 8)
    assert json.loads(record["metadata"]["config"])["network.actor-net"] == "16x16"


def xxh64(data):
    """XXH64 with seed 0, from its specification."""
    p1, p2, p3, p4, p5 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
                          0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
    mask = (1 << 64) - 1
    rotate = lambda x, r: ((x << r) | (x >> (64 - r))) & mask
    turn = lambda lane, word: rotate((lane + word * p2) & mask, 31) * p1 & mask
    place = 0
    if len(data) >= 32:
        lanes = [(p1 + p2) & mask, p2, 0, -p1 & mask]
        while place + 32 <= len(data):
            lanes = [turn(lane, word) for lane, word in zip(lanes, struct.unpack_from("<4Q", data, place))]
            place += 32
        value = sum(rotate(lane, r) for lane, r in zip(lanes, (1, 7, 12, 18))) & mask
        for lane in lanes:
            value = ((value ^ turn(0, lane)) * p1 + p4) & mask
    else:
        value = p5
    value = (value + len(data)) & mask
    while place + 8 <= len(data):
        value = (rotate(value ^ turn(0, struct.unpack_from("<Q", data, place)[0]), 27) * p1 + p4) & mask
        place += 8
    if place + 4 <= len(data):
        value = (rotate(value ^ struct.unpack_from("<I", data, place)[0] * p1 & mask, 23) * p2 + p3) & mask
        place += 4
    for byte in data[place:]:
        value = rotate(value ^ byte * p5 & mask, 11) * p1 & mask
    value = (value ^ value >> 33) * p2 & mask
    value = (value ^ value >> 29) * p3 & mask
    return value ^ value >> 32


def test_xxh64_by_its_published_values():
    assert xxh64(b"") == 0xEF46DB3751D8E999 and xxh64(b"abc") == 0x44BC2CF5AD770999


def test_every_data_set_has_its_shape_and_digest():
    with h5py.File(STEP / "state.h5", "r") as file:
        group, found = file["checkpoint"], []
        group.visititems(lambda name, item: found.append(item) if isinstance(item, h5py.Dataset) else None)
        assert group.attrs["datasets"] == len(found)
        shards = int(group.attrs["shards"])
        for item in found:
            assert item.attrs["dtype"].decode() == item.dtype.name
            value, shape = item[()], tuple(item.attrs["shape"])
            if item.attrs["scope"] == b"replicated":
                assert value.shape == shape
                parts = [value]
            else:
                rows = item.attrs["rows"]
                full = (shards, max(rows), *shape[1:]) if shape else (shards,)
                assert value.shape == full, item.name
                parts = [value[s][:rows[s]] if shape else value[s] for s in range(shards)]
            assert item.attrs["xxh64"].tolist() == [xxh64(np.asarray(p).tobytes()) for p in parts], item.name


def test_the_reader_reads_the_first_version_for_ever():
    run = read_run(RUN)
    assert (run.app, run.run_id, run.state, run.warnings) == ("ddpg", "run-v1", "finished", [])
    assert run.manifest["world_size"] == "2" and run.manifest["reduce"] == "ordered"
    assert run.config["network.actor-net"].value == "16x16"
    assert run.config["network.actor-net"].origin == "command line"
    assert run.config["eval.episodes"].origin.startswith("apps/ddpg/configs/smoke.cfg:")
    assert (run.last_step, run.total_steps) == (800, 800)
    assert run.get("eval/return").step.tolist() == [0, 200, 400, 600, 800]
    assert run.get("eval/q_vs_return").value.shape == (200, 2)
    assert [event.kind for event in run.events] == ["start", "checkpoint", "end"]
    assert [(c.step, c.world_size, c.problem) for c in run.checkpoints] == [(800, 2, "")]
    # Written by C++, read by h5py and by the reader: the same numbers.
    with h5py.File(RUN / "metrics" / "seg-0000.h5", "r") as file:
        for name, series in run.series.items():
            assert np.array_equal(file[f"metrics/{name}/value"][()], series.value, equal_nan=True)
            assert np.array_equal(file[f"metrics/{name}/step"][()], series.step)


def test_its_report_can_be_made():
    text = report.render(read_run(RUN))
    assert "ddpg on pendulum" in text and "step-000000000800" in text
