"""Images by their pixels, which are more than the bytes of their data: each one, or all as a whole.

Any message with the fields of sensor_msgs/msg/Image is an image, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from ...errors import BagError, CompareError
from ...message.arrays import Int64s, Mask
from ...message.images import IMAGE_FIELDS, pixels
from ..deviation import Deviation, Place
from ..likeness import Pixels, likeness, of_one_size, size
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import MEASURES, Tolerance, measured
from .kind import Columns, Fields, Kind
from .named_fields import fields_of
from .number import NUMBER, differing, judge_whole

_DATA = IMAGE_FIELDS[-1]


def no_image(path: str) -> CompareError:
    """What to say of a field that is to be judged as an image, and is none."""
    return CompareError(
        f"'{path}' is no image; by: psnr and by: ssim are for the field data of "
        "sensor_msgs/msg/Image (compressed images must be decompressed before)"
    )


def _subject(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject | None:
    """The data of an image, if it matters which numbers its pixels are."""
    parent, _, _ = path.rpartition(".")
    paths = tuple(f"{parent}.{name}".lstrip(".") for name in IMAGE_FIELDS)
    is_data = path == paths[-1] and "[]" not in path and types.keys() >= set(paths)
    if is_data and tolerance.has_limit:
        return Subject(path, types[path], "pixels", (path,), paths)
    if tolerance.by in MEASURES:
        raise no_image(path)
    return None


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    judge_image = _judge_likeness if tally.tolerance.by in MEASURES else _judge_pixels
    for row in range(len(ticks)):
        images = [
            {name: side[path][row] for name, path in _named(tally.subject)} for side in (a, b)
        ]
        wrong[row] = judge_image(tally, ticks[row : row + 1], images[0], images[1])[0]
    return wrong


def _named(subject: Subject) -> Iterator[tuple[str, str]]:
    return zip(IMAGE_FIELDS, subject.columns, strict=True)


def _judge_pixels(tally: FieldTally, tick: Int64s, a: Fields, b: Fields) -> Mask:
    """Judge the numbers that pixels are, which are bytes only in some encodings; else the bytes."""
    one, other = _image_or_none(a), _image_or_none(b)
    if one is None or other is None:
        one, other = a[_DATA], b[_DATA]
    if not of_one_size(one, other):
        return tally.add_lengths(tick)
    return judge_whole(tally, tick, one[None], other[None])


def _judge_likeness(tally: FieldTally, tick: Int64s, a: Fields, b: Fields) -> Mask:
    """Judge an image as a whole; raises CompareError if it is none in A, which is the reference."""
    try:
        one, other = _image(a), _image_or_none(b)
        if other is None or not of_one_size(one, other):
            return tally.add_lengths(tick)
        value = likeness(one, other, tally.tolerance)
    except (BagError, CompareError) as error:
        raise CompareError(f"image {tick[0]} of {tally.topic} cannot be judged: {error}") from error
    _, errors, _ = differing(one, other, replace(tally.tolerance, by="element"))
    return tally.add_image(tick, one.size, errors, value)


def _image(fields: Fields) -> Pixels:
    """The pixels (h, w) or (h, w, channels); raises BagError if the fields make none."""
    return pixels(SimpleNamespace(**{name: fields[name] for name in IMAGE_FIELDS}))


def _image_or_none(fields: Fields) -> Pixels | None:
    try:
        return _image(fields)
    except BagError:
        return None


def _holds(a: Any, b: Any, tolerance: Tolerance) -> bool:
    """Whether arrays are to be judged as pixels; `deviations` says so if they are none."""
    return tolerance.by in MEASURES and fields_of(a) is None and fields_of(b) is None


def _holds_within(name: str, a: Fields, b: Fields, tolerance: Tolerance) -> bool:
    """Whether the data of two images are judged by their pixels, and not only by their bytes."""
    if name != _DATA or not tolerance.has_limit:
        return False
    if not all(fields.keys() >= set(IMAGE_FIELDS) for fields in (a, b)):
        return False
    are_images = _image_or_none(a) is not None and _image_or_none(b) is not None
    return tolerance.by in MEASURES or are_images


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    if not (isinstance(a, Mapping) and isinstance(b, Mapping)):
        if not all(isinstance(x, np.ndarray) and x.ndim in (2, 3) for x in (a, b)):
            raise no_image(place.path)
        yield from _deviations_of_images(a, b, place)
        return
    try:
        one = _image(a)
    except BagError as error:
        raise CompareError(f"'{place.path}' cannot be judged: {error}") from error
    try:
        other = _image(b)
    except BagError as error:
        yield place.unlike(size(one), f"no image: {error}")
        return
    yield from _deviations_of_images(one, other, place)


def _deviations_of_images(a: Pixels, b: Pixels, place: Place) -> Iterator[Deviation]:
    tolerance = place.tolerance
    if not of_one_size(a, b):
        yield place.unlike(size(a), size(b))
    elif tolerance.by not in MEASURES:
        yield from NUMBER.deviations(a, b, place)
    elif not np.array_equal(a, b, equal_nan=tolerance.nan):
        value = likeness(a, b, tolerance)
        passes = value >= (tolerance.at_least or 0.0)
        written = str(tolerance), measured(tolerance.by, value)
        yield Deviation(place.path, *written, None, tolerance, passes)


PIXELS = Kind(
    name="pixels",
    subject=_subject,
    judge=_judge,
    limit=NUMBER.limit,
    show=NUMBER.show,
    matches=NUMBER.matches,
    holds=_holds,
    deviations=_deviations,
    holds_within=_holds_within,
)
