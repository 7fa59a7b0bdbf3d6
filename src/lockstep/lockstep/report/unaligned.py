"""What was compared by its distributions: how large each difference is, and where it lies."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..bag import Bag, BagError
from ..compare import Comparison, Tolerance
from ..compare.distribution import DistributionComparison
from ..compare.key_comparison import KeyComparison
from ..errors import ReportError
from ..message.arrays import Floats
from ..message.images import pixels
from ..message.units import unit_of
from .histogram import plot_histogram
from .pixels import plot_pixels
from .shown_fields import first_numbers
from .style import (
    BLACK,
    GREY,
    LARGEST,
    SIDES,
    VERMILLION,
    File,
    finished,
    new_figure,
    plain,
    set_legend,
    set_titles,
    tidy,
    with_unit,
)
from .wrong_images import message_at

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_BARS = 60
_BY_CHANCE = 4.0
"""Standard errors, beyond which a pixel is marked."""


@dataclass(frozen=True)
class Means:
    """Of the elements of an array over all messages, and the variances of these means, (k,)."""

    values: Floats
    variances: Floats


def write_distributions(
    comparison: Comparison,
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    stem: Path,
    format: str,
) -> Iterator[Path]:
    """Draw the effect of each field of a topic, then for each that differs its histograms and, of
    arrays of one length, the means of their elements: of images as a map of pixels."""
    numbers = [one for one in key.judged.distributions.values() if not math.isnan(one.effect)]
    if numbers:
        file = stem.with_name(f"{stem.name}.fields.{format}")
        plot_effects(numbers, title=key.topic, file=file)
        yield file
    for found in numbers:
        if found.matches:
            continue
        name = "".join(x if x.isalnum() or x in "._-" else "_" for x in found.field)
        file = stem.with_name(f"{stem.name}.{name}.{format}")
        title = f"{key.topic} {found.field}"
        numbers_a, numbers_b = (first_numbers(bag, key.topic, found.field) for bag in bags)
        plot_histogram(
            numbers_a,
            numbers_b,
            names=comparison.names,
            unit=unit_of(found.field, key.type),
            title=title,
            file=file,
        )
        yield file
        means = [means_of(bag, key.topic, found.field) for bag in bags]
        a, b = means
        if a is None or b is None or len(a.values) != len(b.values) or len(a.values) < 2:
            continue
        file = stem.with_name(f"{stem.name}.{name}.means.{format}")
        if not _plot_pixels(bags, key, found, (a, b), comparison.names, file):
            unit = unit_of(found.field, key.type)
            plot_means(a, b, names=comparison.names, unit=unit, title=title, file=file)
        yield file


def plot_effects(
    fields: list[DistributionComparison], *, title: str, file: File | None = None
) -> Figure:
    """How far each field is apart, in its standard deviations, the farthest first."""
    shown = sorted(fields, key=lambda one: (one.matches, -one.effect))[:_MOST_BARS]
    figure = new_figure(1.6 + 0.24 * len(shown))
    axes = figure.subplots()
    tidy(axes, "")
    finite = [one.effect for one in shown if math.isfinite(one.effect)]
    most = max(finite, default=1.0) or 1.0
    rows = range(len(shown))
    axes.barh(
        rows,
        [one.effect if math.isfinite(one.effect) else 1.1 * most for one in shown],
        color=[GREY if one.matches else VERMILLION for one in shown],
        height=0.7,
    )
    axes.set_yticks(rows, [plain(one.field, 44) for one in shown])
    axes.invert_yaxis()
    for row, one in enumerate(shown):
        words = f" {one.effect:.2g} ({one.size})" if math.isfinite(one.effect) else " a constant"
        at = min(one.effect, 1.1 * most)
        axes.text(at, row, words, va="center", size=8, color=BLACK)
    axes.set_xlabel("effect [standard deviations]", size=10)
    differ = sum(not one.matches for one in fields)
    left_out = len(fields) - len(shown)
    more = f", {left_out} more are not drawn" if left_out else ""
    finding = f"{differ} of {len(fields)} fields differ in distribution{more}"
    set_titles(figure, axes, finding, plain(title))
    return finished(figure, file)


def means_of(bag: Bag, topic: str, path: str) -> Means | None:
    """The means of the elements of an array; None if its messages are of different lengths."""
    count = 0
    origin: Floats = np.zeros(0)
    sums: Floats = np.zeros(0)
    squares: Floats = np.zeros(0)
    for columns in bag.stream_columns(topic, [path]):
        column = columns[path]
        if column.dtype == object:
            return None
        values = column.reshape(len(column), -1).astype(np.float64)
        if not count:
            origin = np.where(np.isfinite(values[0]), values[0], 0.0)
            sums, squares = np.zeros_like(origin), np.zeros_like(origin)
        if values.shape[1] != len(origin):
            return None
        off = np.where(np.isfinite(values), values - origin, 0.0)
        count += len(off)
        sums += off.sum(axis=0)
        squares += np.square(off).sum(axis=0)
    if not count:
        return None
    variances = np.maximum(squares / count - np.square(sums / count), 0.0) / max(1, count - 1)
    return Means(origin + sums / count, variances)


def plot_means(
    a: Means,
    b: Means,
    *,
    names: tuple[str, str],
    unit: str = "",
    title: str,
    file: File | None = None,
) -> Figure:
    """The mean of each element of an array, and below how many standard errors they are apart."""
    figure = new_figure(6.0)
    top, bottom = figure.subplots(2, 1, sharex=True, gridspec_kw={"height_ratios": [3, 2]})
    index = np.arange(len(a.values))
    for side, name, (colour, line) in zip((a, b), names, SIDES, strict=True):
        values = np.clip(side.values, -LARGEST, LARGEST)
        top.plot(index, values, color=colour, linestyle=line, label=plain(name, 30))
    tidy(top, with_unit("mean", unit))
    set_legend(top)
    apart, errors = b.values - a.values, np.sqrt(a.variances + b.variances)
    with np.errstate(divide="ignore", invalid="ignore"):
        by = np.where(apart == 0, 0.0, apart / errors)
    by = np.clip(by, -1e3, 1e3)  # what never changes
    bottom.plot(index, by, color=BLACK, linewidth=1.0)
    for level in (-_BY_CHANCE, _BY_CHANCE):
        bottom.axhline(level, color=GREY, linewidth=0.8, linestyle=(0, (2, 2)))
    tidy(bottom, "apart [standard errors]")
    bottom.set_xlabel("element", size=10)
    beyond = int((np.abs(by) > _BY_CHANCE).sum())
    finding = f"{beyond} of {len(by)} elements are {_BY_CHANCE:g} standard errors apart or more"
    set_titles(figure, top, finding, plain(title))
    return finished(figure, file)


def _plot_pixels(
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    found: DistributionComparison,
    means: tuple[Means, Means],
    names: tuple[str, str],
    file: Path,
) -> bool:
    """The mean images and where they are apart beyond chance; whether these are images."""
    if found.field != "data":
        return False
    try:
        shape = np.shape(pixels(message_at(bags[0], key.topic, 0)))
        if math.prod(shape) != len(means[0].values):
            return False
        error = math.sqrt(float((means[0].variances + means[1].variances).mean()))
        plot_pixels(
            means[0].values.reshape(shape),
            means[1].values.reshape(shape),
            tolerance=Tolerance(abs=_BY_CHANCE * error),
            names=names,
            title=f"{key.topic}: means of all images, beyond {_BY_CHANCE:g} standard errors",
            file=file,
        )
    except (AttributeError, BagError, ReportError):
        return False  # no image, or of an encoding that has no pixels as numbers
    return True
