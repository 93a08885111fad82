"""The figures of Mnih et al. (2016) from runs of a3c.

    python -m tenfold_analysis.plot_a3c RUN... [--figure score|workers|robustness|staleness] [--out FIGURE.png]

score: return of evaluations against decisions and against time, a line for each method (their figure 1). workers: the
same for each number of ranks, a panel for each method (their figures 3 and 4). robustness: the last return of every run
against its learning rate (their figure 2). staleness: how old the parameters were that gradients were applied to, for
each policy of updates. Runs of one line are seeds: their mean, and shaded from the worst to the best.
Exit codes: 0 done, 2 usage, 3 not a run (or none with what the figure shows), 4 cannot write.
"""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import a3c_runs, figures, plot_command, style, tables
from .plot_ddpg import mean_curve
from .tenfold_h5 import NotARun, Run

SHOWN = ("async/staleness_histogram",)
_PANEL = (4.3, 3.3)
_SECONDS = "wall-clock time since the first evaluation (s)"


def _decisions_axis(last: float) -> tuple[float, str]:
    scale, label = style.step_scale(int(last))
    return scale, label.replace("steps", "decisions of all actors")


def _line(axes: Axes, runs: list[Run], look: dict, label: str, over_time: bool, scale: float) -> None:
    curves = [(found[1] if over_time else found[0], found[2])
              for found in (a3c_runs.curve(run) for run in runs) if found is not None]
    if not curves:
        return
    grid, mean = mean_curve(curves)
    every = [np.interp(grid, at, value) for at, value in curves]
    axes.fill_between(grid / scale, np.min(every, axis=0), np.max(every, axis=0), color=look["color"], alpha=0.12,
                      linewidth=0)
    axes.plot(grid / scale, mean, label=f"{label} ({len(curves)} seed{'s' * (len(curves) != 1)})", **look)


def _random(axes: Axes, runs: list[Run]) -> None:
    values = [tables.first_value(run.get("eval/random_return")) for run in runs]
    known = [value for value in values if value is not None]
    figures.baseline(axes, float(np.mean(known)) if known else None, "random actions")


def _lines(axes: Axes, title: str, lines: dict[str, list[Run]], over_time: bool) -> None:
    """One panel of labelled groups of runs."""
    runs = [run for members in lines.values() for run in members]
    scale, label = (1.0, _SECONDS) if over_time else _decisions_axis(max(run.last_step for run in runs))
    for index, (name, members) in enumerate(lines.items()):
        _line(axes, members, style.line_style(index), name, over_time, scale)
    _random(axes, runs)
    axes.set(xlabel=label, ylabel="return of an episode", xlim=(0, None))
    axes.set_title(title)
    axes.legend(loc="best")


def _by_method(runs: list[Run]) -> dict[str, list[Run]]:
    found = a3c_runs.groups(runs, a3c_runs.method)
    return {name: found[key,] for key, name in a3c_runs.METHODS.items() if (key,) in found}


def score_figure(runs: list[Run]) -> Figure:
    """A row for each task: against decisions, against time."""
    by_task = a3c_runs.groups(runs, a3c_runs.task)
    figure, axes = style.plt.subplots(len(by_task), 2, figsize=(2 * _PANEL[0], len(by_task) * _PANEL[1]), squeeze=False,
                                      layout="constrained")
    for row, ((task,), members) in zip(axes, by_task.items()):
        for column, over_time in enumerate((False, True)):
            _lines(row[column], f"{task} · {'score against time' if over_time else 'data efficiency'}",
                   _by_method(members), over_time)
    return figure


def workers_figure(runs: list[Run]) -> Figure:
    """A column for each method, above against decisions (figure 3), below against time (figure 4)."""
    methods = _by_method(runs)
    figure, axes = style.plt.subplots(2, len(methods), figsize=(0.9 * _PANEL[0] * len(methods), 2 * _PANEL[1]),
                                      squeeze=False, layout="constrained", sharey=True)
    for column, (name, members) in enumerate(methods.items()):
        lines = {f"{count} rank{'s' * (count != 1)}": several
                 for (count,), several in sorted(a3c_runs.groups(members, a3c_runs.workers).items())}
        tasks = ", ".join(dict.fromkeys(a3c_runs.task(run) for run in members))
        for row, over_time in enumerate((False, True)):
            _lines(axes[row][column], f"{name} on {tasks}", lines, over_time)
    return figure


