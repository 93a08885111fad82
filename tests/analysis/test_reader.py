"""tenfold_h5: what the reader says of runs that are whole, live, killed, resumed, damaged or foreign."""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

import run_files
from tenfold_analysis import tenfold_h5
from tenfold_analysis.tenfold_h5 import NotARun, read_run


def test_every_field_of_a_finished_run(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    run_files.make_checkpoint(path, 2000)
    run = read_run(path)
    assert (run.app, run.run_id, run.state, run.warnings) == ("ddpg", "a", "finished", [])
    assert run.manifest["command_line"] == "ddpg --task cartpole_swingup"
    assert run.manifest["dep.hdf5"] == "1.10.8"
    assert run.config["train.total-steps"].value == "4000"
    assert run.config["train.total-steps"].origin == "command line"
    assert (run.last_step, run.total_steps) == (4000, 4000)
    series = run.series["eval/return"]
    assert series.step.tolist() == [0, 1000, 2000, 3000, 4000]
    assert series.value.tolist() == [0, 100, 200, 300, 400]
    assert series.wall_s.tolist() == [run_files.START + step / 100 for step in series.step]
    assert set(series.segment.tolist()) == {0}
    assert (series.unit, series.description) == ("reward", "about eval/return")
    assert (series.reduction, series.better, series.columns) == ("mean", "max", 1)
    pairs = run.series["eval/q_vs_return"]
    assert pairs.columns == 2 and pairs.value.shape == (20, 2)
    assert np.array_equal(pairs.value[:, 0], 2 * pairs.value[:, 1] + 1)
    assert [(e.step, e.kind, e.text, e.wall_s) for e in run.events] == [
        (0, "start", "the beginning", run_files.START), (4000, "end", "finished", run_files.START + 40)]
    (checkpoint,) = run.checkpoints
    assert (checkpoint.step, checkpoint.bytes, checkpoint.world_size) == (2000, 5, 2)
    assert (checkpoint.created_utc, checkpoint.problem) == ("2026-01-31T12:00:00Z", "")


def test_a_series_without_rows_is_there_and_get_hides_it(tmp_path):
    run = read_run(run_files.make_run(tmp_path / "a", steps=[0]))
    assert len(run.series["train/critic_loss"]) == 0 and run.get("train/critic_loss") is None
    assert run.get("no/such") is None and len(run.get("eval/return")) == 1


@pytest.mark.parametrize("last,state", [("end", "finished"), ("stop", "stopped"), ("", "killed"),
                                        ("checkpoint", "killed")])
def test_state_is_what_the_last_event_says(tmp_path, last, state):
    assert read_run(run_files.make_run(tmp_path / "a", end=last)).state == state


def test_a_lock_makes_it_running_and_a_stale_note_does_not(tmp_path):
    path = run_files.make_run(tmp_path / "a", end="")
    note = f"{socket.gethostname()}:1:2026-01-31T12:00:00Z\n"
    (path / ".lock").write_text(note)
    assert read_run(path).state == "killed"
    with (path / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert read_run(path).state == "running"
    (path / ".lock").write_text("another-host:1:2026-01-31T12:00:00Z\n")
    assert read_run(path).state == "running"  # its metrics are fresh
    old = time.time() - 2 * tenfold_h5.FRESH_SECONDS
    os.utime(path / "metrics" / "seg-0000.h5", (old, old))
    assert read_run(path).state == "killed"


def two_segments(path, resumed, again):
    """0..4000 by 1000, then from `resumed` on with other values at the steps in `again`."""
    run_files.make_run(path, end="")
    with run_files.create_segment(path, 1, {"eval/return": 1, "eval/new": 1}, resumed=resumed) as file:
        run_files.append_rows(file, "eval/return", again, [-1.0 * step for step in again])
        run_files.append_rows(file, "eval/new", again, [5.0] * len(again))
        run_files.append_event(file, max(resumed, 0), "resume", "step-2500")
    return read_run(path)


def test_replayed_steps_replace_the_rows_of_before(tmp_path):
    run = two_segments(tmp_path / "a", 2500, [3000, 4000, 5000])
    series = run.series["eval/return"]
    assert series.step.tolist() == [0, 1000, 2000, 3000, 4000, 5000]
    assert series.value.tolist() == [0, 100, 200, -3000, -4000, -5000]
    assert series.segment.tolist() == [0, 0, 0, 1, 1, 1]
    # A series that the new segment does not have ends at the step that it went on from.
    assert run.series["train/critic_loss"].step.tolist() == [1000, 2000]
    assert run.series["eval/new"].step.tolist() == [3000, 4000, 5000]
    assert [event.kind for event in run.events] == ["start", "resume"]
    assert [event.segment for event in run.events] == [0, 1]


def test_a_row_at_the_resumed_step_itself_stays_unless_it_was_written_again(tmp_path):
    kept = two_segments(tmp_path / "kept", 2000, [3000]).series["eval/return"]
    assert kept.step.tolist() == [0, 1000, 2000, 3000] and kept.value[2] == 200
    again = two_segments(tmp_path / "again", 2000, [2000, 3000]).series["eval/return"]
    assert again.step.tolist() == [0, 1000, 2000, 3000] and again.value[2] == -2000


def test_a_segment_from_the_beginning_replaces_everything(tmp_path):
    series = two_segments(tmp_path / "a", -1, [0, 1000]).series["eval/return"]
    assert series.step.tolist() == [0, 1000] and set(series.segment.tolist()) == {1}


def test_another_number_of_columns_leaves_the_older_rows_out(tmp_path):
    path = run_files.make_run(tmp_path / "a", end="")
    with run_files.create_segment(path, 1, {"eval/return": 3}, resumed=4000) as file:
        run_files.append_rows(file, "eval/return", [5000], [[1.0, 2.0, 3.0]])
    run = read_run(path)
    assert run.series["eval/return"].value.tolist() == [[1.0, 2.0, 3.0]]
    assert any("columns" in text for text in run.warnings)


def test_segments_are_ordered_by_number_not_by_name(tmp_path):
    path = run_files.make_run(tmp_path / "a", end="")
    with run_files.create_segment(path, 9999, {"eval/return": 1}, resumed=4000) as file:
        run_files.append_rows(file, "eval/return", [5000], [1.0])
    with run_files.create_segment(path, 10000, {"eval/return": 1}, resumed=5000) as file:
        run_files.append_rows(file, "eval/return", [6000], [2.0])
    assert read_run(path).series["eval/return"].value.tolist()[-2:] == [1.0, 2.0]


def test_rows_from_the_first_torn_one_on_are_left_out(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    with h5py.File(path / "metrics" / "seg-0000.h5", "r+") as file:
        file["metrics/eval/return/wall_s"][3] = np.nan
        file["metrics/train/critic_loss/step"].resize(2, axis=0)
    run = read_run(path)
    assert run.series["eval/return"].step.tolist() == [0, 1000, 2000]
    assert len(run.series["train/critic_loss"]) == 2


def test_values_that_are_not_numbers_are_rows_like_any_other(tmp_path):
    path = run_files.make_run(tmp_path / "a", steps=[0])
    with h5py.File(path / "metrics" / "seg-0000.h5", "r+") as file:
        run_files.append_rows(file, "eval/return", [1, 2, 3], [np.nan, np.inf, -np.inf])
    assert read_run(path).series["eval/return"].value.tolist()[2:] == [np.inf, -np.inf]


WRITER = """
import sys, pathlib, run_files
run = pathlib.Path(sys.argv[1])
run_files.write_manifest(run)
file = run_files.create_segment(run, 0, {"eval/return": 1})
file.swmr_mode = True
for step in range(100):
    run_files.append_rows(file, "eval/return", [step], [step / 2])
run_files.append_event(file, 0, "start", "")
print("written", flush=True)
sys.stdin.readline()
"""


def test_a_live_run_is_read_and_so_is_what_a_kill_leaves(tmp_path):
    path = tmp_path / "live"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", WRITER, path], env=environment, text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == "written\n"
        live = read_run(path)
        writer.kill()
    with pytest.raises(OSError):  # plain reading refuses what a killed writer left
        h5py.File(path / "metrics" / "seg-0000.h5", "r")
    for run in (live, read_run(path)):
        assert run.warnings == []
        assert run.series["eval/return"].value.tolist() == [step / 2 for step in range(100)]


def test_damaged_metrics_are_named_and_the_rest_is_read(tmp_path):
    path = run_files.make_run(tmp_path / "a", end="")
    with run_files.create_segment(path, 1, {"eval/return": 1}, resumed=4000) as file:
        run_files.append_rows(file, "eval/return", [5000], [1.0])
    newest = path / "metrics" / "seg-0001.h5"
    newest.write_bytes(newest.read_bytes()[:100])
    run = read_run(path)
    assert run.state == "unknown"  # how it ended stood there
    assert len(run.series["eval/return"]) == 5
    assert len(run.warnings) == 1 and "seg-0001.h5" in run.warnings[0]


@pytest.mark.parametrize("place", [0.001, 0.002, 0.05, 0.3])
def test_a_flipped_byte_of_metadata_ends_soon(tmp_path, place):
    """HDF5's own 100 attempts with doubling pauses would not end in a lifetime."""
    path = run_files.make_run(tmp_path / "a")
    file = path / "metrics" / "seg-0000.h5"
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= 1
    file.write_bytes(data)
    begin = time.monotonic()
    run = read_run(path)
    assert time.monotonic() - begin < 5
    assert run.warnings or len(run.series["eval/return"]) == 5


def rewrite(attribute, value):
    def change(path):
        with h5py.File(path / "manifest.h5", "r+") as file:
            file.attrs[attribute] = value
    return change


@pytest.mark.parametrize("change,words", [
    (lambda path: (path / "manifest.h5").unlink(), "no manifest.h5"),
    (lambda path: (path / "manifest.h5").write_bytes(b""), "manifest.h5"),
    (lambda path: (path / "manifest.h5").write_text("hello"), "manifest.h5"),
    (rewrite("schema", "another"), "schema is 'another'"),
    (rewrite("schema_version", 2), "schema version 2, this program reads 1"),
], ids=["none", "empty", "text", "foreign", "newer"])
def test_what_is_not_a_run_is_refused_with_a_message(tmp_path, change, words):
    path = run_files.make_run(tmp_path / "a")
    change(path)
    with pytest.raises(NotARun, match=words) as caught:
        read_run(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_path_that_is_no_folder_is_refused(tmp_path):
    (tmp_path / "file").touch()
    for name, words in (("file", "not a folder"), ("none", "does not exist")):
        with pytest.raises(NotARun, match=words):
            read_run(tmp_path / name)


def test_a_segment_of_another_schema_is_left_out_by_name(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    with h5py.File(path / "metrics" / "seg-0001.h5", "w") as file:
        file.attrs["schema"] = "tenfold-run"
        file.attrs["schema_version"] = 7
    run = read_run(path)
    assert len(run.warnings) == 1 and "version 7" in run.warnings[0] and "seg-0001.h5" in run.warnings[0]
    assert len(run.series["eval/return"]) == 5


def test_a_configuration_that_cannot_be_read_is_a_warning(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    with h5py.File(path / "manifest.h5", "r+") as file:
        file["manifest"].attrs["config"] = "{"
    run = read_run(path)
    assert run.config == {} and "configuration" in run.warnings[0] and run.total_steps is None


def test_checkpoints_newest_first_with_what_is_wrong(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    for step in (1000, 2000, 3000, 4000):
        run_files.make_checkpoint(path, step)
    folder = path / "checkpoint"
    (folder / "step-000000001000" / "COMMIT.json").unlink()
    (folder / "step-000000002000" / "COMMIT.json").write_text("{")
    (folder / "step-000000003000" / "state.h5").write_bytes(b"cut")
    (folder / "step-000000005000.partial").mkdir()
    found = read_run(path).checkpoints
    assert [checkpoint.step for checkpoint in found] == [4000, 3000, 2000, 1000]
    assert found[0].problem == ""
    assert "3 bytes" in found[1].problem
    assert "cannot be read" in found[2].problem
    assert found[3].problem == "not committed"


def test_find_runs_at_and_below_a_folder(tmp_path):
    for name in ("b", "a", "deep/c"):
        run_files.make_run(tmp_path / name, steps=[0])
    assert tenfold_h5.find_runs(tmp_path / "a") == [tmp_path / "a"]
    assert tenfold_h5.find_runs(tmp_path) == [tmp_path / "a", tmp_path / "b", tmp_path / "deep" / "c"]
    assert tenfold_h5.find_runs(tmp_path / "none") == [tmp_path / "none"]


def test_the_end_of_the_log(tmp_path):
    run = read_run(run_files.make_run(tmp_path / "a"))
    assert tenfold_h5.log_tail(run) == []
    (run.path / "logs" / "rank-00000.log").write_text("".join(f"line {i}\n" for i in range(99999)))
    assert tenfold_h5.log_tail(run, 2) == ["line 99997", "line 99998"]


def test_old_notes_of_configuration_without_origin(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    with h5py.File(path / "manifest.h5", "r+") as file:
        file["manifest"].attrs["config"] = json.dumps({"train.total-steps": 12})
    run = read_run(path)
    assert run.total_steps == 12 and run.config["train.total-steps"].origin == ""
