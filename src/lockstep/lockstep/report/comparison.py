"""Two fields over each other, and below them the error with its tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..compare import Tolerance
from ..message.arrays import Floats
from .difference import Difference, difference, is_exact, tolerance_of
from .downsample import extremes, min_max
from .signals import Plottable, Times, signal_of
from .style import (
    BLACK,
    COLUMNS,
    GREEN,
    GREY,
    LARGEST,
    SIDES,
    VERMILLION,
    File,
    draw_line,
    finished,
    new_figure,
    plain,
    quantity,
    set_legend,
    set_time_axis,
    set_titles,
    tidy,
    with_unit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FAR = 20
"""A tolerance so many times the error is told, not drawn: the error would be a flat line."""


def plot_comparison(
    a: Plottable,
    b: Plottable,
    time: Times = None,
    *,
    path: str = "",
    tolerance: float | Tolerance = 0.0,
    names: tuple[str, str] = ("a", "b"),
    unit: str | None = None,
    title: str | None = None,
    file: File | None = None,
) -> Figure:
    """`a` and `b` overlaid, and below them b - a with the tolerance.

    The first divergence is marked by a line and its tick. `a` (the reference) and `b` are numbers
    (n, …), or Series, Datasets of one key or sequences of messages with the `path` of a field.
    `time` (n,) is in ns (integers) or seconds (floats), of a Series also "log", "publish" or
    "header". `tolerance` is an absolute one in the unit of the field, or a Tolerance. Series of
    unequal length are aligned by their times since the first. Of arrays, the element with the
    largest error is drawn above, the largest error of any below. The figure is also saved if a
    `file` is given. Raises ReportError.
    """
    signals = [signal_of(side, path, time) for side in (a, b)]
    if unit is not None:
        signals[0] = replace(signals[0], unit=unit)
    limits = tolerance_of(tolerance)
    found = difference(signals[0], signals[1], limits)
    shown = (plain(names[0], 30), plain(names[1], 30))
    at = found.ticks.astype(np.float64) if found.seconds is None else found.seconds

    figure = new_figure(6.2)
    top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 2]})
    field = signals[0].field + _draw_values(top, found, at, shown)
    tidy(top, with_unit(field or "value", found.unit))
    _draw_error(bottom, found, at, limits)
    tidy(bottom, with_unit("error", found.unit))
    set_time_axis(bottom, in_seconds=found.seconds is not None)
    if len(found.wrong_rows):
        _mark_first(top, bottom, found, at)
    set_legend(top)
    set_legend(bottom)
    subject = plain(title) if title is not None else signals[0].subject
    set_titles(figure, top, found.finding(shown, is_exact(limits)), subject)
    return finished(figure, file)


def _draw_values(axes: Axes, found: Difference, at: Floats, names: tuple[str, str]) -> str:
    """Draw one element of both sides; returns how it is written."""
    if not found.a.size:
        return ""
    element = found.worst[1] if found.worst else 0
    if found.worst is None and len(found.wrong_rows):
        element = int(found.wrong[found.wrong_rows[0]].argmax())
    for side, (name, values) in enumerate(zip(names, (found.a, found.b), strict=True)):
        colour, line = SIDES[side]
        draw_line(
            axes,
            at,
            values[:, element],
            width=(2.4, 1.0)[side],
            marker=".x"[side],
            color=colour,
            linestyle=line,
            label=name,
        )
    return found.element(element)


def _draw_error(axes: Axes, found: Difference, at: Floats, tolerance: Tolerance) -> None:
    axes.axhline(0, color=GREY, linewidth=0.8)
    if not found.a.size:
        return
    rows = np.arange(len(at))
    largest = np.nan_to_num(found.size).argmax(axis=1)
    error = np.where(np.isfinite(found.error), found.error, np.nan)[rows, largest]
    draw_line(axes, at, error, color=BLACK)
    if found.worst:
        row, element = found.worst
        axes.plot(
            [at[row]],
            [np.clip(found.error[row, element], -LARGEST, LARGEST)],
            linestyle="",
            marker="o",
            markersize=9,
            markerfacecolor="none",
            color=VERMILLION if len(found.wrong_rows) else GREY,
            label="largest error" if len(found.wrong_rows) else "largest difference",
        )
    elif not found.limit.any():
        axes.set(ylim=(-1, 1), yticks=[0])
    _draw_tolerance(axes, found, at, found.limit[rows, largest], tolerance)
    apart = (found.wrong & ~np.isfinite(found.error)).any(axis=1)
    if apart.any():
        _, marked = min_max(at[apart], at[apart], COLUMNS)
        axes.plot(
            marked,
            np.zeros(len(marked)),
            linestyle="",
            marker="x",
            color=VERMILLION,
            clip_on=False,
            label="NaN or inf on one side",
        )


def _draw_tolerance(
    axes: Axes, found: Difference, at: Floats, limit: Floats, tolerance: Tolerance
) -> None:
    """Draw the limits (n,) of the errors that are drawn."""
    limit = np.where(np.isfinite(limit), np.minimum(limit, LARGEST), 0.0)
    widest = float(limit.max())
    if not widest:
        return
    even = bool((limit == widest).all())
    label = f"tolerance ±{quantity(widest, found.unit)}" if even else f"tolerance: {tolerance}"
    if found.worst and widest / _FAR > found.size[found.worst]:
        axes.fill_between(
            [], [], facecolor=f"{GREEN}40", edgecolor=GREEN, label=f"{label}, beyond the axis"
        )
        return
    start, low, _ = extremes(at, limit, COLUMNS)
    start, low = np.append(start, at[-1]), np.append(low, low[-1])
    band = axes.fill_between(start, -low, low, step="post", label=label)
    # Over the errors, so that dense ones do not hide it; a quarter opaque inside.
    band.set(facecolor=f"{GREEN}40", edgecolor=GREEN, linewidth=0.8, zorder=2.5)


def _mark_first(top: Axes, bottom: Axes, found: Difference, at: Floats) -> None:
    row = int(found.wrong_rows[0])
    for axes in (top, bottom):
        axes.axvline(at[row], color=VERMILLION, linewidth=1.2, linestyle=(0, (2, 1)))
    bottom.margins(y=0.15)  # room for what is written there
    right = at[row] <= (at[0] + at[-1]) / 2
    bottom.annotate(
        f"first: tick {found.ticks[row]}",
        (at[row], 1.0),
        (4 if right else -4, -3),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="left" if right else "right",
        va="top",
        size=9,
        color=VERMILLION,
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
    )
