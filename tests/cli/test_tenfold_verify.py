"""tenfold verify: every byte of a checkpoint counts, and what is wrong is named."""

import json
import shutil

import pytest

from tenfold_tool import STEP, V1, refused, said, tenfold


@pytest.fixture
def run(tmp_path):
    shutil.copytree(V1, tmp_path / "run")
    return tmp_path / "run"


def test_a_good_run_and_a_good_checkpoint(run):
    out = said("verify", run)
    assert "ok       " in out and "18 series" in out and out.endswith("1 checkpoint, good\n")
    record = json.loads((run / "checkpoint" / STEP / "COMMIT.json").read_text())
    assert f"step 800, 109.3 kB, sha256 {record['sha256'][:12]}..., 2 ranks, 8 shards" in out
    for path in (run / "checkpoint" / STEP, f"{run}/checkpoint/{STEP}/"):
        assert said("verify", path).count("\n") == 1


def flip(path, place):
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("place", [0, 0.1, 0.5, 0.99999])
def test_one_flipped_bit_anywhere(run, place):
    flip(run / "checkpoint" / STEP / "state.h5", place)
    result = refused(6, ["verify", run], "1 of 1", STEP, "None is left")
    assert f"UNUSABLE {run}/checkpoint/{STEP}: state.h5 is damaged" in result.out
    refused(6, ["verify", run / "checkpoint" / STEP], "state.h5 is damaged")


def rewrite(**changes):
    def change(folder):
        record = json.loads((folder / "COMMIT.json").read_text())
        record.update(changes)
        (folder / "COMMIT.json").write_text(json.dumps(record))
    return change


@pytest.mark.parametrize("change,words", [
    (lambda folder: (folder / "state.h5").unlink(), "state.h5 is missing"),
    (lambda folder: (folder / "state.h5").write_bytes(b""), "0 bytes"),
    (lambda folder: (folder / "COMMIT.json").write_text("{"), "not a JSON object"),
    (lambda folder: (folder / "COMMIT.json").write_text("\x1b[31m"), "not a JSON object"),
    (rewrite(step=900), "step 900"),
    (rewrite(sha256="ab"), "sha256"),
    (rewrite(schema_version=2), "version 2"),
    (rewrite(world_size=-1), "world_size"),
], ids=["no state", "empty state", "torn record", "binary record", "other step", "short digest", "newer",
        "ranks"])
def test_damaged_checkpoints(run, change, words):
    change(run / "checkpoint" / STEP)
    result = refused(6, ["verify", run], STEP)
    assert words in result.out


def test_a_good_one_beside_a_bad_one_is_what_resuming_takes(run):
    shutil.copytree(run / "checkpoint" / STEP, run / "checkpoint" / "step-000000001600")
    rewrite(step=1600)(run / "checkpoint" / "step-000000001600")
    assert said("verify", run).endswith("2 checkpoints, all good\n")
    flip(run / "checkpoint" / "step-000000001600" / "state.h5", 0.5)
    result = refused(6, ["verify", run], "1 of 2", "step-000000001600", "newest good one")
    assert "ok " in result.out and "UNUSABLE" in result.out


def test_what_a_loader_never_looks_at_is_named_and_harms_nothing(run):
    folder = run / "checkpoint"
    (folder / "step-000000001600.partial").mkdir()
    (folder / "step-000000002400").mkdir()
    shutil.copytree(folder / STEP, folder / f"{STEP}.superseded-20260131-120000")
    out = said("verify", run)
    for reason in ("not finished", "not committed", "superseded"):
        assert reason in out
    assert out.count("ignored") == 3


def test_a_run_without_checkpoints(run):
    shutil.rmtree(run / "checkpoint" / STEP)
    assert said("verify", run).endswith("0 checkpoints: nothing to resume from\n")


def test_damaged_metrics_do_not_touch_the_checkpoints(run):
    file = run / "metrics" / "seg-0000.h5"
    file.write_bytes(file.read_bytes()[:9000])
    result = refused(3, ["verify", run], "1 file of metrics", "Resuming does not need them")
    assert "DAMAGED" in result.out and "seg-0000.h5" in result.out and f"{STEP}  step 800" in result.out


def test_what_is_neither(tmp_path, run):
    refused(3, ["verify", tmp_path / "none"], "does not exist")
    refused(3, ["verify", tmp_path], "neither a run", "step-...")
    refused(3, ["verify", run / "checkpoint"], "neither a run")
    (tmp_path / "step-1").mkdir()
    refused(6, ["verify", tmp_path / "step-1"], "not named like a checkpoint")
    assert tenfold("verify").code == 2
