"""The figures of Lillicrap et al. (2016): learning curves over seeds (their figure 2) and estimated Q
against the return that followed (their figure 3).

    python -m tenfold_analysis.plot_ddpg RUN... [--out FIGURE.png] [--planner-score TASK=SCORE]
"""

from __future__ import annotations

import sys

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from . import figures, plot_command, style, tables
from .tenfold_h5 import NotARun, Run

CURVE, RANDOM, CALIBRATION = "eval/return", "eval/random_return", "eval/q_vs_return"
SHOWN = (CALIBRATION,)
_FIT_POINTS = 600  # Theil-Sen looks at every pair
_EVALUATIONS = 5   # calibration uses the last ones: a Q still being learned says little


def task_of(run: Run) -> str:
    entry = run.config.get("task.task")
    return entry.value if entry else run.app


def by_task(runs: list[Run]) -> dict[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(task_of(run), []).append(run)
    return groups


def mean_curve(curves: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """(steps [n], mean over curves [n]) where every curve has a value: between the latest start and
    the earliest end, at the steps of all of them, interpolated linearly."""
    low = max(step[0] for step, _ in curves)
    high = min(step[-1] for step, _ in curves)
    grid = np.unique(np.concatenate([step[(step >= low) & (step <= high)] for step, _ in curves]))
    return grid, np.mean([np.interp(grid, step, value) for step, value in curves], axis=0)


def _normaliser(runs: list[Run], planner: float | None):
    """Return -> score with 0 = random policy and 1 = planner; the return itself without a planner."""
    randoms = [tables.last_value(run.get(RANDOM)) for run in runs]
    known = [value for value in randoms if value is not None]
    random = float(np.mean(known)) if known else None
    if planner is None or random is None or planner == random:
        return (lambda value: value), random, False
    return (lambda value: (value - random) / (planner - random)), 0.0, True


def _members(runs: list[Run]) -> str:
    seeds = {run.manifest.get("seed") for run in runs}
    kind = "seed" if len(seeds) == len(runs) else "run"
    return f"1 {kind}" if len(runs) == 1 else f"mean of {len(runs)} {kind}s"


def learning_curve(axes: Axes, task: str, runs: list[Run], planner: float | None = None) -> None:
    """Each seed thin, their mean thick, the range between the worst and best seed shaded."""
    scaled, random, normalised = _normaliser(runs, planner)
    curves = [(series.step, scaled(series.value)) for series in (run.get(CURVE) for run in runs) if series]
    scale, label = style.step_scale(max((int(step[-1]) for step, _ in curves), default=0))
    for step, value in curves:
        axes.plot(step / scale, value, color=style.COLOURS[0], linewidth=0.9, alpha=0.45)
    if curves:
        grid, mean = mean_curve(curves)
        every = [np.interp(grid, step, value) for step, value in curves]
        axes.fill_between(grid / scale, np.min(every, axis=0), np.max(every, axis=0),
                          color=style.COLOURS[0], alpha=0.12, linewidth=0)
        axes.plot(grid / scale, mean, color=style.COLOURS[0], linewidth=2.2)
        last = f", last {style.signed(mean[-1])}" if grid[-1] == max(step[-1] for step, _ in curves) else ""
        axes.set_title(f"{task} · {_members(runs)}{last}")
    else:
        axes.set_title(f"{task} · no evaluation yet")
    figures.baseline(axes, random)
    if normalised:
        figures.baseline(axes, 1.0, "planner")
    axes.set_xlim(left=0)
    axes.set_xlabel(label)
    axes.set_ylabel("normalised return" if normalised else "return per episode, no noise")


def calibration_points(run: Run, evaluations: int = _EVALUATIONS) -> np.ndarray:
    """[n, 2] rows (estimated Q, discounted return) of the run's last evaluations."""
    series = run.get(CALIBRATION)
    if series is None or series.columns != 2:
        return np.zeros((0, 2))
    last = np.unique(series.step)[-evaluations:]
    points = series.value[np.isin(series.step, last)]
    return points[np.isfinite(points).all(axis=1)]


def robust_line(x: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    """Theil-Sen (slope, intercept): the median of the slopes of all pairs, unmoved by up to 29% of
    outliers. None when x hardly varies, so that no slope is defined."""
    if len(x) > _FIT_POINTS:
        chosen = np.random.default_rng(0).choice(len(x), _FIT_POINTS, replace=False)
        x, y = x[chosen], y[chosen]
    first, second = np.triu_indices(len(x), 1)
    run = x[second] - x[first]
    apart = np.abs(run) > 1e-9 * max(1e-12, float(np.abs(x).max(initial=0)))
    if len(x) < 3 or apart.sum() < len(run) / 2:
        return None
    slope = float(np.median((y[second] - y[first])[apart] / run[apart]))
    return slope, float(np.median(y - slope * x))


def calibration(axes: Axes, task: str, runs: list[Run]) -> None:
    """Figure 3: a calibrated critic lies on the diagonal; above it, Q is over-estimated."""
    clouds = [points for points in (calibration_points(run) for run in runs) if len(points)]
    axes.set_xlabel("discounted return that followed")
    axes.set_ylabel("estimated Q")
    if not clouds:
        axes.set_title(f"{task} · no comparison of Q yet")
        return
    points = np.concatenate(clouds)
    estimated, returned = points[:, 0], points[:, 1]
    low, high = float(points.min()), float(points.max())
    margin = 0.05 * max(high - low, 1e-6)
    limits = np.array([low - margin, high + margin])
    axes.plot(limits, limits, color=style.BASELINE, linewidth=1.1, linestyle=(0, (4, 3)), label="Q = return")
    bias = float(np.median(estimated - returned))
    for index, cloud in enumerate(clouds):
        axes.scatter(cloud[:, 1], cloud[:, 0], s=14, alpha=0.45, linewidths=0,
                     color=style.COLOURS[index % len(style.COLOURS)],
                     label=None if index else f"{len(points)} states, median Q − return {style.signed(bias, True)}")
    line = robust_line(returned, estimated)
    if line:
        ends = np.array([returned.min(), returned.max()])
        axes.plot(ends, line[0] * ends + line[1], color="#000000", linewidth=1.6,
                  label=f"robust fit, slope {line[0]:.2f}")
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.set_title(task)
    axes.legend(loc="lower right" if bias >= 0 else "upper left")


def family_figure(runs: list[Run], planner: dict[str, float] | None = None) -> Figure:
    """Per task: its learning curves above, its calibration of Q below."""
    groups = by_task(runs)
    figure, axes = style.plt.subplots(2, len(groups), figsize=(4.6 * len(groups), 7.6), squeeze=False,
                                      layout="constrained", height_ratios=(1, 1.45))
    for column, (task, members) in enumerate(groups.items()):
        learning_curve(axes[0][column], task, members, (planner or {}).get(task))
        calibration(axes[1][column], task, members)
    return figure


def report_figures(runs: list[Run]) -> list[tuple[str, str, Figure]]:
    """What the report adds for this family: (title, caption, figure)."""
    found = []
    for task, members in by_task(runs).items():
        if not any(len(calibration_points(run)) for run in members):
            continue
        figure, (axes,) = style.new_figure(4.9, 4.6)
        calibration(axes, task, members)
        found.append(("Is Q right?", "The critic's estimate in states of the last evaluations against the "
                      "discounted return that really followed (figure 3 of the paper). On the diagonal: "
                      "calibrated; above it: over-estimated.", figure))
    return found


def _planner_scores(entries: list[str]) -> dict[str, float]:
    scores = {}
    for entry in entries:
        task, _, score = entry.partition("=")
        try:
            scores[task] = float(score)
        except ValueError:
            raise SystemExit(f"plot_ddpg: --planner-score wants TASK=NUMBER, got '{entry}'") from None
    return scores


def main(arguments: list[str] | None = None) -> int:
    parser = plot_command.parser("ddpg", __doc__)
    parser.add_argument("--planner-score", action="append", default=[], metavar="TASK=SCORE",
                        help="return that counts as 1 (0 is the random policy's)")
    chosen = parser.parse_args(arguments)
    return plot_command.write("ddpg", chosen,
                              lambda runs: family_figure(runs, _planner_scores(chosen.planner_score)))


if __name__ == "__main__":
    sys.exit(main())
