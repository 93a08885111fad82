"""plot_ddpg: the paper's figures 2 and 3 from runs of ddpg."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import run_files
from tenfold_analysis import plot_ddpg
from tenfold_analysis.tenfold_h5 import read_run


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make(path, task="pendulum", **options):
    run_files.make_run(path, **options)
    run_files.write_manifest(path, {"task.task": (task, "command line")}, seed=str(options.get("seed", 1)))
    return read_run(path)


def axes_of(draw, *arguments):
    _, axes = plt.subplots()
    draw(axes, *arguments)
    return axes


def test_mean_curve_where_all_curves_are():
    steps, mean = plot_ddpg.mean_curve([(np.array([0, 10, 20]), np.array([0.0, 10.0, 20.0])),
                                        (np.array([5, 10, 30]), np.array([7.0, 12.0, 12.0]))])
    assert steps.tolist() == [5, 10, 20]
    assert mean.tolist() == [6, 11, 16]


def test_robust_line_ignores_outliers():
    x = np.arange(20.0)
    y = 3 * x - 2
    y[[1, 7, 19]] = [500, -300, 999]
    slope, intercept = plot_ddpg.robust_line(x, y)
    assert slope == pytest.approx(3) and intercept == pytest.approx(-2)
    assert plot_ddpg.robust_line(np.ones(20), y) is None
    assert plot_ddpg.robust_line(x[:2], y[:2]) is None


def test_calibration_points_are_those_of_the_last_evaluations(tmp_path):
    run = make(tmp_path / "a")
    points = plot_ddpg.calibration_points(run, 1)
    assert points.tolist() == [[3, 1], [5, 2], [9, 4], [17, 8]]
    assert len(plot_ddpg.calibration_points(run, 2)) == 8


def test_calibration_says_bias_and_slope(tmp_path):
    axes = axes_of(plot_ddpg.calibration, "pendulum", [make(tmp_path / "a")])
    named = [text.get_text() for text in axes.get_legend().get_texts()]
    # estimate = 2 return + 1; the median of return + 1 over returns 1 2 4 8 is 4.
    assert named == ["Q = return", "20 states, median Q − return +4", "robust fit, slope 2.00"]
    assert axes.get_xlabel() == "discounted return that followed" and axes.get_ylabel() == "estimated Q"
    assert axes.get_title(loc="left") == "pendulum"


def test_calibration_without_points_says_so(tmp_path):
    run_files.write_manifest(tmp_path / "a", {"task.task": ("pendulum", "default")})
    axes = axes_of(plot_ddpg.calibration, "pendulum", [read_run(tmp_path / "a")])
    assert "no comparison of Q yet" in axes.get_title(loc="left")


def test_learning_curve_of_seeds_with_the_random_policy(tmp_path):
    runs = [make(tmp_path / f"s{seed}", scale=seed, seed=seed) for seed in (1, 3)]
    axes = axes_of(plot_ddpg.learning_curve, "pendulum", runs)
    assert axes.get_title(loc="left") == "pendulum · mean of 2 seeds, last 800"
    assert axes.get_lines()[2].get_ydata().tolist() == [0, 200, 400, 600, 800]
    assert [text.get_text() for text in axes.texts] == ["random policy"]


def test_runs_of_one_seed_are_called_runs_and_a_short_one_hides_the_last(tmp_path):
    runs = [make(tmp_path / "a"), make(tmp_path / "b", steps=[0, 1000])]
    axes = axes_of(plot_ddpg.learning_curve, "pendulum", runs)
    assert axes.get_title(loc="left") == "pendulum · mean of 2 runs"


def test_planner_score_normalises(tmp_path):
    axes = axes_of(plot_ddpg.learning_curve, "pendulum", [make(tmp_path / "a")], 400.0)
    curve = axes.get_lines()[0].get_ydata()
    assert curve[-1] == 1 and curve[0] == pytest.approx(-7.5 / 392.5)
    assert [text.get_text() for text in axes.texts] == ["random policy", "planner"]
    assert axes.get_ylabel() == "normalised return"


def test_one_column_per_task(tmp_path):
    runs = [make(tmp_path / "a"), make(tmp_path / "b", "reacher_easy")]
    assert len(plot_ddpg.family_figure(runs).axes) == 4
    assert [title for title, _, _ in plot_ddpg.report_figures(runs)] == ["Is Q right?"] * 2


def test_command_line(tmp_path, capsys):
    make(tmp_path / "runs" / "a")
    out = tmp_path / "out" / "ddpg.png"
    assert plot_ddpg.main([str(tmp_path / "runs"), "--out", str(out)]) == 0
    assert out.read_bytes().startswith(b"\x89PNG")
    assert plot_ddpg.main([str(tmp_path / "none"), "--out", str(out)]) == 3
    assert "does not exist" in capsys.readouterr().err
    assert plot_ddpg.main([str(tmp_path / "runs"), "--out", str(tmp_path / "x.frob")]) == 4
    with pytest.raises(SystemExit):
        plot_ddpg.main([str(tmp_path / "runs"), "--planner-score", "pendulum"])
