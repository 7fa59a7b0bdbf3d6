"""Where errors are: by field or array index over time, or by region of an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from ..compare import Tolerance
from ..errors import ReportError
from ..message.arrays import Floats
from .difference import difference, is_exact, largest_first, largest_words, tolerance_of
from .downsample import column_starts
from .magnitude import draw_magnitudes, largest_of_blocks
from .picture import PixelErrors, picture_of, pictures_of, pixel_errors
from .signals import Plottable, Signal, Times, named_signals
from .style import (
    File,
    finished,
    new_figure,
    plain,
    quantity,
    set_time_axis,
    set_titles,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_ROWS, _MOST_COLUMNS = 256, 720
"""So that each cell is a pixel or more."""
_REGIONS = 48
"""Regions along the longer side of an image."""
_GAP = 3
"""A pause so many times as long as usual is left blank."""


@dataclass(frozen=True)
class _Errors:
    """|error| (n, rows), inf where it is not finite; what is wrong; times (n,) in seconds.

    Names of rows.
    """

    sizes: Floats
    wrong: npt.NDArray[np.bool_]
    seconds: Floats | None
    rows: tuple[str, ...]
    unit: str
    by_index: bool


def plot_heatmap(
    error: Plottable | Mapping[str, Plottable],
    path: str | Sequence[str] = "",
    *,
    against: Plottable | Mapping[str, Plottable] | None = None,
    by: Literal["time", "region"] = "time",
    time: Times = None,
    tolerance: float | Tolerance = 0.0,
    unit: str | None = None,
    title: str | None = None,
    file: File | None = None,
) -> Figure:
    """The size of errors as colours: over time by array index or by field, or by region of images.

    `error` holds errors, or, with the reference `against`, what is compared with it: numbers (n, k)
    for k array indices; a Series, Dataset of one key or sequence of messages with one path of an
    array or several paths, a row each; or several of these by name. Of an array that is one field
    of several, the largest error of its elements is shown.

    `by="region"` takes images instead: errors (h, w) or (h, w, channels); or images to compare
    `against` others, also Series or lists of them, of which the largest error of each region is
    shown.

    The `tolerance` decides what the title counts. The figure is also saved if a `file` is given.
    Raises ReportError.
    """
    limits = tolerance_of(tolerance)
    if by == "region":
        return _plot_regions(error, against, limits, title, file)
    if by != "time":
        raise ReportError(f"errors are not shown by '{by}'; use 'time' or 'region'")
    signals = named_signals(error, path, time)
    references = None if against is None else named_signals(against, path, time)
    found = _errors(signals, references, limits)
    keys = dict.fromkeys(signal.subject if len(signals) == 1 else signal.key for signal in signals)
    subject = plain(title) if title is not None else ", ".join(key for key in keys if key)

    shown_unit = found.unit if unit is None else unit
    figure = new_figure(4.6)
    axes = figure.subplots()
    tidy(axes, "")
    set_time_axis(axes, in_seconds=found.seconds is not None)
    _draw(figure, axes, found, shown_unit)
    set_titles(figure, axes, _finding(found, is_exact(limits), shown_unit), subject)
    return finished(figure, file)


def _errors(signals: list[Signal], references: list[Signal] | None, limits: Tolerance) -> _Errors:
    sizes, wrong, seconds = [], [], []
    for signal, reference in zip_longest(signals, references or []):
        if references is None:
            zero = Signal(np.zeros_like(signal.values), signal.time_ns)
            one = difference(zero, signal, limits)
        elif signal is None or reference is None:
            raise ReportError(f"{len(signals)} fields cannot be compared with {len(references)}")
        else:
            one = difference(reference, signal, limits)
        size = np.where(np.isfinite(one.error), np.abs(one.error), np.inf)
        several = len(signals) > 1
        sizes.append(size.max(axis=1, keepdims=True, initial=0.0) if several else size)
        wrong.append(one.wrong.any(axis=1, keepdims=True) if several else one.wrong)
        seconds.append(one.seconds)
    if len({len(size) for size in sizes}) > 1:
        counts = ", ".join(str(len(size)) for size in sizes)
        raise ReportError(f"fields of one heatmap need the same ticks; these have {counts}")
    units = {signal.unit for signal in signals}
    rows = (
        tuple(signal.field for signal in signals)
        if len(signals) > 1
        else tuple(f"[{index}]" for index in range(sizes[0].shape[1]))
    )
    at = seconds[0]
    # Messages of one time, or of times that run backwards, are drawn by their ticks.
    in_time = at is not None and bool(np.all(np.diff(at) >= 0)) and (len(at) < 2 or at[-1] > at[0])
    return _Errors(
        np.hstack(sizes),
        np.hstack(wrong),
        at if in_time else None,
        rows,
        units.pop() if len(units) == 1 else "",
        len(signals) == 1,
    )


def _draw(figure: Figure, axes: Axes, found: _Errors, unit: str) -> None:
    from matplotlib.ticker import MaxNLocator

    count, rows = found.sizes.shape
    if not count or not rows:
        return
    at = np.arange(count, dtype=np.float64) if found.seconds is None else found.seconds
    starts = column_starts(at, _MOST_COLUMNS)
    # Messages of equal stamps share a cell, which would have no width otherwise; a column may begin
    # among them.
    starts = np.unique(np.searchsorted(at, at[starts]))
    cells = np.maximum.reduceat(found.sizes, starts, axis=0)
    edges, cells = _with_pauses(at[starts], at[-1], cells)
    thick = -(-rows // _MOST_ROWS)
    cells = largest_of_blocks(cells.T, thick, 1)
    heights = np.minimum(np.arange(len(cells) + 1) * thick, rows) - 0.5
    draw_magnitudes(figure, axes, cells, edges, heights, unit)
    if found.by_index:
        axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.set_ylabel("index", size=10)
    else:
        axes.set_yticks(np.arange(rows), list(found.rows))
        axes.invert_yaxis()


def _with_pauses(starts: Floats, last: float, cells: Floats) -> tuple[Floats, Floats]:
    """Edges (m + 1,) of cells (m, rows) that start at `starts`.

    Where nothing came for long there are blank ones.
    """
    widths = np.diff(starts)
    usual = float(np.median(widths)) if len(widths) else 1.0
    ends = max(float(last), float(starts[-1] + (usual or 1.0)))
    pauses = np.flatnonzero(widths > _GAP * usual) if usual else np.empty(0, np.int64)
    edges = np.insert(np.append(starts, ends), pauses + 1, starts[pauses] + usual)
    return edges, np.insert(cells, pauses + 1, np.nan, axis=0)


def _finding(found: _Errors, exact: bool, unit: str) -> str:
    count = len(found.sizes)
    wrong = np.flatnonzero(found.wrong.any(axis=1))
    if not found.sizes.size:
        return "there is nothing to compare"
    finite = np.where(np.isfinite(found.sizes), found.sizes, 0.0)
    if len(wrong):
        text = f"{len(wrong)} of {count} ticks {'differ' if exact else 'are beyond tolerance'}"
        if found.wrong.shape[1] > 1:
            what = "elements" if found.by_index else "fields"
            text += f" ({int(found.wrong.sum())} of {found.wrong.size} {what})"
        text += f", first at tick {wrong[0]}"
        text += "" if found.seconds is None else f" ({found.seconds[wrong[0]]:.3f} s)"
    else:
        text = f"all {count} ticks are {'within tolerance' if finite.any() else 'equal'}"
    finite = largest_first(finite, found.wrong)
    if finite.any():
        tick, row = divmod(int(finite.argmax()), finite.shape[1])
        size = quantity(float(finite.max()), unit)
        text += f", {largest_words(size, len(wrong))} at tick {tick}"
        text += f" in {found.rows[row]}" if len(found.rows) > 1 else ""
    broken = int(np.isinf(found.sizes).sum())
    return text + (f"; {broken} NaN or inf" if broken else "")


def _plot_regions(
    images: Any, against: Any, limits: Tolerance, title: str | None, file: File | None
) -> Figure:
    count, found = _region_errors(images, against, limits)
    height, width = found.sizes.shape
    side = max(1, -(-max(height, width) // _REGIONS))

    figure = new_figure(6.0)
    axes = figure.subplots()
    tidy(axes, "row [pixel]", "column [pixel]")
    if height and width:
        cells = largest_of_blocks(found.sizes, side, side)
        y_edges, x_edges = (
            np.minimum(np.arange(n + 1) * side, size)
            for n, size in zip(cells.shape, found.sizes.shape, strict=True)
        )
        draw_magnitudes(figure, axes, cells, x_edges, y_edges)
        axes.invert_yaxis()
        axes.set(aspect="equal", anchor="W")
    text = found.finding(is_exact(limits)) + (f"; any of {count} images" if count > 1 else "")
    subject = plain(title) if title is not None else f"largest error of each {side} × {side} pixels"
    set_titles(figure, axes, text, subject)
    return finished(figure, file)


def _region_errors(images: Any, against: Any, limits: Tolerance) -> tuple[int, PixelErrors]:
    """How many images there are, and the largest error of each pixel."""
    if against is None:
        error = picture_of(images)
        zero = type(error)(np.zeros_like(error.values), error.encoding)
        return 1, pixel_errors(zero, error, limits)
    total: PixelErrors | None = None
    count = 0
    for b, a in zip_longest(pictures_of(images), pictures_of(against)):
        if a is None or b is None:
            raise ReportError(f"there are only {count} images on one side; give as many on both")
        found = pixel_errors(a, b, limits)
        if total is not None and total.sizes.shape != found.sizes.shape:
            raise ReportError(
                f"image {count} has another size than those before; give images of one size"
            )
        if total is not None:
            found = PixelErrors(np.maximum(total.sizes, found.sizes), total.wrong | found.wrong)
        total, count = found, count + 1
    if total is None:
        raise ReportError("there are no images to compare; give at least one on each side")
    return count, total
