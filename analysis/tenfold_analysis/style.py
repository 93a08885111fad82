"""How every figure looks: one palette that colour-blind readers can tell apart, plain axes, units."""

from __future__ import annotations

import io
import re
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
from matplotlib.axes import Axes  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

# Okabe and Ito's palette without its yellow, which is too pale for thin lines on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1.2)))
BASELINE = "#666666"

plt.rcParams.update({
    "figure.dpi": 100, "savefig.dpi": 160, "font.size": 9, "font.family": "DejaVu Sans",
    "axes.titlesize": 9.5, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.labelsize": 9, "axes.spines.top": False, "axes.spines.right": False,
    "axes.edgecolor": "#555555", "axes.grid": True, "grid.color": "#e6e6e6", "grid.linewidth": 0.7,
    "axes.axisbelow": True, "xtick.color": "#333333", "ytick.color": "#333333",
    "lines.linewidth": 1.6, "legend.frameon": False, "legend.fontsize": 8,
    "svg.fonttype": "none", "svg.hashsalt": "tenfold"})


def line_style(index: int) -> dict:
    """Colour first, then dashes: 21 lines before any two look alike."""
    return {"color": COLOURS[index % len(COLOURS)],
            "linestyle": DASHES[index // len(COLOURS) % len(DASHES)]}


def new_figure(width: float, height: float, columns: int = 1, **options) -> tuple[Figure, list[Axes]]:
    figure, axes = plt.subplots(1, columns, figsize=(width, height), layout="constrained",
                                squeeze=False, **options)
    return figure, list(axes[0])


def step_scale(last_step: int) -> tuple[float, str]:
    """What to divide steps by, and the axis label that says so."""
    if last_step >= 2_000_000:
        return 1e6, "steps (million)"
    if last_step >= 2_000:
        return 1e3, "steps (thousand)"
    return 1.0, "steps"


def with_unit(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def signed(value: float, plus: bool = False) -> str:
    """Three significant digits, with the same minus sign as on the axes."""
    return f"{value:{'+' if plus else ''}.3g}".replace("-", "−")


def thin(step: np.ndarray, value: np.ndarray, most: int = 400):
    """(step, mean, low, high) over equal groups of rows: a picture shows no more points than that."""
    if len(step) <= most:
        return step, value, value, value
    groups = np.array_split(np.arange(len(step)), most)
    return (np.array([step[g].mean() for g in groups]), np.array([np.nanmean(value[g]) for g in groups]),
            np.array([np.nanmin(value[g]) for g in groups]), np.array([np.nanmax(value[g]) for g in groups]))


def svg(figure: Figure, prefix: str) -> str:
    """The figure as an <svg> element; prefix keeps its ids apart from those of other figures on the
    page. Closes the figure."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    plt.close(figure)
    body = text.getvalue()
    body = body[body.index("<svg"):]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.S)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', body)
    body = re.sub(r'(xlink:href|href)="#([^"]+)"', rf'\1="#{prefix}-\2"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}-\1)", body)
    return re.sub(r' width="[\d.]+pt" height="[\d.]+pt"', "", body, count=1)


def save(figure: Figure, path: Path) -> None:
    """Format by the path's ending (png, svg, pdf). Closes the figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)
    plt.close(figure)
