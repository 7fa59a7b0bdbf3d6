"""A contact sheet of all fields that differ: their errors over time, a small panel each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..message.arrays import Column, Floats, Int64s
from ..message.time import NS_PER_S
from .downsample import min_max
from .style import (
    BLACK,
    GREY,
    LARGEST,
    VERMILLION,
    File,
    finished,
    new_figure,
    plain,
    quantity,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_IN_ROW = 3
_MOST_PANELS = 90
_COLUMNS = 300


@dataclass(frozen=True)
class Panel:
    """The error of a field over time: peaks (m,) at seconds (m,), and what is told of it."""

    title: str
    seconds: Floats
    error: Floats
    largest: float
    unit: str


def panel_of(title: str, times_ns: Int64s, a: Column, b: Column, unit: str) -> Panel:
    """b - a of numbers (n,), of arrays (n, ...) the largest error of their elements."""
    with np.errstate(invalid="ignore", over="ignore"):
        error: Floats = np.asarray(b.astype(np.float64) - a.astype(np.float64))
    if error.ndim > 1:
        error = np.abs(error).reshape(len(error), -1).max(axis=1, initial=0.0)
    seconds = (times_ns - (times_ns[0] if len(times_ns) else 0)) / NS_PER_S
    at, peaks = min_max(seconds, error, _COLUMNS)
    finite = np.abs(error[np.isfinite(error)])
    return Panel(title, at, peaks, float(finite.max(initial=0.0)), unit)


def plot_differences(
    panels: Sequence[Panel], *, names: tuple[str, str], file: File | None = None
) -> Figure:
    """Draw the panels, at most 90; the title says of how many."""
    drawn = panels[:_MOST_PANELS]
    rows = -(-len(drawn) // _IN_ROW)
    figure = new_figure(1.0 + 1.5 * rows)
    grid = figure.subplots(rows, _IN_ROW, squeeze=False)
    for axes, panel in zip(grid.flat, drawn, strict=False):
        shown = np.clip(panel.error, -LARGEST, LARGEST)
        axes.plot(panel.seconds, shown, color=VERMILLION, linewidth=0.9)
        axes.axhline(0, color=GREY, linewidth=0.6)
        tidy(axes, "")
        axes.tick_params(labelsize=7)
        words = f"{plain(panel.title, 40)}, ≤ {quantity(panel.largest, panel.unit)}"
        axes.set_title(words, loc="left", size=8)
    for axes in list(grid.flat)[len(drawn) :]:
        axes.set_visible(False)
    several = f"the first {len(drawn)} of {len(panels)}" if len(panels) > len(drawn) else "all"
    a, b = (plain(name, 30) for name in names)
    words = f"{b} \N{MINUS SIGN} {a} over time [s] of {several} fields that differ"
    figure.suptitle(words, x=0.01, ha="left", size=12, weight="bold", color=BLACK)
    return finished(figure, file)
