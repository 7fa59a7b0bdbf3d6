"""The distributions of all fields of whole messages, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ReportError
from ..message.arrays import Column, Floats
from .bins import bin_edges, finite_numbers
from .shown_fields import ShownField, flattened, shown_fields
from .signals import not_finite
from .style import (
    BLACK,
    SIDES,
    File,
    finished,
    new_figure,
    plain,
    tidy,
    with_unit,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_PANELS = 60
_IN_ROW = 3
_MOST_BARS = 12
"""Values of an enumeration, and texts."""
_BY_ELEMENT = 4
"""Arrays with more elements than these are taken together."""
_HEAVY = 20.0
"""A distribution is drawn on a logarithmic axis if it is so many times as wide as its middle 90 of
100."""
_BINS = 48


def plot_fields(
    a: Any,
    b: Any = None,
    *,
    names: tuple[str, str] = ("a", "b"),
    title: str | None = None,
    file: File | None = None,
) -> Figure:
    """One panel for each field of messages: of a bag, its path, a dataset, a series, messages,
    dataclasses or dicts; of both sides in the same bins if there is a `b`.

    Enumerations, booleans and texts are bars, named by the constants of their message; the elements
    of arrays of four or fewer are drawn by themselves, those of larger ones together. Numbers with
    heavy tails are on a logarithmic axis, on both sides of zero if there are such. NaN and inf are
    left out and counted in the title of a panel. At most a million numbers of each field of a bag
    are read; of more than 60 fields the first 60 are drawn, which the title says. Raises
    ReportError if there are none.
    """
    fields = list(shown_fields(a))
    of_b = {} if b is None else {(one.key, one.path): one for one in shown_fields(b)}
    panels = [(field, columns) for field in fields if (columns := _columns(field, of_b))]
    if not panels:
        raise ReportError(f"{_named(a)} holds no numbers to draw")
    drawn = panels[:_MOST_PANELS]
    rows = -(-len(drawn) // _IN_ROW)
    figure = new_figure(1.0 + 2.0 * rows)
    grid = figure.subplots(rows, _IN_ROW, squeeze=False)
    shown = [plain(name, 30) for name in names]
    several = len({field.key for field, _ in panels}) > 1
    for axes, (field, columns) in zip(grid.flat, drawn, strict=False):
        _draw(axes, field, columns, shown if b is not None else [""], several)
    for axes in list(grid.flat)[len(drawn) :]:
        axes.set_visible(False)
    words = plain(title) if title is not None else plain(_title(fields))
    if len(panels) > len(drawn):
        words += f", the first {len(drawn)} of {len(panels)} fields"
    figure.suptitle(words, x=0.01, ha="left", size=12, weight="bold", color=BLACK)
    return finished(figure, file)


def _named(data: Any) -> str:
    return str(getattr(data, "path", None) or getattr(data, "key", None) or "what is given")


def _title(fields: Sequence[ShownField]) -> str:
    keys = list(dict.fromkeys(field.key for field in fields))
    what = keys[0] if len(keys) == 1 and keys[0] else f"{len(keys)} topics"
    return f"{len(fields)} fields of {what}" if any(keys) else f"{len(fields)} fields"


def _columns(field: ShownField, of_b: Mapping[tuple[str, str], ShownField]) -> list[Column]:
    """What is to be drawn of both sides; nothing of what is neither numbers nor texts."""
    other = of_b.get((field.key, field.path))
    columns = [side.read() for side in (field, other) if side is not None]
    columns = [_plain_values(column) for column in columns]
    return columns if all(column.size and _is_drawn(column) for column in columns[:1]) else []


def _plain_values(column: Column) -> Column:
    """Members of enumerations, and single bytes, as their values, tuples as arrays."""
    if column.dtype == object and len(column):
        if isinstance(column[0], Enum):
            return np.array([one.value if isinstance(one, Enum) else one for one in column])
        if all(isinstance(one, bytes) and len(one) == 1 for one in column):
            return np.array([one[0] for one in column])
        if all(isinstance(one, tuple) for one in column) and len(set(map(len, column))) == 1:
            return np.array(column.tolist())
    return column


def _is_drawn(column: Column) -> bool:
    flat = flattened(column)
    if not flat.size:
        return False
    return flat.dtype.kind in "biuf" or (flat.dtype.kind in "OU" and isinstance(flat[0], str))


def _draw(
    axes: Axes, field: ShownField, columns: list[Column], names: Sequence[str], several: bool
) -> None:
    words = f"{field.key} {field.path}" if several and field.key else field.path or field.key
    tidy(axes, "")
    width = int(np.prod(columns[0].shape[1:])) if columns[0].dtype != object else 0
    if 1 < width <= _BY_ELEMENT and len(columns) == 1:
        elements = columns[0].reshape(len(columns[0]), width)
        sides = [elements[:, at] for at in range(width)]
        names = [f"[{at}]" for at in range(width)]
    else:
        sides = [flattened(column) for column in columns]
        if columns[0].ndim > 1 or columns[0].dtype == object:
            words += f" ({len(sides[0])} elements)" if sides[0].dtype.kind in "biuf" else ""
    gaps = ""
    if any(side.dtype.kind in "OU" for side in sides) or _is_enumeration(sides, field.labels):
        _draw_bars(axes, sides, field.labels, names)
    else:
        gaps = ", ".join(filter(None, map(not_finite, sides)))
        _draw_numbers(axes, [finite_numbers(side) for side in sides], names)
        axes.set_xlabel(with_unit("", field.unit).strip(), size=8)
    left_out = f" (and {gaps})" if gaps else ""
    axes.set_title(f"{plain(words, 44)}{left_out}", loc="left", size=8)
    if len(sides) > 1:
        axes.legend(fontsize=7, loc="best", frameon=False, handlelength=1.6)
    axes.tick_params(labelsize=7)
    if axes.get_xscale() == "linear":
        axes.locator_params(axis="x", nbins=5)


def _is_enumeration(sides: Sequence[Column], labels: Mapping[int, str]) -> bool:
    """Whether values are of few kinds that have names."""
    if any(side.dtype.kind == "b" for side in sides):
        return True
    if not labels or any(side.dtype.kind not in "iu" for side in sides):
        return False
    there = set().union(*(np.unique(side).tolist() for side in sides))
    return len(there) <= _MOST_BARS and bool(there & labels.keys())


def _draw_bars(
    axes: Axes, sides: Sequence[Column], labels: Mapping[int, str], names: Sequence[str]
) -> None:
    counts = [Counter(side.tolist()) for side in sides]
    both = sum(counts, Counter[Any]())
    most = [value for value, _ in both.most_common(_MOST_BARS)]
    if all(isinstance(value, (int, float)) for value in most):
        most.sort()
    height = 0.8 / len(sides)
    for at, (count, name) in enumerate(zip(counts, names, strict=False)):
        rows = np.arange(len(most)) + (at - (len(sides) - 1) / 2) * height
        colour = SIDES[at % 2][0]
        axes.barh(rows, [count[value] for value in most], height, color=colour, label=name)
    words = [plain(labels.get(value, str(value)) if labels else str(value), 24) for value in most]
    axes.set_yticks(range(len(most)), [word or "(empty)" for word in words], size=7)
    axes.invert_yaxis()
    axes.grid(False)
    if len(both) > len(most):
        axes.set_xlabel(f"{len(both) - len(most)} others are not drawn", size=8)


def _draw_numbers(axes: Axes, sides: Sequence[Column], names: Sequence[str]) -> None:
    numbers = np.concatenate([side.astype(np.float64) for side in sides])
    whole = all(side.dtype.kind in "biu" for side in sides)
    edges, scale = _edges(numbers, whole)
    for at, (side, name) in enumerate(zip(sides, names, strict=False)):
        colour, line = SIDES[at % 2]
        counts = np.histogram(side.astype(np.float64), edges)[0]
        if len(sides) == 1:
            axes.stairs(counts, edges, fill=True, color=colour)
        else:
            axes.stairs(counts, edges, color=colour, linestyle=line, label=name)
    if scale == "log":
        axes.set_xscale("log")
    elif scale:
        axes.set_xscale("symlog", linthresh=float(scale))


def _edges(numbers: Floats, whole: bool) -> tuple[Floats, str | float]:
    """Edges of bins, and the scale of the axis: "" for a linear one, "log", or the number below
    which one that has both signs is linear."""
    linear = bin_edges(numbers, None, whole)
    if len(numbers) < 2:
        return linear, ""
    lower, upper = np.percentile(numbers, [5, 95])
    low, high = float(numbers.min()), float(numbers.max())
    if not (upper > lower and high - low > _HEAVY * float(upper - lower)):
        return linear, ""
    if low > 0:
        spaced = np.geomspace(low, high * (1 + 1e-12), _BINS + 1).astype(np.float64)
        return spaced, "log"
    sizes = np.abs(numbers[numbers != 0])
    threshold = float(np.median(sizes)) if len(sizes) else 1.0
    most = max(-low, high)
    if not threshold > most * 1e-12:
        return linear, ""
    bent = np.linspace(_bent(low, threshold), _bent(high, threshold), _BINS + 1)
    edges = np.unique(np.sign(bent) * threshold * np.sinh(np.abs(bent)))
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    return edges, threshold


def _bent(number: float, threshold: float) -> float:
    """A number on an axis that is linear about zero and logarithmic beyond the threshold."""
    return float(np.arcsinh(number / threshold))
