"""a3c_runs, plot_a3c and table2_a3c: the paper's figures 1 to 4 and its table 2 from runs of a3c."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import run_files
from tenfold_analysis import a3c_runs, plot_a3c, report, table2_a3c
from tenfold_analysis.tenfold_h5 import NotARun, read_run


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def make(path, method="a3c", ranks=1, returns=(0, 1, 2, 3), update="hogwild", counts=None, **manifest):
    """Evaluations every 1000 decisions, 10 s apart; two rows of staleness, each of these counts."""
    steps = 1000 * np.arange(len(returns))
    run_files.write_manifest(path, {"task.task": ("catch", "default"), "method.method": (method, "command line"),
                                    "sharing.update": (update, "default"), "optimizer.lr": ("0.01", "default")},
                             app="a3c", world_size=str(ranks), **manifest)
    with run_files.create_segment(path, 0, {"eval/return": 1, "eval/random_return": 1,
                                            "async/staleness_histogram": 9}) as file:
        run_files.append_rows(file, "eval/return", steps, returns)
        run_files.append_rows(file, "eval/random_return", [0], [-0.5])
        if counts is not None:
            run_files.append_rows(file, "async/staleness_histogram", [1000, 2000], [counts, counts])
        run_files.append_event(file, int(steps[-1]), "end", "finished")
    return read_run(path)


def test_what_a_run_says(tmp_path):
    run = make(tmp_path / "a", "q", 2, update="rma", counts=[5, 1, 0, 0, 0, 0, 0, 0, 2])
    assert (a3c_runs.method(run), a3c_runs.workers(run), a3c_runs.policy(run)) == ("q", 2, "rma")
    assert a3c_runs.learning_rate(run) == 0.01
    assert a3c_runs.learning_rate(make(tmp_path / "b", learning_rate="0.0025")) == 0.0025
    assert a3c_runs.reached(run, 1.5) == (2000, pytest.approx(20))
    assert a3c_runs.reached(run, 4) == (np.inf, np.inf)
    assert a3c_runs.staleness_counts(run).tolist() == [10, 2, 0, 0, 0, 0, 0, 0, 4]
    assert a3c_runs.staleness_counts(make(tmp_path / "c", update="sync")) is None


def test_time_between_jobs_does_not_count(tmp_path):
    make(tmp_path / "a")
    with run_files.create_segment(tmp_path / "a", 1, {"eval/return": 1}, resumed=3000) as file:
        run_files.append_rows(file, "eval/return", [4000, 5000], [5, 6], wall=[run_files.START + 9000, run_files.START + 9010])
    steps, seconds, values = a3c_runs.curve(read_run(tmp_path / "a"))
    assert steps.tolist() == [0, 1000, 2000, 3000, 4000, 5000] and values[-1] == 6
    assert seconds.tolist() == pytest.approx([0, 10, 20, 30, 30, 40])


def test_score_has_a_line_for_each_method_and_an_axis_for_time(tmp_path):
    runs = [make(tmp_path / f"{method}{seed}", method, seed=str(seed)) for method in ("a3c", "q") for seed in (1, 2)]
    left, right = plot_a3c.score_figure(runs).axes
    assert [text.get_text() for text in left.get_legend().get_texts()] == ["1-step Q (2 seeds)", "A3C (2 seeds)"]
    assert left.get_xlabel() == "decisions of all actors (thousand)" and right.get_xlabel().endswith("(s)")
    assert left.get_ylabel() == "return of an episode"
    line = left.get_lines()[0]
    assert line.get_xdata().tolist() == [0, 1, 2, 3] and line.get_ydata().tolist() == [0, 1, 2, 3]


def test_workers_has_a_panel_for_each_method(tmp_path):
    runs = [make(tmp_path / f"{method}{ranks}", method, ranks) for method in ("a3c", "q") for ranks in (4, 1)]
    axes = plot_a3c.workers_figure(runs).axes
    assert [panel.get_title(loc="left") for panel in axes] == ["1-step Q on catch", "A3C on catch"] * 2
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["1 rank (1 seed)", "4 ranks (1 seed)"]


def test_robustness_is_a_point_for_each_run(tmp_path):
    runs = [make(tmp_path / str(rate), returns=(0, rate), learning_rate=str(rate)) for rate in (0.001, 0.01, 0.1)]
    (axes,) = plot_a3c.robustness_figure(runs).axes
    assert axes.get_xscale() == "log" and "3 rates" in axes.get_title(loc="left")
    assert axes.collections[0].get_offsets().tolist() == [[0.001, 0.001], [0.01, 0.01], [0.1, 0.1]]


def test_staleness_is_shares_by_policy_and_ranks(tmp_path):
    runs = [make(tmp_path / "a", ranks=2, counts=[3, 1, 0, 0, 0, 0, 0, 0, 0]),
            make(tmp_path / "b", ranks=2, update="mutex", counts=[1, 0, 0, 0, 0, 0, 0, 0, 1]),
            make(tmp_path / "c", ranks=2, update="sync")]
    (axes,) = plot_a3c.staleness_figure(runs).axes
    bars = [[bar.get_height() for bar in container] for container in axes.containers]
    assert bars == [[0.75, 0.25] + [0] * 7, [0.5] + [0] * 7 + [0.5]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["hogwild, 2 ranks", "mutex, 2 ranks"]


def test_the_report_shows_staleness_once(tmp_path):
    page = report.render(make(tmp_path / "a", counts=[3, 1, 0, 0, 0, 0, 0, 0, 0]))
    assert "How stale are gradients?" in page and "about async/staleness_histogram" not in page.split("<details")[0]
    assert "How stale" not in report.render(make(tmp_path / "b", update="sync"))


def test_ratios_and_their_intervals():
    # Logarithms of one: 1, 2, 3, of many: 0, 1, 2. Both have variance 1; t(0.975, 2) = 4.303.
    middle, low, high = table2_a3c.ratio(np.exp([1, 2, 3]), np.exp([0, 1, 2]))
    half = 4.303 * np.sqrt(2 / 3)
    assert (np.log(middle), np.log(low), np.log(high)) == pytest.approx((1, 1 - half, 1 + half))
    assert np.isnan(table2_a3c.ratio(np.array([2.0]), np.array([1.0]))[1])
    assert np.isnan(table2_a3c.ratio(np.zeros(0), np.array([1.0]))[0])


def test_table2_has_the_papers_numbers_beside_ours(tmp_path):
    runs = [make(tmp_path / f"one{seed}", ranks=1, returns=(0, 0, 0, 0, 1)) for seed in (1, 2)]
    runs += [make(tmp_path / f"two{seed}", ranks=2, returns=(0, 0, 1, 1, 1)) for seed in (1, 2)]
    runs += [make(tmp_path / "never", ranks=2, returns=(0, 0, 0, 0, 0)), make(tmp_path / "q", "q", 4)]
    head, rows = table2_a3c.make(runs, 1)
    assert [row[:3] for row in rows] == [["1-step Q", "4", "1 of 1"], ["A3C", "1", "2 of 2"], ["A3C", "2", "2 of 3"]]
    assert rows[2][3:] == ["2,000", "20", "2.00 [2.00, 2.00]", "2.00 [2.00, 2.00]", "2.1"]
    assert rows[0][-1] == "6.3" and rows[0][5] == "–" and len(head) == len(rows[0])
    with pytest.raises(NotARun, match="reaches 9"):
        table2_a3c.make(runs, 9)


def test_command_lines(tmp_path, capsys):
    make(tmp_path / "runs" / "a", counts=[3, 1, 0, 0, 0, 0, 0, 0, 0])
    for figure in plot_a3c.FIGURES:
        assert plot_a3c.main([str(tmp_path / "runs"), "--figure", figure, "--out", str(tmp_path / f"{figure}.png")]) == 0
        assert (tmp_path / f"{figure}.png").read_bytes().startswith(b"\x89PNG")
    assert table2_a3c.main([str(tmp_path / "runs"), "--reference", "2", "--markdown"]) == 0
    assert "| A3C | 1 | 1 of 1 |" in capsys.readouterr().out
    run_files.make_run(tmp_path / "other")
    assert plot_a3c.main([str(tmp_path / "other"), "--out", str(tmp_path / "x.png")]) == 3
    assert table2_a3c.main([str(tmp_path / "other"), "--reference", "2"]) == 3
    assert "none of the 1 runs" in capsys.readouterr().err
