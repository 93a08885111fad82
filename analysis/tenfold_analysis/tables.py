"""Runs as tables (pandas), and numbers as people read them."""

from __future__ import annotations

import datetime
import os

import numpy as np
import pandas as pd

from .tenfold_h5 import Run, Series

# Where a run is and what it writes, and facts of one try: never a reason why two runs differ.
_NOT_A_DIFFERENCE = ("run.dir", "run.resume", "run.stop-after", "run.log-level", "run.progress-every")


def number(value: float | None) -> str:
    """Four significant digits, thousands in groups."""
    if value is None or not np.isfinite(value):
        return "–"
    if float(value).is_integer() and abs(value) < 1e15:
        return f"{int(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:,.{max(0, 3 - int(np.floor(np.log10(abs(value)))))}f}"
    return f"{value:.3g}"


def duration(seconds: float) -> str:
    whole = int(round(seconds))
    days, rest = divmod(whole, 86400)
    text = f"{rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
    return f"{days}d {text}" if days else text


def size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def utc(wall_s: float) -> str:
    return datetime.datetime.fromtimestamp(wall_s, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def frame(run: Run, name: str) -> pd.DataFrame:
    """step, wall_s, value (or value_0, value_1, ...), segment."""
    series = run.series[name]
    values = ({"value": series.value} if series.columns == 1 else
              {f"value_{i}": series.value[:, i] for i in range(series.columns)})
    return pd.DataFrame({"step": series.step, "wall_s": series.wall_s, **values,
                         "segment": series.segment})


def first_value(series: Series | None) -> float | None:
    return float(np.ravel(series.value)[0]) if series is not None else None


def last_value(series: Series | None) -> float | None:
    if series is None:
        return None
    values = series.value if series.columns == 1 else series.value[:, 0]
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else None


def best_value(series: Series | None) -> float | None:
    if series is None or series.columns != 1 or series.better not in ("min", "max"):
        return None
    finite = series.value[np.isfinite(series.value)]
    return float(getattr(np, series.better)(finite)) if len(finite) else None


def headline(run: Run) -> Series | None:
    """The series that says how good the run is: an evaluation with a direction, by name if several."""
    for prefix in ("eval/", "test/", "valid", "train/", ""):
        ranked = sorted((s for s in run.series.values()
                         if len(s) and s.better and s.columns == 1 and s.name.startswith(prefix)
                         and not s.name.startswith("checkpoint/")),
                        key=lambda s: (not s.name.endswith(("return", "loss", "score", "accuracy")), s.name))
        if ranked:
            return ranked[0]
    return None


def active_seconds(run: Run) -> float:
    """Time between the first and last row of each segment, summed: what the run itself took."""
    spans: dict[int, list[float]] = {}
    for series in run.series.values():
        for segment in np.unique(series.segment):
            spans.setdefault(int(segment), []).extend(series.wall_s[series.segment == segment])
    for event in run.events:
        spans.setdefault(event.segment, []).append(event.wall_s)
    return float(sum(max(times) - min(times) for times in spans.values() if times))


def step_rate(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """(step [n], steps per second [n]) from the times of the densest series' rows, inside segments;
    evaluation and checkpoints included."""
    candidates = [s for s in run.series.values() if len(np.unique(s.step)) > 2]
    if not candidates:
        return np.zeros(0), np.zeros(0)
    series = max(candidates, key=lambda s: len(np.unique(s.step)))
    steps, rates = [], []
    for segment in np.unique(series.segment):
        rows = series.rows(series.segment == segment)
        step, first = np.unique(rows.step, return_index=True)
        wall = rows.wall_s[first]
        stride = max(1, len(step) // 200)
        step, wall = step[::stride], wall[::stride]
        seconds = np.diff(wall)
        good = seconds > 0
        steps.append(step[1:][good])
        rates.append(np.diff(step)[good] / seconds[good])
    return np.concatenate(steps), np.concatenate(rates)


def summary(runs: list[Run]) -> pd.DataFrame:
    """One row per run."""
    rows = []
    for run in runs:
        main = headline(run)
        rows.append({
            "run": run.run_id, "app": run.app, "state": run.state, "step": number(run.last_step),
            "of": number(run.total_steps), "time": duration(active_seconds(run)),
            "ranks": run.manifest.get("world_size", "?"), "seed": run.manifest.get("seed", "?"),
            "measure": main.name if main else "–", "last": number(last_value(main)),
            "best": number(best_value(main)),
            "random": number(last_value(run.get("eval/random_return")))})
    return pd.DataFrame(rows)


def config_table(run: Run) -> pd.DataFrame:
    return pd.DataFrame([{"key": key, "value": entry.value, "origin": entry.origin}
                         for key, entry in run.config.items()], columns=["key", "value", "origin"])


def config_differences(runs: list[Run]) -> pd.DataFrame:
    """Options whose values differ between the runs: key, then one column per run."""
    keys = sorted({key for run in runs for key in run.config})
    rows = []
    for key in keys:
        values = [run.config[key].value if key in run.config else "–" for run in runs]
        if len(set(values)) > 1 and key not in _NOT_A_DIFFERENCE:
            rows.append([key, *values])
    return pd.DataFrame(rows, columns=["key", *labels(runs)])


def labels(runs: list[Run]) -> list[str]:
    """A short, unique name per run: the options that differ when these are few, else the run's id."""
    if len(runs) == 1:
        return [runs[0].run_id]
    keys = sorted({key for run in runs for key in run.config})
    differing = [key for key in keys if key not in _NOT_A_DIFFERENCE and
                 len({run.config[key].value if key in run.config else None for run in runs}) > 1]
    if 1 <= len(differing) <= 3 and all(key in run.config for run in runs for key in differing):
        names = [", ".join(f"{key.split('.', 1)[-1]} {run.config[key].value}" for key in differing)
                 for run in runs]
        if len(set(names)) == len(runs):
            return names
    names = [run.run_id for run in runs]
    if len(set(names)) == len(runs):
        return names
    common = os.path.commonpath([str(run.path.resolve()) for run in runs])
    return [os.path.relpath(run.path.resolve(), common) for run in runs]


def subject(run: Run) -> str:
    """What was learned by what: "ddpg on cartpole_swingup"."""
    task = run.config.get("task.task")
    return f"{run.app} on {task.value}" if task else run.app


def series_table(run: Run) -> pd.DataFrame:
    return pd.DataFrame([{"series": s.name, "unit": s.unit, "rows": number(len(s)),
                          "last": number(last_value(s if len(s) else None)),
                          "best": number(best_value(s if len(s) else None)),
                          "meaning": s.description} for s in run.series.values()],
                        columns=["series", "unit", "rows", "last", "best", "meaning"])


def events_table(run: Run) -> pd.DataFrame:
    return pd.DataFrame([{"time (UTC)": utc(e.wall_s), "step": number(e.step), "kind": e.kind,
                          "what": e.text} for e in run.events],
                        columns=["time (UTC)", "step", "kind", "what"])


def checkpoints_table(run: Run) -> pd.DataFrame:
    return pd.DataFrame([{"folder": c.path.name, "step": number(c.step), "size": size(c.bytes),
                          "ranks": c.world_size or "–", "written (UTC)": c.created_utc,
                          "state": c.problem or "committed"} for c in run.checkpoints],
                        columns=["folder", "step", "size", "ranks", "written (UTC)", "state"])
