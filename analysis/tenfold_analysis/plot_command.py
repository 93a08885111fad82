"""What the command lines of plot_APP have in common: reading runs, writing one figure, errors and exit codes."""
from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure

from . import style
from .tenfold_h5 import NotARun, Run, find_runs, read_run


def parser(app: str, description: str) -> argparse.ArgumentParser:
    """With RUN... and --out; the program is called plot_APP."""
    made = argparse.ArgumentParser(prog=f"plot_{app}", description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("runs", nargs="+", metavar="RUN", help="run directory, or a folder of runs")
    made.add_argument("--out", type=Path, default=Path(f"{app}.png"), help="png, svg or pdf")
    return made


def write(app: str, chosen: argparse.Namespace, figure_of: Callable[[list[Run]], Figure]) -> int:
    """Draws what was chosen; the exit code. figure_of may raise NotARun and ValueError."""
    try:
        style.save(figure_of([read_run(path) for name in chosen.runs for path in find_runs(name)]), chosen.out)
    except NotARun as error:
        print(f"plot_{app}: {error}", file=sys.stderr)
        return 3
    except (OSError, ValueError) as error:
        print(f"plot_{app}: cannot write {chosen.out}: {error}", file=sys.stderr)
        return 4
    print(f"wrote {chosen.out}")
    return 0
