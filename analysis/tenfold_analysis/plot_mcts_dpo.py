"""The figures of Xie et al. (2024) from runs of mcts_dpo.

    python -m tenfold_analysis.plot_mcts_dpo RUN... [--figure NAME] [--out FIGURE.png]

accuracy: of greedy solutions against rounds and against tokens, a line for each way to learn. samples: accuracy against
what is spent at test time, by runs of --mode evaluate (the paper's trade-off). success: of the search on questions of
training beside greedy accuracy. pairs: label smoothing and gaps of the pairs, and whether they are right. drift: mean
log-probability of winners and losers less the reference's. calibration: AUC of self-evaluation beside the paper's. Runs
of one line are seeds: their mean, and shaded from the worst to the best.
Exit codes: 0 done, 2 usage, 3 not a run (or none with what the figure shows), 4 cannot write.
"""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import mcts_dpo_runs as found_in
from . import plot_command, style, tree_page
from .plot_ddpg import mean_curve
from .tenfold_h5 import NotARun, Run
from .tree_h5 import tree_files

SHOWN = ("eval/samples", "eval/pass_at", "eval/self_consistency", "train/winner_drift", "train/loser_drift")
_PANEL = (4.3, 3.3)
_ACCURACY = "right answers, % of held-out questions"
report_parts = tree_page.report_parts


def _band(axes: Axes, curves: list[tuple[np.ndarray, np.ndarray]], look: dict, label: str | None, scale: float = 1) -> None:
    if not curves:
        return
    grid, mean = mean_curve(curves)
    every = [np.interp(grid, at, value) for at, value in curves]
    if len(curves) > 1:
        axes.fill_between(grid / scale, np.min(every, axis=0), np.max(every, axis=0), color=look["color"], alpha=0.13,
                          linewidth=0)
    axes.plot(grid / scale, mean, label=label, **look)


def _known(curves) -> list[tuple[np.ndarray, np.ndarray]]:
    return [curve for curve in curves if curve is not None]


def _percent(curves: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(at, 100 * value) for at, value in curves]


def _seeds(runs: list[Run]) -> str:
    kind = "seed" if len({run.manifest.get("seed") for run in runs}) == len(runs) else "run"
    return f"{len(runs)} {kind}{'s' * (len(runs) != 1)}"


def accuracy_axes(left: Axes, right: Axes, runs: list[Run]) -> None:
    for index, (name, members) in enumerate(found_in.arms(runs).items()):
        look = style.line_style(index)
        _band(left, _percent(_known(found_in.per_round(run, "eval/accuracy") for run in members)), look, None)
        _band(right, _percent(_known(found_in.by_compute(run) for run in members)), look, f"{name} ({_seeds(members)})", 1e3)
    left.set(xlabel="rounds of search and learning", ylabel=_ACCURACY, xlim=(0, None))
    right.set(xlabel="thousand tokens generated + read + 3 × trained on", xlim=(0, None))
    right.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def accuracy_figure(runs: list[Run]) -> Figure:
    """A row for each task: against rounds, against tokens."""
    by_task = found_in.groups([run for run in runs if found_in.mode(run) == "iterate"], found_in.task)
    figure, axes = style.plt.subplots(len(by_task), 2, figsize=(2.5 * _PANEL[0], len(by_task) * _PANEL[1]),
                                      squeeze=False, layout="constrained", sharey="row")
    for row, ((task,), members) in zip(axes, by_task.items()):
        accuracy_axes(row[0], row[1], members)
        row[0].set_title(f"{task} · by round")
        row[1].set_title(f"{task} · by compute")
    return figure


def _test_time(axes: Axes, runs: list[Run], look: dict, model: str) -> None:
    drawn = _known(found_in.samples(run) for run in runs)
    for k, (style_of, what) in enumerate((((0, (1.5, 1.2)), "one of k is right (pass@k)"), ("-", "majority of k"))):
        curves = [(each[0], 100 * each[k + 1]) for each in drawn]
        _band(axes, curves, {**look, "linestyle": style_of}, f"{model}: {what}")
    greedy = [found_in.last(run) for run in runs if found_in.option(run, "eval.by", "greedy") == "greedy"]
    if greedy:
        axes.plot([1], [100 * np.nanmean(greedy)], marker="D", markersize=6, color=look["color"], linestyle="none",
                  label=f"{model}: one greedy solution")
    searched: dict[float, list[float]] = {}
    for run in runs:
        if run.get("eval/search_accuracy") is not None:
            searched.setdefault(float(found_in.option(run, "search.iterations", "5")), []).append(
                100 * found_in.last(run, "eval/search_accuracy"))
    if searched:
        places = sorted(searched)
        axes.plot(places, [np.mean(searched[place]) for place in places], marker="s", markersize=4, color=look["color"],
                  linestyle=(0, (5, 1.5)), label=f"{model}: search, K = k before each step")


