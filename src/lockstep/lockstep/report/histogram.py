"""Two distributions in the same bins, and what one has more of than the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..message.arrays import Floats
from .bins import bin_edges, finite_numbers
from .contact_sheet import plot_fields
from .shown_fields import has_fields
from .signals import Plottable, not_finite, signal_of
from .style import (
    GREY,
    SIDES,
    File,
    finished,
    new_figure,
    plain,
    quantity,
    set_legend,
    set_titles,
    tidy,
    with_unit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_histogram(
    a: Plottable,
    b: Plottable | None = None,
    path: str = "",
    *,
    bins: int | Sequence[float] | None = None,
    names: tuple[str, str] = ("a", "b"),
    unit: str | None = None,
    title: str | None = None,
    file: File | None = None,
) -> Figure:
    """The distributions of `a` and `b` overlaid, and below them the difference of their counts.

    They share their bins. `a` and `b` are numbers of any shape, or Series, Datasets of one key or
    sequences of messages with the `path` of a field; without `b`, one distribution is shown. `bins`
    is a number of bins or their edges. NaN and inf are left out and counted in the title. The
    figure is also saved if a `file` is given. Raises ReportError.

    Whole messages, of a bag, its path, a Dataset, a Series, or some messages, dataclasses or dicts,
    are shown by all their fields, a small panel each (`contact_sheet.plot_fields`).
    """
    if not path and has_fields(a):
        return plot_fields(a, b, names=names, title=title, file=file)
    sides = [signal_of(side, path, ragged=True) for side in (a, b) if side is not None]
    subject = plain(title) if title is not None else sides[0].subject
    unit = sides[0].unit if unit is None else unit
    shown = [plain(name, 30) for name in names]
    whole = all(side.values.dtype.kind in "biu" for side in sides)
    finite = [finite_numbers(side.values) for side in sides]
    edges = bin_edges(np.concatenate(finite), bins, whole)
    counts = [np.histogram(values, edges)[0] for values in finite]

    figure = new_figure(6.0 if len(sides) == 2 else 4.0)
    grid = figure.subplots(
        len(sides),
        1,
        sharex=True,
        squeeze=False,
        gridspec_kw={"height_ratios": [3, 2][: len(sides)]},
    )
    top, bottom = grid[0, 0], grid[-1, 0]
    for count, name, (colour, line) in zip(counts, shown, SIDES, strict=False):
        _outline(top, count, edges, colour, line, name)
    tidy(top, "values per bin")
    if len(sides) == 2:
        difference = counts[1] - counts[0]
        bottom.stairs(difference, edges, fill=True, color=GREY)
        bottom.axhline(0, color=GREY, linewidth=0.8)
        tidy(bottom, f"{shown[1]} \N{MINUS SIGN} {shown[0]}")
        set_legend(top)
    bottom.set_xlabel(with_unit(sides[0].field or "value", unit), size=10)
    gaps = [not_finite(side.values) for side in sides]
    set_titles(figure, top, _finding(finite, counts, gaps, shown, unit), subject)
    return finished(figure, file)


def _outline(
    axes: Axes, count: npt.NDArray[Any], edges: Floats, colour: str, line: Any, name: str
) -> None:
    axes.stairs(count, edges, fill=True, color=colour, alpha=0.15)
    width = 2.4 if line == "-" else 1.2
    axes.stairs(count, edges, color=colour, linestyle=line, linewidth=width, label=name)


def _finding(
    finite: Sequence[npt.NDArray[Any]],
    counts: Sequence[npt.NDArray[Any]],
    gaps: Sequence[str],
    names: Sequence[str],
    unit: str,
) -> str:
    sizes = [len(values) for values in finite]
    if not any(sizes):
        text = "there are no finite values"
    elif len(sizes) == 1:
        text = f"{sizes[0]} values{_spread(finite[0], unit)}"
    elif sizes[0] != sizes[1]:
        text = f"{sizes[0]} values in {names[0]}, {sizes[1]} in {names[1]}"
    else:
        moved = int(np.abs(counts[1] - counts[0]).sum()) // 2
        text = f"{sizes[0]} values each, {moved or 'none'} in another bin"
    if len(sizes) == 2 and all(sizes):
        means = [quantity(float(values.mean(dtype=np.float64)), unit) for values in finite]
        text += f"; mean {means[0]}" + (f" against {means[1]}" if means[0] != means[1] else " both")
    for name, gap in zip(names, gaps, strict=False):
        if gap:
            text += f"; left out {gap}" + (f" in {name}" if len(sizes) == 2 else "")
    return text


def _spread(values: npt.NDArray[Any], unit: str) -> str:
    if not len(values):
        return ""
    low, mean, high = (float(one) for one in (values.min(), values.mean(dtype=float), values.max()))
    return f" from {quantity(low)} to {quantity(high, unit)}, mean {quantity(mean, unit)}"
