"""A recording for the Rerun viewer: both sides, their error and their images on one timeline.

Format: .rrd, as rerun-sdk writes it (https://rerun.io/docs). The library is optional and loaded
only here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..bag import Bag, BagError
from ..compare.comparison import Comparison, summary
from ..compare.key_comparison import KeyComparison
from ..compare.kinds import kind_of_elements
from ..compare.kinds.number import NUMBER
from ..compare.meant import paired_columns
from ..compare.transforms import as_compared
from ..errors import ReportError
from ..message.arrays import Int64s
from ..message.time import NS_PER_S
from .picture import Image, picture_of, shared_range
from .wrong_images import holds_images, messages_at, shown_ticks

_TIMELINE = "time"
_MOST_FIELDS = 100
"""Of each topic, those that differ first."""
_MOST_IMAGES = 60
"""Of each topic: the worst, the first wrong and a typical one, and others evenly."""
_MOST_VIEWS = 8
_SIDES = ("a", "b", "error")


def write_rrd(comparison: Comparison, bags: tuple[Bag, Bag], file: Path) -> None:
    """Write what was aligned as a Rerun recording, on the times of A since its first message.

    Each number is `TOPIC/FIELD/a`, `…/b` and `…/error` (b - a); images are `TOPIC/a`, `…/b` and
    `…/error`; the summary is the text `summary`. Messages are read some thousand at a time. Raises
    ReportError if rerun-sdk is missing or the file cannot be written, BagError for a broken bag.
    """
    rerun = _rerun()
    bags = as_compared(bags, comparison)
    try:
        recording = rerun.RecordingStream("lockstep", recording_id=f"{file.stem}")
        recording.save(os.fspath(file))
    except (OSError, RuntimeError) as error:
        raise ReportError(f"{file} cannot be written: {error}") from error
    lines = "\n".join(f"    {line}" for line in summary(comparison))
    text = rerun.TextDocument(lines, media_type=rerun.MediaType.MARKDOWN)
    recording.log("summary", text, static=True)
    origin_ns = _origin_ns(comparison)
    numbers: list[str] = []
    images: list[str] = []
    for key in comparison.keys.values():
        if key.aligned.pairs is None or key.undecoded or key.problem:
            continue
        numbers += _numbers(rerun, recording, comparison, bags, key, origin_ns)
        if holds_images(key):
            images += _images(rerun, recording, bags, key, origin_ns)
    recording.send_blueprint(_views(numbers, images))
    recording.disconnect()


def _rerun() -> Any:
    try:
        import rerun
        import rerun.blueprint
    except ImportError as error:
        raise ReportError(
            f"a Rerun recording needs the package rerun-sdk ({error}); "
            "run: python3 -m pip install rerun-sdk"
        ) from error
    return rerun


def _origin_ns(comparison: Comparison) -> int:
    times = [key.aligned.times_ns[0] for key in comparison.keys.values()]
    return min((int(at.min()) for at in times if len(at)), default=0)


def _entity(*parts: str) -> list[str]:
    """The path of an entity, which Rerun escapes."""
    return [name for part in parts for name in part.split("/") if name]


def _path(rerun: Any, *parts: str) -> str:
    path: str = rerun.new_entity_path(_entity(*parts))
    return path


def _fields(key: KeyComparison, types: dict[str, str]) -> list[str]:
    """The single numbers of a topic, those that differ first."""
    single = [
        path
        for path, kind in types.items()
        if "[" not in kind and "[" not in path and kind_of_elements(kind) is NUMBER
    ]
    wrong = {
        path for found in key.judged.fields.values() if not found.matches for path in found.parts
    }
    return sorted(single, key=lambda path: path not in wrong)[:_MOST_FIELDS]


def _numbers(
    rerun: Any,
    recording: Any,
    comparison: Comparison,
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    origin_ns: int,
) -> Iterator[str]:
    """Send the numbers of a topic; gives the paths of those that were, as they are found."""
    assert key.aligned.pairs is not None
    fields = _fields(key, bags[0].codec(key.topic).fields())
    if not fields:
        return
    pairs, tolerances = key.aligned.pairs, comparison.tolerances
    for ticks, a, b in paired_columns(*bags, key.topic, pairs, fields, tolerances):
        time = _time(rerun, key, ticks, origin_ns)
        for field in fields:
            if field not in a or a[field].ndim > 1 or a[field].dtype == object:
                continue
            one, other = (side[field].astype(np.float64) for side in (a, b))
            with np.errstate(invalid="ignore", over="ignore"):
                error = other - one
            for side, values in zip(_SIDES, (one, other, error), strict=True):
                path = _path(rerun, key.topic, field, side)
                columns = rerun.Scalars.columns(scalars=values)
                recording.send_columns(path, indexes=[time], columns=columns)
    yield from (_path(rerun, key.topic, field) for field in fields)


def _time(rerun: Any, key: KeyComparison, ticks: Int64s, origin_ns: int) -> Any:
    seconds = (key.aligned.times_ns[0][ticks] - origin_ns) / NS_PER_S
    return rerun.TimeColumn(_TIMELINE, duration=seconds)


def _images(
    rerun: Any, recording: Any, bags: tuple[Bag, Bag], key: KeyComparison, origin_ns: int
) -> Iterator[str]:
    assert key.aligned.pairs is not None
    of_a, of_b = key.aligned.pairs.a, key.aligned.pairs.b
    evenly = np.unique(np.linspace(0, len(of_a) - 1, min(len(of_a), _MOST_IMAGES)).astype(int))
    ticks = sorted({*shown_ticks(key), *of_a[evenly].tolist()})
    partners = of_b[np.searchsorted(of_a, ticks)].tolist()
    images_a = messages_at(bags[0], key.topic, ticks)
    images_b = messages_at(bags[1], key.topic, partners)
    for tick, partner in zip(ticks, partners, strict=True):
        try:
            shown = _shown(images_a[tick], images_b[partner])
        except (BagError, ReportError):  # broken, or of an encoding that has no picture
            continue
        at_ns = int(key.aligned.times_ns[0][tick]) - origin_ns
        recording.set_time(_TIMELINE, duration=at_ns / NS_PER_S)
        for side, values in zip(_SIDES, shown, strict=False):
            recording.log(_path(rerun, key.topic, side), rerun.Image(values))
    yield from (_path(rerun, key.topic, side) for side in _SIDES)


def _shown(a: Image, b: Image) -> list[Any]:
    """Both as colours of 8 bits, and how far these are apart if they are of one size."""
    pictures = picture_of(a), picture_of(b)
    low, high = shared_range(*pictures)
    shown = [np.rint(np.asarray(one.shown(low, high)) * 255).astype(np.uint8) for one in pictures]
    if shown[0].shape == shown[1].shape:
        apart = np.abs(shown[1].astype(np.int16) - shown[0]).astype(np.uint8)
        shown.append(apart)
    return shown


def _views(numbers: Sequence[str], images: Sequence[str]) -> Any:
    """The first of what was sent, one below the other, beside the summary."""
    from rerun import blueprint

    series = [blueprint.TimeSeriesView(origin=path, name=path) for path in numbers[:_MOST_VIEWS]]
    pictures = [blueprint.Spatial2DView(origin=path, name=path) for path in images[:_MOST_VIEWS]]
    text = blueprint.TextDocumentView(origin="summary", name="summary")
    rows = [blueprint.Horizontal(*pictures)] if pictures else []
    return blueprint.Blueprint(
        blueprint.Horizontal(blueprint.Vertical(*rows, *series), text, column_shares=[3, 1]),
        collapse_panels=True,
    )
