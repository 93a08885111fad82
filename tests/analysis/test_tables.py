"""tables: numbers as people read them, and runs as rows."""

import numpy as np
import pytest

import run_files
from tenfold_analysis import tables
from tenfold_analysis.tenfold_h5 import Series, read_run


@pytest.mark.parametrize("value,text", [
    (None, "–"), (float("nan"), "–"), (float("inf"), "–"), (0, "0"), (12345, "12,345"), (-7, "-7"),
    (0.123456, "0.1235"), (3.14159, "3.142"), (1234.567, "1,235"), (99999.4, "99,999"),
    (1.5e-5, "1.5e-05"), (1234567.5, "1.23e+06")])
def test_number(value, text):
    assert tables.number(value) == text


@pytest.mark.parametrize("seconds,text", [(0, "00:00:00"), (59.6, "00:01:00"), (3661, "01:01:01"),
                                          (90061, "1d 01:01:01")])
def test_duration(seconds, text):
    assert tables.duration(seconds) == text


@pytest.mark.parametrize("count,text", [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"),
                                        (7e13, "70.0 TB")])
def test_size(count, text):
    assert tables.size(count) == text


def series(values, better="max"):
    values = np.array(values, float)
    return Series("eval/return", better=better, step=np.arange(len(values)), wall_s=np.zeros(len(values)),
                  value=values, segment=np.zeros(len(values), int))


def test_last_and_best_pass_over_what_is_not_finite():
    assert tables.last_value(series([1, 2, np.nan])) == 2
    assert tables.best_value(series([1, np.inf, 3, -5])) == 3
    assert tables.best_value(series([1, 3, -5], "min")) == -5
    assert tables.last_value(series([np.nan])) is None and tables.best_value(series([np.nan])) is None
    assert tables.last_value(None) is None and tables.best_value(series([1], "")) is None


def test_headline_is_an_evaluation_with_a_direction(tmp_path):
    assert tables.headline(read_run(run_files.make_run(tmp_path / "a"))).name == "eval/return"
    path = tmp_path / "b"
    run_files.write_manifest(path)
    run_files.create_segment(path, 0, {"eval/return": 1}).close()
    assert tables.headline(read_run(path)) is None
    with run_files.create_segment(path, 1, {"checkpoint/seconds": 1, "eval/any_right": 1, "eval/search_accuracy": 1}) as file:
        for name in ("checkpoint/seconds", "eval/any_right", "eval/search_accuracy"):
            file[f"metrics/{name}"].attrs["better"] = "max"
            run_files.append_rows(file, name, [0], [1.0])
    assert tables.headline(read_run(path)).name == "eval/search_accuracy"


def test_frame_has_one_column_per_value(tmp_path):
    run = read_run(run_files.make_run(tmp_path / "a"))
    assert list(tables.frame(run, "eval/return").columns) == ["step", "wall_s", "value", "segment"]
    assert tables.frame(run, "eval/return")["value"].sum() == 1000
    assert list(tables.frame(run, "eval/q_vs_return").columns)[2:4] == ["value_0", "value_1"]


def resumed_after_an_hour(path):
    """4000 steps in 40 s, an hour of nothing, 1000 steps in 5 s."""
    run_files.make_run(path, end="")
    later = run_files.START + 3640
    with run_files.create_segment(path, 1, {"eval/return": 1}, resumed=4000) as file:
        run_files.append_rows(file, "eval/return", [4000, 4500, 5000], [1, 2, 3], [later, later + 2, later + 5])
    return read_run(path)


def test_time_between_segments_is_not_running_time(tmp_path):
    assert tables.active_seconds(resumed_after_an_hour(tmp_path / "a")) == 45


def test_step_rate_is_per_segment(tmp_path):
    step, rate = tables.step_rate(resumed_after_an_hour(tmp_path / "a"))
    # Row 4000 of the first segment was written again by the second.
    assert step.tolist() == [1000, 2000, 3000, 4500, 5000]
    assert rate.tolist() == [100, 100, 100, 250, pytest.approx(500 / 3)]
    assert len(tables.step_rate(read_run(run_files.make_run(tmp_path / "b", steps=[0])))[0]) == 0


def test_summary_configuration_events_and_checkpoints(tmp_path):
    path = run_files.make_run(tmp_path / "a")
    run_files.make_checkpoint(path, 4000)
    run = read_run(path)
    row = tables.summary([run]).iloc[0]
    assert (row["run"], row["state"], row["step"], row["of"], row["time"]) == (
        "a", "finished", "4,000", "4,000", "00:00:40")
    assert (row["ranks"], row["measure"], row["last"], row["best"], row["random"]) == (
        "2", "eval/return", "400", "400", "7.500")
    assert tables.config_table(run).values.tolist() == [["train.total-steps", "4000", "command line"],
                                                        ["run.seed", "1", "default"]]
    assert tables.events_table(run)["kind"].tolist() == ["start", "end"]
    assert tables.events_table(run)["time (UTC)"][0] == "2023-11-14 22:13:20"  # date -u -d @1700000000
    assert tables.checkpoints_table(run).values.tolist() == [
        ["step-000000004000", "4,000", "5 B", 2, "2026-01-31T12:00:00Z", "committed"]]
    assert tables.series_table(run).set_index("series").loc["train/critic_loss", "rows"] == "4"


def runs_that_differ(tmp_path, *configs):
    found = []
    for index, config in enumerate(configs):
        entries = {"task.task": ("pendulum", "default"), "run.dir": (f"runs/{index}", "command line")}
        entries.update({key: (value, "command line") for key, value in config.items()})
        run_files.write_manifest(tmp_path / f"r{index}", entries)
        found.append(read_run(tmp_path / f"r{index}"))
    return found


def test_labels_say_what_differs(tmp_path):
    runs = runs_that_differ(tmp_path, {"run.seed": "1"}, {"run.seed": "2"})
    assert tables.labels(runs) == ["seed 1", "seed 2"]
    assert tables.config_differences(runs).values.tolist() == [["run.seed", "1", "2"]]
    assert tables.labels(runs[:1]) == ["r0"]


def test_labels_fall_back_to_ids_then_to_paths(tmp_path):
    same = runs_that_differ(tmp_path, {}, {})
    assert tables.labels(same) == ["r0", "r1"]
    assert tables.config_differences(same).empty
    for run in same:
        run.manifest["run_id"] = "one"
    assert tables.labels(same) == ["r0", "r1"]


def test_subject_names_the_task_when_there_is_one(tmp_path):
    (run,) = runs_that_differ(tmp_path, {})
    assert tables.subject(run) == "ddpg on pendulum"
    run.config.clear()
    assert tables.subject(run) == "ddpg"
