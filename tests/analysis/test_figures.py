"""figures and style: what is drawn, in which units, with which lines beside it."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

import run_files
from tenfold_analysis import figures, style
from tenfold_analysis.tenfold_h5 import read_run


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def run(tmp_path):
    return read_run(run_files.make_run(tmp_path / "a"))


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines()}


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_main_figure_shows_evaluation_in_thousands_of_steps_and_random_policy(run):
    (axes,) = figures.main_figure([run]).axes
    curve = lines(axes)["evaluation"]
    assert curve.get_xdata().tolist() == [0, 1, 2, 3, 4]
    assert curve.get_ydata().tolist() == [0, 100, 200, 300, 400]
    assert axes.get_xlabel() == "steps (thousand)" and axes.get_ylabel() == "return per episode (reward)"
    assert axes.get_title(loc="left") == "ddpg"
    assert texts(axes) == ["random policy"]
    assert any(np.all(np.asarray(line.get_ydata()) == 7.5) for line in axes.get_lines())


def test_main_figure_of_several_runs_has_a_legend_in_their_order(tmp_path):
    runs = [read_run(run_files.make_run(tmp_path / f"s{seed}", scale=seed)) for seed in (1, 2)]
    (axes,) = figures.main_figure(runs).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["s1", "s2"]
    assert lines(axes)["s2"].get_ydata().tolist() == [0, 200, 400, 600, 800]


def test_the_curve_of_one_run_comes_first_in_its_legend(tmp_path):
    path = run_files.make_run(tmp_path / "a", end="")
    with run_files.create_segment(path, 1, {"train/episode_return": 1, "eval/return": 1,
                                            "eval/return_std": 1}, resumed=4000) as file:
        run_files.append_rows(file, "train/episode_return", [4500, 5000], [1, 2])
        run_files.append_event(file, 4000, "resume", "")
    (axes,) = figures.main_figure([read_run(path)]).axes
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "evaluation", "training, exploring"]
    assert "resumed" in texts(axes)


def test_no_evaluation_no_main_figure(tmp_path):
    run_files.write_manifest(tmp_path / "a")
    run = read_run(tmp_path / "a")
    assert figures.main_figure([run]) is None
    assert figures.speed_panel([run]) is None and figures.panel([run], "eval/return") is None
    assert figures.panel_names([run]) == []


def test_panels_cover_every_series_once_in_a_fixed_order(run):
    assert figures.panel_names([run]) == ["eval/q_vs_return", "eval/return", "train/critic_loss"]
    assert figures.panel_names([run], ("eval/q_vs_return",)) == ["eval/return", "train/critic_loss"]


def test_a_loss_over_decades_is_read_on_a_logarithmic_axis(tmp_path):
    run = read_run(run_files.make_run(tmp_path / "a", steps=[0, 1, 10, 1000, 4000]))
    (axes,) = figures.panel([run], "train/critic_loss").axes
    assert axes.get_yscale() == "log" and axes.get_title(loc="left") == "train/critic_loss"
    (axes,) = figures.panel([run], "eval/return").axes
    assert axes.get_yscale() == "linear" and axes.get_ylabel() == "reward"


def test_a_series_of_columns_gets_a_line_for_each(run):
    (axes,) = figures.panel([run], "eval/q_vs_return").axes
    assert set(lines(axes)) == {"column 0", "column 1"}


def test_speed_is_steps_per_second(run):
    (axes,) = figures.speed_panel([run]).axes
    assert axes.get_lines()[0].get_ydata().tolist() == [100, 100, 100, 100]
    assert axes.get_ylabel() == "steps / s" and axes.get_ylim()[0] == 0


def test_not_finite_values_leave_a_gap_and_no_error(tmp_path):
    path = tmp_path / "a"
    run_files.write_manifest(path)
    with run_files.create_segment(path, 0, {"eval/return": 1}) as file:
        run_files.append_rows(file, "eval/return", [0, 1, 2], [np.nan, np.inf, np.nan])
    run = read_run(path)
    style.svg(figures.main_figure([run]), "a")
    style.svg(figures.panel([run], "eval/return"), "b")


@pytest.mark.parametrize("last,scale,label", [(1999, 1, "steps"), (2000, 1e3, "steps (thousand)"),
                                              (2_000_000, 1e6, "steps (million)")])
def test_step_scale(last, scale, label):
    assert style.step_scale(last) == (scale, label)


def test_thin_keeps_means_and_extremes():
    step, mean, low, high = style.thin(np.arange(1000), np.arange(1000.0), 10)
    assert step.tolist() == mean.tolist() == [49.5 + 100 * i for i in range(10)]
    assert low.tolist() == [100 * i for i in range(10)] and high[-1] == 999
    few = style.thin(np.arange(10), np.arange(10.0), 10)
    assert few[1] is few[2]


def test_twenty_one_lines_differ():
    assert len({str(style.line_style(index)) for index in range(21)}) == 21


def test_svg_ids_have_the_prefix_and_references_follow(run):
    svg = style.svg(figures.main_figure([run]), "f7")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert ids and len(set(ids)) == len(ids) and all(name.startswith("f7-") for name in ids)
    references = re.findall(r'href="#([^"]+)"', svg) + re.findall(r"url\(#([^)]+)\)", svg)
    assert references and set(references) <= set(ids)
    assert svg.startswith("<svg") and "<metadata>" not in svg


def test_svg_is_the_same_every_time(run):
    assert style.svg(figures.main_figure([run]), "f") == style.svg(figures.main_figure([run]), "f")


def test_signed_uses_the_minus_of_the_axes():
    assert style.signed(-0.0333) == "−0.0333" and style.signed(6.678, True) == "+6.68"
