"""A self-contained report.html of one run, or of several runs side by side.

    python -m tenfold_analysis.report RUN... [--out FILE]
    python -m tenfold_analysis.report RUN... --curve FILE.png

Works while the run is going on. One run: written into its directory. Several, or a folder of runs:
comparison.html in their common folder. With --curve: only the learning curve, as a picture.
Exit codes: 0 done, 2 usage, 3 not a run (or no curve in it yet), 4 cannot write.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from html import escape
from pathlib import Path

from . import figures, page, style, tables
from .film import read_film
from .tenfold_h5 import NotARun, Run, find_runs, log_tail, read_run

_STATES = {"running": "this is how far it is; make the report again for more",
           "finished": "all steps done",
           "stopped": "stopped with a checkpoint; the same command goes on from there",
           "killed": "ended without saying so: killed, or failed (see the log below)",
           "unknown": "its newest metrics cannot be read"}
# Manifest entries that are shown elsewhere on the page.
_NOT_PROVENANCE = {"config", "app", "app_summary", "paper", "command_line"}


class _Numbered:
    """Turns figures into SVG with ids that are unique on the page."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, figure) -> str:
        self.count += 1
        return style.svg(figure, f"f{self.count}")


def _family(app: str):
    """The module plot_<app>, when the family has one."""
    name = f"tenfold_analysis.plot_{app}"
    return importlib.import_module(name) if app.isidentifier() and importlib.util.find_spec(name) else None


def _curves(runs: list[Run], draw: _Numbered) -> list[str]:
    parts = [page.heading("Learning")]
    main = figures.main_figure(runs)
    parts.append(page.figure(draw(main)) if main else page.paragraph("There is no metric to draw yet."))
    shown: tuple[str, ...] = ()
    apps = {run.app for run in runs}
    family = _family(runs[0].app) if len(apps) == 1 else None
    if family:
        shown = family.SHOWN
        for title, caption, figure in family.report_figures(runs):
            parts += [page.heading(title), page.figure(draw(figure), caption, "narrow")]
    panels = []
    for name in figures.panel_names(runs, shown):
        figure = figures.panel(runs, name)
        meaning = next(run.series[name].description for run in runs if name in run.series)
        if figure:
            panels.append(page.figure(draw(figure), meaning))
    speed = figures.speed_panel(runs)
    if speed:
        panels.append(page.figure(draw(speed), "from the times of the metrics' rows: evaluation and "
                                               "checkpoints included"))
    if panels:
        parts += [page.heading("All metrics"), f'<div class="panels">{"".join(panels)}</div>']
    return parts


def _film(run: Run) -> list[str]:
    """What `tenfold show --video` left, if it was used."""
    try:
        film = read_film(run.path)
    except ValueError as error:
        return [page.warning(str(error))]
    if not film:
        return []
    times = ", ".join(f"{each:.1f}" for each in film.sheet_seconds)
    mean = sum(film.returns) / len(film.returns) if film.returns else float("nan")
    parts = [page.heading("What the policy does"),
             page.media("image/png", film.sheet,
                        f"One episode of {film.task} after {tables.number(film.step)} decisions, "
                        f"after {times} s; it returned {tables.number(film.returns[0] if film.returns else None)}.")]
    count = f"{len(film.returns)} episode{'s' * (len(film.returns) != 1)}, mean return {tables.number(mean)}"
    if film.video:
        return parts + [page.media(film.video_kind, film.video, f"{film.video_name}: {count}.")]
    return parts + [page.paragraph(f"The film, {count}, is {film.video_name} in the run's folder.")]


def _family_parts(run: Run) -> list[str]:
    """What only this family's runs have to show."""
    parts = getattr(_family(run.app), "report_parts", None)
    return parts(run) if parts else []


def _facts(run: Run) -> list[tuple[str, str]]:
    main = tables.headline(run)
    total = run.total_steps
    steps = tables.number(run.last_step) + (f" of {tables.number(total)}" if total else "")
    pairs = [("steps", steps), ("running time", tables.duration(tables.active_seconds(run)))]
    if main:
        pairs += [(f"{main.name}, last", tables.number(tables.last_value(main))),
                  (f"{main.name}, best", tables.number(tables.best_value(main)))]
    random = tables.last_value(run.get("eval/random_return"))
    if random is not None:
        pairs.append(("random policy", tables.number(random)))
    return pairs + [("ranks", run.manifest.get("world_size", "?")), ("seed", run.manifest.get("seed", "?"))]


