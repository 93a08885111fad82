"""Figures that suit every family: the main curve, one panel per series, speed."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import style, tables
from .tenfold_h5 import Run, Series

_PANEL = (4.1, 2.5)
# Shown in the main figure, as a baseline, or by a family's own figure.
_NO_PANEL = ("eval/random_return", "eval/return_std")


def _last_step(runs: list[Run]) -> int:
    return max(run.last_step for run in runs)


def _steps_axis(axes: Axes, runs: list[Run]) -> float:
    scale, label = style.step_scale(_last_step(runs))
    axes.set_xlabel(label)
    axes.set_xlim(0, max(_last_step(runs), 1) / scale * 1.01)
    return scale


def baseline(axes: Axes, value: float | None, text: str = "random policy") -> None:
    if value is None:
        return
    axes.axhline(value, color=style.BASELINE, linewidth=1.1, linestyle=(0, (4, 3)), zorder=1)
    axes.annotate(text, (0.995, value), xycoords=("axes fraction", "data"), xytext=(0, 2),
                  textcoords="offset points", ha="right", va="bottom", fontsize=7.5, color=style.BASELINE)


def _resumptions(axes: Axes, run: Run, scale: float) -> None:
    steps = [event.step for event in run.events if event.kind == "resume"]
    for step in steps:
        axes.axvline(step / scale, color="#bbbbbb", linewidth=0.9, zorder=0)
    if steps:
        axes.annotate("resumed", (steps[-1] / scale, 1), xycoords=("data", "axes fraction"), va="top",
                      xytext=(3, 0), textcoords="offset points", fontsize=7.5, color="#777777")


def _curve(axes: Axes, series: Series, values: np.ndarray, scale: float, label: str | None,
           look: dict) -> None:
    step, mean, low, high = style.thin(series.step, values)
    if mean is not low:
        axes.fill_between(step / scale, low, high, color=look["color"], alpha=0.15, linewidth=0)
    marker = "o" if len(step) <= 40 else None
    axes.plot(step / scale, mean, label=label, marker=marker, markersize=3, **look)


def main_figure(runs: list[Run]) -> Figure | None:
    """The series that tells how good each run is, with what belongs beside it."""
    lead = next((tables.headline(run) for run in runs if tables.headline(run)), None)
    if lead is None:
        return None
    figure, (axes,) = style.new_figure(8.4, 3.7)
    scale = _steps_axis(axes, runs)
    for index, (run, label) in enumerate(zip(runs, tables.labels(runs))):
        look = style.line_style(index)
        series, spread = run.get(lead.name), run.get(lead.name + "_std")
        if len(runs) == 1:
            _training_background(axes, run, lead, scale)
            _resumptions(axes, run, scale)
            label = "evaluation" if lead.name == "eval/return" else lead.name
        if series is None:
            continue
        if len(runs) == 1 and spread is not None and len(spread) == len(series):
            axes.fill_between(series.step / scale, series.value - spread.value,
                              series.value + spread.value, color=look["color"], alpha=0.18,
                              linewidth=0, label="± 1 s.d. over episodes")
        _curve(axes, series, series.value, scale, label, look)
    axes.set_title(", ".join(dict.fromkeys(tables.subject(run) for run in runs)))
    axes.set_ylabel(style.with_unit(lead.name.replace("eval/return", "return per episode"), lead.unit))
    if lead.name == "eval/return":
        randoms = [tables.last_value(run.get("eval/random_return")) for run in runs]
        known = [value for value in randoms if value is not None]
        baseline(axes, float(np.mean(known)) if known else None)
    _legend(axes, evaluation_first=len(runs) == 1)
    return figure


def _training_background(axes: Axes, run: Run, lead: Series, scale: float) -> None:
    training = run.get("train/episode_return")
    if lead.name != "eval/return" or training is None:
        return
    step, mean, _, _ = style.thin(training.step, training.value, 200)
    axes.plot(step / scale, mean, color=style.COLOURS[1], linewidth=1.0, alpha=0.75,
              label="training, exploring")


def _legend(axes: Axes, evaluation_first: bool) -> None:
    handles, names = axes.get_legend_handles_labels()
    if evaluation_first:  # drawn last, so that it lies on top
        handles, names = handles[::-1], names[::-1]
    if len(names) > 1:
        # Below the axes: with twenty runs it would cover the curves.
        axes.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=min(len(names), 4))


def panel(runs: list[Run], name: str) -> Figure | None:
    """One series of all runs against steps. A series of several columns gets a line for each."""
    found = [(index, run.get(name)) for index, run in enumerate(runs)]
    found = [(index, series) for index, series in found if series is not None]
    if not found:
        return None
    figure, (axes,) = style.new_figure(*_PANEL)
    scale = _steps_axis(axes, runs)
    for index, series in found:
        for column in range(series.columns):
            values = series.value if series.columns == 1 else series.value[:, column]
            look = style.line_style(index if series.columns == 1 else column)
            _curve(axes, series, values, scale,
                   None if series.columns == 1 else f"column {column}", look)
    first = found[0][1]
    axes.set_title(name)
    axes.set_ylabel(first.unit or "value")
    _value_axis(axes, [series for _, series in found])
    if first.columns > 1:
        axes.legend(loc="best")
    return figure


def _value_axis(axes: Axes, all_series: list[Series]) -> None:
    values = np.concatenate([np.ravel(series.value) for series in all_series])
    values = values[np.isfinite(values)]
    if not len(values):
        return
    # Losses and gradient norms over decades are read on a logarithmic axis.
    loss_like = any(word in all_series[0].name for word in ("loss", "norm"))
    if loss_like and values.min() > 0 and values.max() / values.min() > 30:
        axes.set_yscale("log")
    elif all_series[0].unit == "fraction":
        axes.set_ylim(-0.02, 1.02)
    else:
        axes.ticklabel_format(axis="y", scilimits=(-3, 5), useMathText=True)


def speed_panel(runs: list[Run]) -> Figure | None:
    figure, (axes,) = style.new_figure(*_PANEL)
    scale = _steps_axis(axes, runs)
    drawn = False
    for index, run in enumerate(runs):
        step, rate = tables.step_rate(run)
        if len(step):
            axes.plot(step / scale, rate, **style.line_style(index))
            drawn = True
    axes.set_title("speed")
    axes.set_ylabel("steps / s")
    axes.set_ylim(bottom=0)
    return figure if drawn else None


def panel_names(runs: list[Run], shown_elsewhere: tuple[str, ...] = ()) -> list[str]:
    """Series that get a panel, in the order eval, train, the rest, perf, checkpoint."""
    order = ("eval", "test", "train", "", "perf", "checkpoint")

    def rank(name: str) -> tuple[int, str]:
        group = name.split("/")[0]
        return order.index(group if group in order else ""), name

    names = {name for run in runs for name in run.series if run.get(name) is not None}
    return sorted(names - set(_NO_PANEL) - set(shown_elsewhere), key=rank)
