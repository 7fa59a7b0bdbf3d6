"""Fields over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .downsample import extremes
from .signals import Plottable, Signal, Times, named_signals, not_finite
from .style import (
    COLUMNS,
    LARGEST,
    LINES,
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

MOST_LINES = 8
"""Elements of an array that are drawn as a line each."""


def plot_timeseries(
    series: Plottable | Mapping[str, Plottable],
    path: str | Sequence[str] = "",
    *,
    time: Times = None,
    unit: str | None = None,
    title: str | None = None,
    file: File | None = None,
) -> Figure:
    """Fields over time, a line each; fields of different units get axes of their own.

    `series` is a Series, a Dataset of one key, numbers (n,) or (n, k), a sequence of messages, or
    several of these by name; `path` names one or more fields. Of arrays with more than 8 elements
    the median and the range are drawn. NaN and inf are gaps, counted in the title. The figure is
    also saved if a `file` is given. Raises ReportError.
    """
    signals = named_signals(series, path, time)
    if unit is not None:
        signals = [replace(signal, unit=unit) for signal in signals]
    units = list(dict.fromkeys(signal.unit for signal in signals))
    in_time = all(signal.time_ns is not None for signal in signals)
    firsts = [
        int(one.time_ns[0]) for one in signals if one.time_ns is not None and len(one.time_ns)
    ]
    origin_ns = min(firsts, default=0)

    figure = new_figure(1.5 + 2.7 * len(units))
    rows = figure.subplots(len(units), 1, sharex=True, squeeze=False)[:, 0]
    several = len(signals) > 1
    for axes, of_unit in zip(rows, units, strict=True):
        those = [signal for signal in signals if signal.unit == of_unit]
        styles = iter(LINES * (1 + MOST_LINES * len(those) // len(LINES)))
        for signal in those:
            at = signal.seconds(origin_ns) if in_time else None
            _draw(axes, signal, np.arange(len(signal.values)) if at is None else at, styles)
        alone = signals[0].field if not several else ""
        tidy(axes, with_unit(alone or "value", of_unit))
        if several or signals[0].values.ndim > 1:
            set_legend(axes)
    set_time_axis(rows[-1], in_seconds=in_time)
    keys = list(dict.fromkeys(signal.key for signal in signals if signal.key))
    subject = ", ".join(keys) if several else signals[0].subject
    set_titles(
        figure, rows[0], _finding(signals, in_time), plain(title) if title is not None else subject
    )
    return finished(figure, file)


def _draw(axes: Axes, signal: Signal, at: Any, styles: Any) -> None:
    width = int(np.prod(signal.values.shape[1:]))
    values = signal.values.reshape(len(signal.values), width)
    if width > MOST_LINES:
        colour, _ = next(styles)
        start, low, high = extremes(at, values, COLUMNS)
        low = np.clip(np.fmin.reduce(low, axis=1), -LARGEST, LARGEST)
        high = np.clip(np.fmax.reduce(high, axis=1), -LARGEST, LARGEST)
        label = f"range of {width} elements"
        axes.fill_between(start, low, high, color=colour, alpha=0.25, linewidth=0, label=label)
        label = f"median of {signal.field or 'them'}"
        draw_line(axes, at, _median(values), color=colour, label=label)
        return
    for element in range(width):
        colour, line = next(styles)
        name = signal.field + (f"[{element}]" if signal.values.ndim > 1 else "")
        draw_line(axes, at, values[:, element], color=colour, linestyle=line, label=name)


def _median(values: Any) -> Any:
    """The (lower) median of the finite elements of each row (n, k); NaN without any."""
    ordered = np.sort(np.where(np.isfinite(values), values, np.nan), axis=1)
    finite = np.isfinite(ordered).sum(axis=1)
    return ordered[np.arange(len(ordered)), (finite - 1) // 2]


def _finding(signals: Sequence[Signal], in_time: bool) -> str:
    counts = list(dict.fromkeys(len(signal.values) for signal in signals))
    text = " and ".join(str(count) for count in counts)
    if len(signals) == 1:
        text = " × ".join(map(str, signals[0].values.shape))
    text += " value" if counts == [1] and signals[0].values.size == 1 else " values"
    times = [signal.seconds() for signal in signals] if in_time else []
    longest_s = max((float(np.ptp(at)) for at in times if at is not None and len(at)), default=0.0)
    if longest_s:
        text += f" in {longest_s:.4g} s"
    if len(signals) == 1 and (finite := _finite(signals[0].values)).size:
        low, high = quantity(float(finite.min())), quantity(float(finite.max()), signals[0].unit)
        text += f", all {high}" if finite.min() == finite.max() else f", from {low} to {high}"
    for signal in signals:
        if gap := not_finite(signal.values):
            text += f"; {gap}" + (f" in {signal.field}" if len(signals) > 1 else "")
    return text


def _finite(values: Any) -> Any:
    return values[np.isfinite(values)]
