"""The distributions of all numbers in a bag, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from ..bag import Bag
from ..errors import ReportError
from ..message.arrays import Column
from ..message.primitives import STRINGS
from ..message.schema import TIMES, base_type
from ..message.units import unit_of
from .histogram import bin_edges, finite_numbers
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
    from matplotlib.figure import Figure

_MOST_PANELS = 60
_IN_ROW = 3
_MOST_NUMBERS = 1_000_000
"""Of each field, so that memory stays flat."""


def plot_histograms(bag: Bag, file: File | None = None) -> Figure:
    """One panel for each number in the messages of a bag.

    It shows at most the first million numbers of each. Of more than 60 fields the first 60 are
    drawn, which the title says. NaN, inf, and numbers so far from the others that nothing else
    would be seen are left out and counted in the title of a panel. Raises ReportError if there are
    no numbers.
    """
    fields = _fields(bag)
    panels = list(_panels(bag, fields[:_MOST_PANELS]))
    if not panels:
        raise ReportError(f"{bag.path} holds no numbers to draw")
    rows = -(-len(panels) // _IN_ROW)
    figure = new_figure(1.0 + 2.0 * rows)
    grid = figure.subplots(rows, _IN_ROW, squeeze=False)
    for axes, (name, unit, values) in zip(grid.flat, panels, strict=False):
        numbers, beyond = _middle(finite_numbers(values))
        edges = bin_edges(numbers, None, values.dtype.kind in "biu")
        axes.stairs(np.histogram(numbers, edges)[0], edges, fill=True, color=SIDES[0][0])
        tidy(axes, "")
        gaps = [not_finite(values), f"{beyond} beyond" if beyond else ""]
        left_out = ", ".join(gap for gap in gaps if gap)
        axes.set_title(f"{name}{f' (and {left_out})' if left_out else ''}", loc="left", size=8)
        axes.set_xlabel(with_unit("", unit).strip(), size=8)
    for axes in list(grid.flat)[len(panels) :]:
        axes.set_visible(False)
    title = f"{bag.count} messages of {len(bag.topics)} topics"
    if len(fields) > len(panels):
        title += f", the first {len(panels)} of {len(fields)} fields"
    figure.suptitle(title, x=0.01, ha="left", size=12, weight="bold", color=BLACK)
    return finished(figure, file)


def _middle(numbers: Column) -> tuple[Column, int]:
    """The numbers, without those that are far beyond 98 of 100; and how many these are."""
    if not len(numbers):
        return numbers, 0
    low, high = np.percentile(numbers, [1, 99])
    room = 5 * (float(high) - float(low))
    near = numbers[(numbers >= low - room) & (numbers <= high + room)] if room else numbers
    return near, len(numbers) - len(near)


def _fields(bag: Bag) -> list[tuple[str, str]]:
    """Topic and path of each field of numbers."""
    return [
        (topic.name, path)
        for topic in bag.topics.values()
        if topic.count
        for path, kind in bag.codec(topic.name).fields().items()
        if base_type(kind) not in (*STRINGS, *TIMES)
    ]


def _panels(bag: Bag, fields: list[tuple[str, str]]) -> Iterator[tuple[str, str, Column]]:
    """Name, unit and numbers of each field."""
    for topic, path in fields:
        unit = unit_of(path, bag.topics[topic].type)
        yield plain(f"{topic} {path}", 44), unit, first_numbers(bag, topic, path)


def first_numbers(bag: Bag, topic: str, path: str) -> Column:
    """The first numbers of a field, of any shape, (m,)."""
    parts: list[Column] = []
    size = 0
    for columns in bag.stream_columns(topic, [path]):
        column = columns[path]
        rows = (
            [np.asarray(row).reshape(-1) for row in column]
            if column.dtype == object
            else [column.reshape(-1)]
        )
        parts += rows
        size += sum(map(len, rows))
        if size >= _MOST_NUMBERS:
            break
    first: Column = np.concatenate(parts)[:_MOST_NUMBERS]
    return first