def samples_figure(runs: list[Run]) -> Figure:
    measured = [run for run in runs if found_in.mode(run) == "evaluate"]
    figure, (axes,) = style.new_figure(6.8, 4.0)
    models = found_in.groups(measured, found_in.model_name)
    for index, ((model,), members) in enumerate(models.items()):
        _test_time(axes, members, style.line_style(index), model)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set(xlabel="samples k of each question, or iterations K of search", ylabel=_ACCURACY)
    axes.set_title("What the same model reaches with more compute at test time")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def success_figure(runs: list[Run]) -> Figure:
    """A panel for each arm that searches or samples."""
    arms = {name: members for name, members in found_in.arms(runs).items()
            if any(run.get("search/success") is not None for run in members)}
    figure, axes = style.plt.subplots(1, len(arms), figsize=(0.85 * _PANEL[0] * len(arms), _PANEL[1]), squeeze=False,
                                      layout="constrained", sharey=True)
    for panel, (name, members) in zip(axes[0], arms.items()):
        searches = name.startswith("MCTS")
        for series, look, label in (("search/success", style.line_style(1), "committed path, training questions" if searches
                                     else "a sample, training questions"),
                                    ("eval/accuracy", style.line_style(0), "greedy, held-out questions")):
            _band(panel, _percent(_known(found_in.per_round(run, series) for run in members)), look, label)
        panel.set(xlabel="rounds", xlim=(0, None))
        panel.set_title(name)
        panel.legend(loc="best")
    axes[0][0].set_ylabel("right answers, %")
    return figure


def pairs_axes(left: Axes, middle: Axes, right: Axes, runs: list[Run]) -> None:
    """Smoothing and gaps as shares of all pairs of an arm; of labels, shares of those that are known."""
    kinds = ("winner right,\nloser wrong", "both alike", "winner wrong,\nloser right")
    arms = {name: [each for run in members for each in found_in.rounds(run) if each.round]
            for name, members in found_in.arms(runs).items()}
    arms = {name: kept for name, kept in arms.items() if sum(len(each.pairs["alpha"]) for each in kept)}
    width = 0.8 / max(1, len(arms))
    for index, (name, kept) in enumerate(arms.items()):
        look = style.line_style(index)
        for panel, column, bins in ((left, "alpha", np.linspace(0, 0.5, 26)), (middle, "gap", np.linspace(0, 2.5, 26))):
            values = np.concatenate([each.pairs[column] for each in kept])
            panel.hist(np.clip(values, bins[0], bins[-1]), bins, weights=np.full(len(values), 100 / len(values)),
                       histtype="step", linewidth=1.6, color=look["color"], linestyle=look["linestyle"],
                       label=f"{name}: {len(values)}, mean {values.mean():.2f}")
        labels = np.sum([found_in.pair_labels(each) for each in kept], axis=0)
        right.bar(np.arange(3) + (index - (len(arms) - 1) / 2) * width, 100 * labels / max(1, labels.sum()), width,
                  color=look["color"], label=name)
    left.set(xlabel="label smoothing α", ylabel="pairs, %")
    middle.set(xlabel="Q of winner − Q of loser")
    right.set_xticks(np.arange(3), kinds)
    for panel, title in ((left, "How sure the visits are"), (middle, "How far apart Q is"), (right, "Are the labels right?")):
        panel.set_title(title)
        if arms:
            panel.legend(loc="upper left" if panel is middle else "upper right")


def pairs_figure(runs: list[Run]) -> Figure:
    figure, axes = style.new_figure(3 * 0.95 * _PANEL[0], _PANEL[1], 3)
    pairs_axes(*axes, runs)
    return figure


def drift_axes(axes: Axes, runs: list[Run]) -> None:
    for index, (name, members) in enumerate(found_in.arms(runs).items()):
        look = style.line_style(index)
        for side, line in (("winner", "-"), ("loser", (0, (1.5, 1.2)))):
            curves = _known(found_in.per_round(run, f"train/{side}_drift") for run in members)
            _band(axes, curves, {**look, "linestyle": line}, f"{name}: {side}s")
    axes.axhline(0, color=style.BASELINE, linewidth=0.9)
    axes.set(xlabel="rounds", ylabel="mean log π − log π of reference (nats)")
    axes.set_title("What became of winners and losers")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def drift_figure(runs: list[Run]) -> Figure:
    figure, (axes,) = style.new_figure(7.2, 3.8)
    drift_axes(axes, runs)
    return figure


