"""Two images and where they differ."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ..compare import Tolerance
from .difference import is_exact, tolerance_of
from .magnitude import draw_magnitudes, largest_of_blocks
from .picture import (
    Image,
    PixelErrors,
    gaps,
    picture_of,
    pixel_errors,
    shared_range,
)
from .style import (
    BLACK,
    GREY,
    VERMILLION,
    File,
    finished,
    new_figure,
    plain,
    set_titles,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CELLS = 24
"""Wrong pixels closer together than this part of the longer side share a mark."""
_MOST_MARKS = 60
"""More marks than these would hide what they mark."""
_MAP_PIXELS = 480
"""A side longer than this is shown by the largest error of blocks, so that a single pixel is still
seen."""


def plot_pixels(
    image_a: Image,
    image_b: Image,
    *,
    tolerance: float | Tolerance = 0.0,
    names: tuple[str, str] = ("a", "b"),
    title: str | None = None,
    file: File | None = None,
) -> Figure:
    """Both images and the map of |b - a|, with rings around the wrong pixels.

    The title counts these. Images are pixels (h, w) or (h, w, channels; RGB if there are three), or
    sensor_msgs/Image messages, of one size. A pixel is wrong if any of its channels is beyond the
    `tolerance`. Grey images other than bytes are shown from the smallest to the largest value of
    both. The figure is also saved if a `file` is given. Raises ReportError.
    """
    a, b = picture_of(image_a), picture_of(image_b)
    limits = tolerance_of(tolerance)
    found = pixel_errors(a, b, limits)
    shown = [plain(name, 30) for name in names]
    height, width = found.sizes.shape

    figure = new_figure(1.3 + 5.7 * min(max(height / max(width, 1), 0.4), 1.0))
    grid = figure.add_gridspec(2, 2, width_ratios=[1, 2])
    marks = _marks(found.wrong)
    low, high = shared_range(a, b)
    for row, (picture, name) in enumerate(zip((a, b), shown, strict=True)):
        axes = figure.add_subplot(grid[row, 0])
        _frame(axes, name)
        if picture.values.size:
            extent = (0, width, height, 0)
            axes.imshow(picture.shown(low, high), cmap="gray", vmin=0, vmax=1, extent=extent)
        if row:
            _draw_marks(axes, marks, 7)
    axes = figure.add_subplot(grid[:, 1])
    tidy(axes, "row", "column")
    if found.sizes.size:
        _draw_map(figure, axes, found)
        _draw_marks(axes, marks, 14)
    text = found.finding(is_exact(limits)) + gaps(a, shown[0]) + gaps(b, shown[1])
    about = (
        f"|{shown[1]} \N{MINUS SIGN} {shown[0]}|, {a.size} pixels {plain(a.encoding, 20)}".rstrip()
    )
    set_titles(figure, axes, text, plain(title) if title is not None else about)
    return finished(figure, file)


def _frame(axes: Axes, name: str) -> None:
    axes.set(xticks=[], yticks=[])
    axes.set_title(name, loc="left", size=10, color=BLACK)
    for spine in axes.spines.values():
        spine.set_color(GREY)


def _draw_map(figure: Figure, axes: Axes, found: PixelErrors) -> None:
    height, width = found.sizes.shape
    side = -(-max(height, width) // _MAP_PIXELS)
    cells = largest_of_blocks(found.sizes, side, side)
    y_edges, x_edges = (
        np.minimum(np.arange(n + 1) * side, size)
        for n, size in zip(cells.shape, found.sizes.shape, strict=True)
    )
    draw_magnitudes(figure, axes, cells, x_edges, y_edges)
    for spine in axes.spines.values():
        spine.set(visible=True, color=GREY)
    axes.set(xlim=(0, width), ylim=(height, 0), aspect="equal", anchor="W")


def _marks(wrong: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Middles (m, 2) as x and y of the groups of wrong pixels.

    None if there are too many groups.
    """
    rows, columns = np.nonzero(wrong)
    side = max(1.0, max(wrong.shape) / _CELLS)
    cells = (rows // side) * (_CELLS + 1) + columns // side
    groups, of = np.unique(cells, return_inverse=True)
    if len(groups) > _MOST_MARKS:
        return np.empty((0, 2))
    counts = np.bincount(of)
    middles = np.column_stack([np.bincount(of, x + 0.5) / counts for x in (columns, rows)])
    apart: list[npt.NDArray[np.float64]] = []
    for middle in middles:
        if all(np.hypot(*(middle - other)) > side for other in apart):
            apart.append(middle)
    return np.array(apart).reshape(-1, 2)


def _draw_marks(axes: Axes, marks: npt.NDArray[np.float64], size: float) -> None:
    axes.plot(
        marks[:, 0],
        marks[:, 1],
        linestyle="",
        marker="o",
        markersize=size,
        markerfacecolor="none",
        markeredgecolor=VERMILLION,
        markeredgewidth=1.4,
        clip_on=False,
    )