def robustness_figure(runs: list[Run]) -> Figure:
    """A panel for each task and method: every run a point."""
    found = a3c_runs.groups(runs, a3c_runs.task, a3c_runs.method)
    figure, axes = style.new_figure(_PANEL[0] * len(found), _PANEL[1], len(found))
    for panel, ((task, method), members) in zip(axes, found.items()):
        rates = np.array([a3c_runs.learning_rate(run) for run in members])
        returns = np.array([a3c_runs.last_return(run) for run in members])
        panel.scatter(rates, returns, s=22, color=style.COLOURS[0], alpha=0.8, linewidths=0)
        _random(panel, members)
        panel.set_xscale("log")
        panel.set(xlabel="learning rate at the start", ylabel="return of the last evaluation")
        panel.set_title(f"{a3c_runs.METHODS.get(method, method)} on {task} · {len(members)} rates and initialisations")
    return figure


def staleness_axes(axes: Axes, runs: list[Run]) -> None:
    """Bars for each policy of updates and number of ranks: shares of all updates of its runs."""
    found = {key: [count for count in map(a3c_runs.staleness_counts, members) if count is not None]
             for key, members in a3c_runs.groups(runs, a3c_runs.policy, a3c_runs.workers).items()}
    found = {key: np.sum(counts, axis=0) for key, counts in found.items() if counts}
    places = np.arange(len(a3c_runs.STALENESS))
    width = 0.8 / max(1, len(found))
    for index, ((policy, ranks), counts) in enumerate(found.items()):
        axes.bar(places + (index - (len(found) - 1) / 2) * width, counts / max(1, counts.sum()), width,
                 color=style.COLOURS[index % len(style.COLOURS)], label=f"{policy}, {ranks} rank{'s' * (ranks != 1)}")
    axes.set_xticks(places, a3c_runs.STALENESS)
    axes.set(xlabel="updates by others between reading and applying", ylabel="fraction of updates")
    if found:
        axes.set_yscale("log")
        axes.legend(loc="upper right")
    axes.set_title("How stale gradients are" if found else "No staleness was counted")


def staleness_figure(runs: list[Run]) -> Figure:
    figure, (axes,) = style.new_figure(6.4, 3.6)
    staleness_axes(axes, runs)
    return figure


FIGURES = {"score": score_figure, "workers": workers_figure, "robustness": robustness_figure,
           "staleness": staleness_figure}


def report_figures(runs: list[Run]) -> list[tuple[str, str, Figure]]:
    """What the report adds for this family: (title, caption, figure)."""
    if not any(a3c_runs.staleness_counts(run) is not None for run in runs):
        return []
    return [("How stale are gradients?", "Updates that other ranks made between an actor's reading of the parameters and "
             "its own update, as shares of all updates. With one rank all are 0; a rank that waits for a core has large "
             "ones.", staleness_figure(runs))]


def _useful(runs: list[Run], figure: str) -> list[Run]:
    """Those of a3c with what the figure shows. Raises NotARun when there is none."""
    shown = a3c_runs.staleness_counts if figure == "staleness" else a3c_runs.curve
    useful = [run for run in runs if run.app == "a3c" and shown(run) is not None]
    if not useful:
        raise NotARun(f"none of the {len(runs)} runs is one of a3c with what the figure '{figure}' shows")
    return useful


def main(arguments: list[str] | None = None) -> int:
    parser = plot_command.parser("a3c", __doc__)
    parser.add_argument("--figure", choices=FIGURES, default="score")
    chosen = parser.parse_args(arguments)
    return plot_command.write("a3c", chosen,
                              lambda runs: FIGURES[chosen.figure](_useful(runs, chosen.figure)))


if __name__ == "__main__":
    sys.exit(main())
