"""Two point clouds from above and from the side, each point in the colour of its error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bag import Bag
from ..compare.comparison import Comparison
from ..compare.key_comparison import KeyComparison
from ..compare.kinds.cloud import Cloud, CloudPair, paired, rules_of
from ..compare.kinds.named_fields import fields_of
from ..compare.kinds.numbers_apart import judge_numbers
from ..errors import ReportError
from ..message.arrays import Floats, Int64s
from .style import (
    BLACK,
    GREY,
    VERMILLION,
    File,
    finished,
    new_figure,
    plain,
    quantity,
    set_legend,
    set_titles,
    tidy,
)
from .wrong_images import message_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CLOUD = "sensor_msgs/msg/PointCloud2"
_DATA = "data"
_POINTS = 50_000
_SHOWN_POINTS = 4_000
"""In the report, which all clouds have to fit in."""
_VIEWS = (("from above", "x", "y"), ("from the side", "x", "z"))


@dataclass(frozen=True)
class CloudErrors:
    """The points of two clouds that are shown: places (n, 3) and errors (n,) of those of A.

    `missing` (k, 3) and `extra` (l, 3) have no partner. `field` is what errs, "" for distances.
    """

    places: Floats
    errors: Floats
    missing: Floats
    extra: Floats
    field: str
    count: int
    wrong: int

    @property
    def finding(self) -> str:
        """The outcome in a sentence."""
        what = f"differ in {self.field}" if self.field else "are apart"
        text = f"{self.wrong} of {self.count} points {what}"
        finite = self.errors[np.isfinite(self.errors)]
        if self.wrong and finite.size:
            text += f", by at most {quantity(float(finite.max()))}"
        for points, word in ((self.missing, "missing"), (self.extra, "extra")):
            text += f"; {len(points)} {word}" if len(points) else ""
        return text


def cloud_errors(
    bags: tuple[Bag, Bag], comparison: Comparison, key: KeyComparison, most: int = _POINTS
) -> tuple[int, CloudErrors] | None:
    """The tick of A at which clouds differ most, and how; None for what is not drawn.

    Points that are the same are left out evenly where there are more than `most`.
    """
    tick = _worst_tick(key)
    if key.type != CLOUD or tick is None or key.aligned.pairs is None:
        return None
    row = int(np.searchsorted(key.aligned.pairs.a, tick))
    messages = [
        fields_of(message_at(bag, key.topic, at)) or {}
        for bag, at in zip(bags, (tick, int(key.aligned.pairs.b[row])), strict=True)
    ]
    pair = paired(messages[0], messages[1], rules_of(_DATA, comparison.tolerances.at(key.topic)))
    if pair.problem or not isinstance(pair.a, Cloud) or not {"x", "y"} <= pair.a.layout.keys():
        return None
    return tick, _errors(pair, comparison, key, most)


def _worst_tick(key: KeyComparison) -> int | None:
    """Where a field of the points has its largest error, or else the first difference."""
    fields = [
        found
        for path, found in key.judged.fields.items()
        if path.partition(".")[0] == _DATA and not found.matches
    ]
    far = [found for found in fields if found.max_tick is not None]
    worst = max(far, key=lambda found: (found.field == _DATA, found.wrong_ticks), default=None)
    if worst is not None:
        return worst.max_tick
    return next((found.first_tick for found in fields), None)


def _errors(pair: CloudPair, comparison: Comparison, key: KeyComparison, most: int) -> CloudErrors:
    assert isinstance(pair.a, Cloud) and isinstance(pair.b, Cloud)
    field, errors = "", pair.distances()
    if not errors.any():
        by_wrong = [
            found.field.partition(".")[2]
            for found in sorted(key.judged.fields.values(), key=lambda one: -one.wrong)
            if found.field.startswith(f"{_DATA}.") and found.wrong
        ]
        if by_wrong:
            field = by_wrong[0]
            rule = comparison.tolerances.at(key.topic).of(f"{_DATA}.{field}")
            of_field = judge_numbers(*pair.values(field), rule)[0]
            errors = of_field.reshape(len(errors), -1).max(axis=1, initial=0.0)
    rows = np.arange(len(errors)) if pair.rows_a is None else pair.rows_a
    shown = _shown(errors, most)
    missing, extra = pair.alone
    return CloudErrors(
        _places(pair.a, rows[shown]),
        errors[shown],
        _places(pair.a, missing[:most]),
        _places(pair.b, extra[:most]),
        field,
        len(errors),
        int(np.count_nonzero(errors)),
    )


def _shown(errors: Floats, most: int) -> Int64s:
    """The points with the largest errors, and some of the others, in their order."""
    if len(errors) <= most:
        return np.arange(len(errors))
    off = np.flatnonzero(errors)
    worst = off[np.argsort(-errors[off], kind="stable")][: most // 2]
    rest = np.setdiff1d(np.arange(len(errors)), worst, assume_unique=True)
    return np.union1d(worst, rest[:: -(-len(rest) // (most - len(worst)))])


def _places(cloud: Cloud, rows: Int64s) -> Floats:
    found = np.zeros((len(rows), 3))
    for axis, name in enumerate("xyz"):
        if name in cloud.layout:
            found[:, axis] = cloud.points[name][rows]
    return found


def plot_clouds(
    errors: CloudErrors, *, title: str, names: tuple[str, str], file: File | None = None
) -> Any:
    """Points from above (x, y) and from the side (x, z), darker where errors are larger."""
    figure = new_figure(5.0)
    above, side = figure.subplots(1, 2)
    for axes, (view, *letters) in zip((above, side), _VIEWS, strict=True):
        tidy(axes, letters[1], f"{letters[0]}, {view}")
        axes.set_aspect("equal", adjustable="datalim")
        _draw(axes, errors, ["xyz".index(letter) for letter in letters], names)
    set_legend(above)
    set_titles(figure, above, errors.finding, plain(title))
    return finished(figure, file)


def _draw(axes: Axes, errors: CloudErrors, across: list[int], names: tuple[str, str]) -> None:
    x, y = errors.places[:, across].T
    off = errors.errors != 0
    finite = off & np.isfinite(errors.errors)
    axes.plot(x[~off], y[~off], ",", color=GREY, label="equal", rasterized=True)
    if finite.any():
        drawn = axes.scatter(
            x[finite],
            y[finite],
            c=errors.errors[finite],
            s=6,
            cmap="viridis_r",
            vmin=0,
            rasterized=True,
        )
        if across[1] == 2:
            bar = axes.figure.colorbar(drawn, cax=axes.inset_axes((1.015, 0.0, 0.03, 1.0)))
            bar.set_label(f"|error| of {errors.field}" if errors.field else "distance", color=BLACK)
    for points, marker, colour, word in (
        (errors.missing, "x", VERMILLION, f"missing in {plain(names[1], 20)}"),
        (errors.extra, "+", BLACK, f"only in {plain(names[1], 20)}"),
    ):
        if len(points):
            at = points[:, across].T
            axes.plot(*at, linestyle="", marker=marker, color=colour, markersize=5, label=word)


def cloud_data(
    bags: tuple[Bag, Bag], comparison: Comparison, key: KeyComparison
) -> Mapping[str, Any] | None:
    """What the report's page draws of a topic of clouds; None for what is not drawn."""
    try:
        found = cloud_errors(bags, comparison, key, _SHOWN_POINTS)
    except ReportError:
        return None
    if found is None:
        return None
    tick, errors = found
    return {
        "tick": tick,
        "time_ns": int(key.aligned.times_ns[0][tick]),
        "sentence": errors.finding,
        "of": errors.field or "distance",
        "points": _numbers(errors.places),
        "errors": [float(f"{e:.4g}") if np.isfinite(e) else None for e in errors.errors.tolist()],
        "missing": _numbers(errors.missing),
        "extra": _numbers(errors.extra),
    }


def _numbers(places: Floats) -> list[list[float | None]]:
    """Coordinates x, y and z in five digits, one list each."""
    return [
        [float(f"{value:.5g}") if np.isfinite(value) else None for value in axis]
        for axis in places.T.tolist()
    ]