def calibration_figure(runs: list[Run]) -> Figure:
    """AUC of C for steps, with the reference solution in the prompt, its answer alone, or neither."""
    figure, (axes,) = style.new_figure(6.0, 3.6)
    kinds = ("solution", "answer", "none")
    paper = found_in.paper_table().set_index("ours")["percent"]
    cells = {key: [found_in.last(run, "self_evaluation/auc") for run in members] for key, members in found_in.groups(
        [run for run in runs if run.get("self_evaluation/auc") is not None], found_in.model_name,
        lambda run: found_in.option(run, "search.reference", "solution")).items()}
    models = list(dict.fromkeys(model for model, _ in cells))
    width = 0.8 / (len(models) + 1)
    for index, model in enumerate([*models, None]):
        at = np.arange(len(kinds)) + (index - len(models) / 2) * width
        values = [paper.get(kind, np.nan) if model is None else 100 * np.mean(cells.get((model, kind), [np.nan]))
                  for kind in kinds]
        bars = axes.bar(at, values, width, color="#bbbbbb" if model is None else style.COLOURS[index % len(style.COLOURS)],
                        label="the paper's, GSM8K with Mistral-7B: another task" if model is None else model)
        axes.bar_label(bars, [f"{value:.1f}" if np.isfinite(value) else "" for value in values], fontsize=7.5)
    axes.axhline(50, color=style.BASELINE, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xticks(np.arange(len(kinds)), ["reference solution", "answer alone", "no reference"])
    axes.set(ylabel="AUC of self-evaluation, %", ylim=(0, 112))
    axes.set_title("Does C tell right steps from wrong ones? (50: chance)")
    axes.legend(loc="upper right")
    return figure


FIGURES = {"accuracy": accuracy_figure, "samples": samples_figure, "success": success_figure, "pairs": pairs_figure,
           "drift": drift_figure, "calibration": calibration_figure}
_NEEDS = {
    "accuracy": lambda run: found_in.mode(run) == "iterate" and run.get("eval/accuracy") is not None,
    "samples": lambda run: found_in.mode(run) == "evaluate" and any(
        run.get(name) is not None for name in ("eval/accuracy", "eval/pass_at", "eval/search_accuracy")),
    "success": lambda run: found_in.mode(run) == "iterate" and run.get("search/success") is not None,
    "pairs": lambda run: found_in.mode(run) == "iterate" and bool(tree_files(run.path)),
    "drift": lambda run: run.get("train/winner_drift") is not None,
    "calibration": lambda run: run.get("self_evaluation/auc") is not None}


def report_figures(runs: list[Run]) -> list[tuple[str, str, Figure]]:
    """What the report adds for this family: (title, caption, figure)."""
    found = []
    for title, name, caption in (
            ("Accuracy and search", "success", "Search finds right solutions before the greedy policy does; learning closes "
             "the gap."),
            ("Are winners still likely?", "drift", "Mean log-probability of the pairs' winners and losers against the policy "
             "that the run began with. Both falling is the well-known failure of preference learning."),
            ("Pairs", "pairs", "From the trees that were kept, all rounds."),
            ("Compute at test time", "samples", "Runs of --mode evaluate.")):
        useful = [run for run in runs if _NEEDS[name](run)]
        if useful:
            found.append((title, caption, FIGURES[name](useful)))
    return found


def _useful(runs: list[Run], figure: str) -> list[Run]:
    """Those of mcts_dpo with what the figure shows. Raises NotARun when there is none."""
    useful = [run for run in runs if run.app == "mcts_dpo" and _NEEDS[figure](run)]
    if not useful:
        raise NotARun(f"none of the {len(runs)} runs is one of mcts_dpo with what the figure '{figure}' shows")
    return useful


def main(arguments: list[str] | None = None) -> int:
    parser = plot_command.parser("mcts_dpo", __doc__)
    parser.add_argument("--figure", choices=FIGURES, default="accuracy")
    chosen = parser.parse_args(arguments)
    return plot_command.write("mcts_dpo", chosen,
                              lambda runs: FIGURES[chosen.figure](_useful(runs, chosen.figure)))


if __name__ == "__main__":
    sys.exit(main())
