"""mcts_dpo_runs, plot_mcts_dpo and table1_mcts_dpo on small synthetic runs."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import run_files
import tree_files
from tenfold_analysis import mcts_dpo_runs, plot_mcts_dpo, report, table1_mcts_dpo
from tenfold_analysis.tenfold_h5 import NotARun, read_run

USUAL = {"mode.mode": "iterate", "data.task": "chain", "learn.method": "mcts-dpo", "learn.policy-refresh": "1",
         "learn.questions": "10", "preference.nll": "0", "search.self-evaluation": "off", "model.model": "/x/sft"}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def config(options):
    return {key: (value, "default") for key, value in {**USUAL, **options}.items()}


def learned(path, accuracy=(0.25, 0.5, 0.75), seed=1, **options):
    """Rounds of 20 steps, 100 tokens each; drifts of +1 and -2 nats."""
    run_files.write_manifest(path, config({key.replace("__", ".").replace("_", "-"): value for key, value in options.items()}),
                             app="mcts_dpo", seed=str(seed))
    steps = 20 * np.arange(len(accuracy))
    with run_files.create_segment(path, 0, dict.fromkeys(
            ("eval/accuracy", "search/success", "tokens/compute", "train/winner_drift", "train/loser_drift"), 1)) as file:
        run_files.append_rows(file, "eval/accuracy", steps, accuracy)
        run_files.append_rows(file, "search/success", steps[1:], np.full(len(steps) - 1, 0.9))
        run_files.append_rows(file, "tokens/compute", steps[1:], 100.0 * np.arange(1, len(steps)))
        run_files.append_rows(file, "train/winner_drift", steps[1:], np.full(len(steps) - 1, 1.0))
        run_files.append_rows(file, "train/loser_drift", steps[1:], np.full(len(steps) - 1, -2.0))
        run_files.append_event(file, int(steps[-1]), "end", "finished")
    return read_run(path)


def measured(path, series, **options):
    """A run of --mode evaluate; series maps names to one row."""
    run_files.write_manifest(path, config({"mode.mode": "evaluate", **{
        key.replace("__", ".").replace("_", "-"): value for key, value in options.items()}}), app="mcts_dpo")
    with run_files.create_segment(path, 0, {name: len(row) for name, row in series.items()}) as file:
        for name, row in series.items():
            run_files.append_rows(file, name, [0], [row if len(row) > 1 else row[0]])
        run_files.append_event(file, 0, "end", "finished")
    return read_run(path)


def names(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("options,arm", [
    ({}, "MCTS-DPO online"), ({"learn__policy_refresh": "0"}, "MCTS-DPO offline"),
    ({"learn__policy_refresh": "4"}, "MCTS-DPO refreshed every 4 rounds"),
    ({"preference__nll": "1"}, "MCTS-DPO online · NLL"),
    ({"preference__loss": "ipo", "model__lora_rank": "4"}, "MCTS-DPO online · IPO · adapters"),
    ({"search__self_evaluation": "forced"}, "MCTS-DPO online · self-evaluation"),
    ({"learn__method": "instance-dpo", "search__self_evaluation": "forced"}, "instance-level DPO"),
    ({"learn__method": "expert-iteration", "preference__nll": "1"}, "expert iteration"),
    ({"learn__method": "sft-continue", "learn__policy_refresh": "0"}, "more SFT"), ({"mode__mode": "sft"}, "SFT"),
])
def test_arms_are_told_apart_by_options(tmp_path, options, arm):
    assert mcts_dpo_runs.arm(learned(tmp_path / "a", **options)) == arm


def test_compute_counts_from_nothing(tmp_path):
    tokens, accuracy = mcts_dpo_runs.by_compute(learned(tmp_path / "a"))
    assert tokens.tolist() == [0, 100, 200] and accuracy.tolist() == [0.25, 0.5, 0.75]


def test_accuracy_has_a_line_for_each_arm_with_its_seeds(tmp_path):
    runs = [learned(tmp_path / f"on{seed}", (0.2, 0.4, last), seed) for seed, last in ((1, 0.6), (2, 1.0))]
    runs.append(learned(tmp_path / "off", learn__policy_refresh="0"))
    left, right = plot_mcts_dpo.accuracy_figure(runs).axes
    assert names(right) == ["MCTS-DPO offline (1 seed)", "MCTS-DPO online (2 seeds)"]
    online = left.get_lines()[1]
    assert online.get_xdata().tolist() == [0, 1, 2] and online.get_ydata().tolist() == pytest.approx([20, 40, 80])
    assert right.get_lines()[1].get_xdata().tolist() == pytest.approx([0, 0.1, 0.2])
    band = left.collections[0].get_paths()[0].vertices
    assert band[:, 1].max() == pytest.approx(100) and len(left.collections) == 1  # one seed has no band


def test_test_time_figure_has_a_colour_for_each_model(tmp_path):
    runs = [measured(tmp_path / "s", {"eval/samples": [1, 2, 4], "eval/pass_at": [0.3, 0.5, 0.7],
                                      "eval/self_consistency": [0.3, 0.4, 0.5]}, eval__by="samples"),
            measured(tmp_path / "k5", {"eval/search_accuracy": [0.8]}, eval__by="search", search__iterations="5"),
            measured(tmp_path / "k1", {"eval/search_accuracy": [0.6]}, eval__by="search", search__iterations="1"),
            measured(tmp_path / "g", {"eval/accuracy": [0.9]}, eval__by="greedy", model__model="/x/trained")]
    (axes,) = plot_mcts_dpo.samples_figure(runs).axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines) == ["sft: one of k is right (pass@k)", "sft: majority of k", "sft: search, K = k before each step",
                           "trained: one greedy solution"]
    assert lines["sft: one of k is right (pass@k)"].get_ydata().tolist() == pytest.approx([30, 50, 70])
    assert lines["sft: search, K = k before each step"].get_xydata().tolist() == [[1, 60], [5, 80]]
    assert lines["trained: one greedy solution"].get_ydata().tolist() == [90]


def test_success_is_drawn_beside_accuracy(tmp_path):
    runs = [learned(tmp_path / "a"), learned(tmp_path / "b", learn__method="expert-iteration")]
    first, second = plot_mcts_dpo.success_figure(runs).axes
    assert [panel.get_title(loc="left") for panel in (first, second)] == ["MCTS-DPO online", "expert iteration"]
    assert first.get_lines()[0].get_ydata().tolist() == [90, 90] and first.get_lines()[1].get_ydata()[-1] == 75


def test_pairs_are_counted_from_the_trees(tmp_path):
    run = learned(tmp_path / "a")
    other = {**tree_files.SMALL_PAIR, "alpha": 0.4, "gap": 1.0, "winner": 2, "winner_end": 2, "loser": 1, "loser_end": 1}
    tree_files.write_round(run.path, 1, [tree_files.small_tree()] * 2, [(0, tree_files.SMALL_PAIR), (1, other)])
    tree_files.write_round(run.path, 2, [tree_files.small_tree()], [(0, tree_files.SMALL_PAIR)] * 2)
    tree_files.write_round(run.path, 0)  # measures: not learned from
    left, middle, right = plot_mcts_dpo.pairs_figure([run]).axes
    assert names(left) == ["MCTS-DPO online: 4, mean 0.25"] and names(middle) == ["MCTS-DPO online: 4, mean 1.75"]
    assert [bar.get_height() for bar in right.containers[0]] == [75, 0, 25]


def test_drift_has_winners_and_losers(tmp_path):
    (axes,) = plot_mcts_dpo.drift_figure([learned(tmp_path / "a"), learned(tmp_path / "b", seed=2)]).axes
    assert names(axes) == ["MCTS-DPO online: winners", "MCTS-DPO online: losers"]
    assert [line.get_ydata()[0] for line in axes.get_lines()[:2]] == [1, -2]


def test_calibration_is_beside_the_papers(tmp_path):
    runs = [measured(tmp_path / kind, {"self_evaluation/auc": [value], "eval/search_accuracy": [0.5]}, eval__by="search",
                     search__reference=kind) for kind, value in (("solution", 0.9), ("none", 0.6))]
    (axes,) = plot_mcts_dpo.calibration_figure(runs).axes
    ours, paper = [[bar.get_height() for bar in container] for container in axes.containers]
    assert ours[0] == 90 and np.isnan(ours[1]) and ours[2] == 60
    assert (paper[0], paper[2]) == (74.7, 62.0) and np.isnan(paper[1])
    assert "the paper's" in names(axes)[1] and "another task" in names(axes)[1]


def test_the_table_has_the_papers_numbers_beside_ours(tmp_path):
    runs = [learned(tmp_path / f"{seed}", (0.25, last), seed) for seed, last in ((1, 0.75), (2, 1.0))]
    runs.append(learned(tmp_path / "x", (0.25, 0.5), learn__method="instance-dpo"))
    head, rows = table1_mcts_dpo.make(runs)
    assert [row[1] for row in rows] == ["SFT", "instance-level DPO", "MCTS-DPO online"]
    assert rows[2][2:8] == ["2", "87.5 [75.0, 100.0]", "+62.5", "100", "81.8", "34.7"]
    assert rows[0][3] == "25.0" and rows[0][6] == "75.9*" and rows[1][6] == "79.7*"
    assert all(name.startswith("paper: ") for name in head[6:])
    with pytest.raises(NotARun, match="learned by rounds"):
        table1_mcts_dpo.make([learned(tmp_path / "sft", mode__mode="sft")])


def test_every_number_of_the_paper_is_marked():
    paper = mcts_dpo_runs.paper_table()
    assert set(paper["mark"]) == {"paper", "paper*"} and paper["percent"].between(0, 100).all()
    assert len(paper) == 32 and not paper.duplicated(["task", "method"]).any()
    gains = paper.pivot_table(index="task", columns="ours", values="percent")
    assert (gains["MCTS-DPO online"] - gains["SFT"]).round(1)[["GSM8K", "MATH", "ARC-C"]].tolist() == [5.9, 5.8, 15.8]


def test_the_report_has_the_familys_figures(tmp_path):
    run = learned(tmp_path / "a")
    tree_files.write_round(run.path, 1)
    text = report.render(run)
    for title in ("Accuracy and search", "Are winners still likely?", "<h2>Pairs</h2>", "Search trees"):
        assert title in text, title
    assert "about train/winner_drift" not in text.split("<details")[0]


def test_command_lines(tmp_path, capsys):
    run = learned(tmp_path / "runs" / "a")
    tree_files.write_round(run.path, 1)
    measured(tmp_path / "runs" / "b", {"eval/search_accuracy": [0.8], "self_evaluation/auc": [0.7]}, eval__by="search")
    for figure in plot_mcts_dpo.FIGURES:
        out = tmp_path / f"{figure}.png"
        assert plot_mcts_dpo.main([str(tmp_path / "runs"), "--figure", figure, "--out", str(out)]) == 0
        assert out.read_bytes().startswith(b"\x89PNG")
    assert table1_mcts_dpo.main([str(tmp_path / "runs"), "--markdown"]) == 0
    assert "| MCTS-DPO online | 1 | 75.0 |" in capsys.readouterr().out
    run_files.make_run(tmp_path / "other")
    assert plot_mcts_dpo.main([str(tmp_path / "other"), "--out", str(tmp_path / "x.png")]) == 3
    assert table1_mcts_dpo.main([str(tmp_path / "other")]) == 3
    assert "none of the 1 runs" in capsys.readouterr().err
