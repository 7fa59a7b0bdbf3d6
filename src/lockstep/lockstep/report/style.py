"""How all plots look.

Colours that the colour-blind and a grey printer keep apart, titles that state the finding.
"""

from __future__ import annotations

import os
import re
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import ReportError
from .downsample import min_max

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

File = str | os.PathLike[str]

# The palette of Okabe and Ito, without yellow, which vanishes on white.
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY_BLUE, BLACK = "#E69F00", "#56B4E9", "#000000"
GREY = "#595959"
LINES: tuple[tuple[str, Any], ...] = (
    (BLUE, "-"),
    (VERMILLION, (0, (4, 2))),
    (BLACK, (0, (1, 1.2))),
    (GREEN, (0, (6, 1.5, 1, 1.5))),
    (PURPLE, (0, (8, 2))),
    (ORANGE, (0, (3, 1, 1, 1, 1, 1))),
    (SKY_BLUE, "-"),
)
SIDES: tuple[tuple[str, Any], ...] = ((SKY_BLUE, "-"), (BLACK, (0, (4, 2))))
"""The reference, light and solid, and what is compared with it, dark and dashed: also in grey, both
are seen."""
COLUMNS = 1500
"""Points in time that a plot can tell apart."""
LARGEST = 1e300
"""Beyond this, Matplotlib cannot count."""
_FEW, _MANY = 50, 2000
"""Points that are marked, not only joined; and so many that lines must be thin."""
WIDTH_IN = 10.0
_LINE_CHARACTERS = 100
_LABEL_CHARACTERS, _KEY_CHARACTERS = 125, 8
"""How much a line of small text holds, and how much of it the sample of a line in a legend
takes."""
_FORMATS = (".pdf", ".png", ".svg")


def new_figure(height_in: float) -> Figure:
    """An empty figure, apart from pyplot and its state."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ReportError(f"plots need matplotlib ({error}); pip install matplotlib") from error
    except ValueError as error:  # which it raises for settings that it does not know
        raise ReportError(
            f"matplotlib refuses its settings ({error}); mend MPLBACKEND or your matplotlibrc"
        ) from error
    return Figure(figsize=(WIDTH_IN, height_in), dpi=100, facecolor="white", layout="constrained")


def plain(text: str, limit: int = 60) -> str:
    r"""Text of unknown origin as it is to be drawn.

    `$` starts no formula, what cannot be printed becomes `?`. Text longer than `limit` loses its
    middle. A leading `_` is kept from hiding the text in a legend.
    """
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    if len(shown) > limit:
        head = (limit - 1) // 3
        shown = f"{shown[:head]}…{shown[head + 1 - limit :]}"
    if shown.startswith("_"):
        shown = f" {shown}"
    return shown.replace("$", r"\$")


def with_unit(name: str, unit: str) -> str:
    """`error [m]`, or the name alone."""
    return f"{name} [{plain(unit, 20)}]" if unit else name


def quantity(value: float, unit: str = "") -> str:
    """A number in few digits with its unit."""
    return f"{value:.4g} {plain(unit, 20)}".rstrip()


def set_titles(figure: Figure, axes: Axes, finding: str, subject: str) -> None:
    """The finding as the headline of the figure; what it is about, above its first axes."""
    figure.suptitle(_wrapped(finding), x=0.01, ha="left", size=12, weight="bold", color=BLACK)
    legend = axes.get_legend()
    labels = [text.get_text() for text in legend.get_texts()] if legend else []
    in_row = min(len(labels), _legend_columns(labels))
    beside = len(subject) + in_row * (_KEY_CHARACTERS + max(map(len, labels), default=0))
    # A legend that leaves no room beside it is passed over.
    rows = -(-len(labels) // in_row) if beside > _LABEL_CHARACTERS and in_row else 0
    axes.set_title(subject, loc="left", size=10, color=GREY, pad=6 + 15 * rows)


def _wrapped(finding: str) -> str:
    """In lines that break only after a comma or semicolon."""
    clauses = re.sub(r"(?<![,;]) ", "\xa0", finding)
    lines = textwrap.wrap(clauses, _LINE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines).replace("\xa0", " ")


def draw_line(
    axes: Axes,
    time: npt.ArrayLike,
    values: npt.ArrayLike,
    *,
    width: float = 1.0,
    marker: str = ".",
    **look: Any,
) -> None:
    """Values (n,) over time (n,), of which no peak is lost.

    Few points are marked, many are drawn thinner.
    """
    at, shown = min_max(time, values, COLUMNS)
    count = np.size(values)
    axes.plot(
        at,
        np.clip(shown, -LARGEST, LARGEST),
        linewidth=width * (1.4 if count < _MANY else 0.8),
        marker=marker if count <= _FEW else "",
        **look,
    )


def tidy(axes: Axes, y_label: str, x_label: str = "") -> None:
    """Labels, a faint grid and no frame."""
    axes.set_facecolor("white")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(GREY)
    axes.grid(True, color="#E8E8E8", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, color=GREY, labelcolor=BLACK)
    axes.set_ylabel(y_label, size=10, color=BLACK)
    if x_label:
        axes.set_xlabel(x_label, size=10, color=BLACK)
    axes.margins(x=0.01)


def set_time_axis(axes: Axes, *, in_seconds: bool) -> None:
    """Say what x is: seconds, or ticks, which are whole numbers."""
    from matplotlib.ticker import MaxNLocator

    if not in_seconds:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes.set_xlabel("time since the first [s]" if in_seconds else "tick", size=10, color=BLACK)


def set_legend(axes: Axes) -> None:
    """The legend of what is named, above the axes at the right, where it hides nothing."""
    labels = axes.get_legend_handles_labels()[1]
    if not labels:
        return
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        borderaxespad=0.2,
        ncol=_legend_columns(labels),
        frameon=False,
        fontsize=9,
        labelcolor=BLACK,
        handlelength=2.6,
    )


def _legend_columns(labels: Sequence[str]) -> int:
    widest = _KEY_CHARACTERS + max(map(len, labels), default=0)
    return max(1, min(4, _LABEL_CHARACTERS // widest))


def finished(figure: Figure, file: File | None) -> Figure:
    """The figure, saved if there is a file.

    No text is taken for TeX, whatever the user's settings. The suffix of the file decides: .png,
    .svg or .pdf.
    """
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        text.set_usetex(False)  # type: ignore[attr-defined, unused-ignore]
    if file is not None:
        _save(figure, Path(file))
    return figure


def _save(figure: Figure, file: Path) -> None:
    import matplotlib

    suffix = file.suffix.lower()
    if suffix not in _FORMATS:
        raise ReportError(f"{file} is no picture that can be written; end it in .png, .svg or .pdf")
    # The same data give the same bytes.
    dateless = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(suffix)
    try:
        with matplotlib.rc_context({"svg.hashsalt": "lockstep"}):
            figure.savefig(file, dpi=150, metadata=dateless)
    except OSError as error:
        raise ReportError(f"{file} cannot be written: {error.strerror or error}") from error