def _configuration(run: Run) -> list[str]:
    frame = tables.config_table(run)
    chosen = (frame["origin"] != "default").tolist()
    return [page.heading("Configuration"),
            page.paragraph("Bold: not the default. The origin says who set it."),
            page.table(frame[chosen]) if any(chosen) else page.paragraph("Everything is at its default."),
            page.details(f"All {len(frame)} options", page.table(frame, chosen))]


def _provenance(run: Run) -> list[str]:
    entries = {key: value for key, value in run.manifest.items() if key not in _NOT_PROVENANCE}
    frame = tables.pd.DataFrame([{"what": key.removeprefix("dep."), "value": value}
                                 for key, value in sorted(entries.items())], columns=["what", "value"])
    command = run.manifest.get("command_line", "")
    return [page.heading("Environment and provenance"),
            page.preformatted([command]) if command else "", page.table(frame)]


def _history(run: Run) -> list[str]:
    log = log_tail(run)
    return [page.heading("Events"), page.table(tables.events_table(run)),
            page.heading("Checkpoints"), page.table(tables.checkpoints_table(run)),
            page.details("Last values of all metrics", page.table(tables.series_table(run))),
            page.details(f"End of rank 0's log ({len(log)} lines)", page.preformatted(log)) if log else ""]


def _made_at() -> str:
    return time.strftime("Made on %Y-%m-%d at %H:%M:%S UTC.", time.gmtime())


def render(run: Run) -> str:
    """The page of one run."""
    head = [f'<h1>{escape(run.app)} · {escape(run.run_id)} '
            f'<span class="badge {run.state}">{run.state}</span></h1>',
            page.paragraph(f"{run.manifest.get('app_summary', '')}. {run.manifest.get('paper', '')}".strip(". ")),
            page.paragraph(f"{run.state.capitalize()}: {_STATES[run.state]}. {_made_at()}")]
    head += [page.warning(text) for text in run.warnings]
    return page.page(f"{run.app} {run.run_id}", [
        *head, page.facts(_facts(run)), *_curves([run], _Numbered()), *_film(run), *_family_parts(run), *_configuration(run),
        *_provenance(run), *_history(run)])


def render_comparison(runs: list[Run]) -> str:
    """The page of several runs."""
    names = tables.labels(runs)
    looks = [style.line_style(index) for index in range(len(runs))]
    key = [(name, look["color"], look["linestyle"] != "-") for name, look in zip(names, looks)]
    summary = tables.summary(runs)
    summary.insert(0, "label", names)
    warnings = [page.warning(text) for run in runs for text in run.warnings]
    return page.page(f"{len(runs)} runs", [
        f"<h1>Comparison of {len(runs)} runs</h1>", page.paragraph(_made_at()), *warnings,
        page.table(summary), page.heading("What differs"), page.table(tables.config_differences(runs)),
        page.legend(key), *_curves(runs, _Numbered())])


def _target(runs: list[Run], out: Path | None) -> Path:
    if out:
        return out
    if len(runs) == 1:
        return runs[0].path / "report.html"
    return Path(os.path.commonpath([run.path.resolve() for run in runs])) / "comparison.html"


def write_page(path: Path, text: str) -> None:
    """All or nothing: who reloads the page while it is written sees the old one."""
    temporary = path.with_name(path.name + f".{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="report", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN", help="run directory, or a folder of runs")
    parser.add_argument("--out", type=Path, help="where to write the page")
    parser.add_argument("--curve", type=Path, metavar="FILE",
                        help="draw the learning curve alone: png, svg or pdf by its ending")
    chosen = parser.parse_args(arguments)
    try:
        paths = dict.fromkeys(path for name in chosen.runs for path in find_runs(name))
        runs = [read_run(path) for path in paths]
    except NotARun as error:
        print(f"report: {error}. Name a folder made by --run-dir, or a folder of such folders",
              file=sys.stderr)
        return 3
    target = chosen.curve or _target(runs, chosen.out)
    try:
        if not chosen.curve:
            write_page(target, render(runs[0]) if len(runs) == 1 else render_comparison(runs))
        elif curve := figures.main_figure(runs):
            style.save(curve, target)
        else:
            print("report: there is no curve to draw: no evaluation has been written yet",
                  file=sys.stderr)
            return 3
    except (OSError, ValueError) as error:
        print(f"report: cannot write {target}: {getattr(error, 'strerror', None) or error}. "
              "Name another place with --out or --curve", file=sys.stderr)
        return 4
    for run in runs:
        for text in run.warnings:
            print(f"report: {text}", file=sys.stderr)
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
