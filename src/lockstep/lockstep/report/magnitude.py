"""Colours of errors by their size: white is none, darker is larger, vermillion is not finite."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from .style import BLACK, GREY, LARGEST, VERMILLION, set_legend, with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE = 1000
"""Errors that differ by such a factor are shown on a logarithmic scale."""
_WIDEST = 1e15
"""What is so many times smaller than the largest error has the colour of the smallest."""


def draw_magnitudes(
    figure: Figure,
    axes: Axes,
    magnitudes: npt.NDArray[np.float64],
    x_edges: npt.ArrayLike,
    y_edges: npt.ArrayLike,
    unit: str = "",
) -> None:
    """Draw errors >= 0 (rows, columns) as cells, with their scale.

    They lie between edges (columns + 1,) and (rows + 1,). NaN is left out like 0, inf is marked.
    """
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap, LogNorm, Normalize

    countable = np.clip(magnitudes, 1 / LARGEST, LARGEST)
    magnitudes = np.where(np.isfinite(magnitudes) & (magnitudes > 0), countable, magnitudes)
    finite = magnitudes[np.isfinite(magnitudes) & (magnitudes > 0)]
    smallest, largest = (float(f(finite)) if finite.size else 1.0 for f in (np.min, np.max))
    logarithmic = largest > _WIDE * smallest
    smallest = max(smallest, largest / _WIDEST)
    norm: Any = LogNorm(smallest, largest) if logarithmic else Normalize(0, largest)
    colours = ListedColormap(colormaps["viridis"](np.linspace(0.9, 0, 256)))
    colours.set_bad("white")
    colours.set_over(VERMILLION)
    # Matplotlib would leave out inf; what is beyond the scale has a colour of its own.
    shown = np.where(magnitudes > 0, np.minimum(magnitudes, 2 * largest), np.nan)
    cells = axes.pcolormesh(x_edges, y_edges, shown, cmap=colours, norm=norm, rasterized=True)
    axes.grid(False)
    if finite.size:
        bar = figure.colorbar(cells, cax=axes.inset_axes((1.015, 0.0, 0.02, 1.0)))
        bar.set_label(with_unit("|error|", unit), size=10, color=BLACK)
        bar.ax.tick_params(labelsize=9, color=GREY, labelcolor=BLACK)
        bar.outline.set_visible(False)  # type: ignore[operator, unused-ignore]
    if np.isinf(magnitudes).any():
        axes.plot([], [], "s", color=VERMILLION, label="NaN or inf")
        set_legend(axes)


def largest_of_blocks(
    magnitudes: npt.NDArray[np.float64], rows: int, columns: int
) -> npt.NDArray[np.float64]:
    """The largest of each block of `rows` × `columns` of (h, w); blocks at the ends may be smaller.

    NaN counts as none.
    """
    height, width = magnitudes.shape
    if not height or not width:
        return magnitudes
    by_rows = np.fmax.reduceat(magnitudes, np.arange(0, height, rows), axis=0)
    largest: npt.NDArray[np.float64] = np.fmax.reduceat(
        by_rows, np.arange(0, width, columns), axis=1
    )
    return largest
