"""Images by their pixels, which are more than the bytes of their data: each one, or all as a whole.

Any message with the fields of sensor_msgs/msg/Image or CompressedImage, or nav_msgs/msg/
OccupancyGrid, is an image, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ...errors import BagError, CompareError
from ...message.arrays import Int64s, Mask
from ...message.pictures import FORMATS, Format, Picture, format_of, values_of
from ..deviation import Deviation, Place
from ..equal_arrays import equal_arrays
from ..likeness import Pixels, likeness, of_one_size, size
from ..subject import Subject
from ..tally import FieldTally
from ..tolerance import MEASURES, Tolerance, measured
from .kind import Columns, Fields, Kind
from .named_fields import fields_of
from .number import NUMBER, judge_whole
from .numbers_apart import differing

_DATA = "data"


def no_image(path: str) -> CompareError:
    """What to say of a field that is to be judged as an image, and is none."""
    return CompareError(
        f"'{path}' is no image; by: psnr and by: ssim are for the field data of "
        "sensor_msgs/msg/Image, CompressedImage with JPEG or PNG, or nav_msgs/msg/OccupancyGrid"
    )


def _subject(path: str, types: Mapping[str, str], tolerance: Tolerance) -> Subject | None:
    """The data of an image."""
    parent = path.removesuffix(_DATA)
    is_data = path in (_DATA, f"{parent.rstrip('.')}.{_DATA}") and "[]" not in path
    for form in FORMATS if is_data else ():
        paths = tuple(f"{parent}{name}" for name in form.columns)
        if types.keys() >= set(paths) and types[path] == form.data_type:
            return Subject(path, types[path], "pixels", (path,), paths)
    if tolerance.by in MEASURES:
        raise no_image(path)
    return None


def _format_of(subject: Subject) -> Format:
    parent = subject.path.removesuffix(_DATA)
    return next(
        form
        for form in FORMATS
        if tuple(f"{parent}{name}" for name in form.columns) == subject.columns
    )


def _judge(tally: FieldTally, ticks: Int64s, a: Columns, b: Columns) -> Mask:
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    judge_image = _judge_likeness if tally.tolerance.by in MEASURES else _judge_pixels
    form = _format_of(tally.subject)
    for row in range(len(ticks)):
        images = [
            {
                name: side[path][row]
                for name, path in zip(form.columns, tally.subject.columns, strict=True)
            }
            for side in (a, b)
        ]
        wrong[row] = judge_image(tally, ticks[row : row + 1], form, images[0], images[1])[0]
    return wrong


def _judge_pixels(tally: FieldTally, tick: Int64s, form: Format, a: Fields, b: Fields) -> Mask:
    """Judge the numbers that pixels are, which are bytes only in some encodings.

    The bytes are judged of what has no pixels, and of what differs in no pixel and has to be equal.
    """
    one, other = _picture_or_none(form, a), _picture_or_none(form, b)
    if one is None or other is None:
        if (one is None) != (other is None):
            return tally.add_lengths(tick)
        return _judge_arrays(tally, tick, a[_DATA], b[_DATA])
    of_data = form.name == "image" and not tally.tolerance.has_limit
    if of_data and equal_arrays(one.pixels, other.pixels, nan=tally.tolerance.nan):
        return _judge_arrays(tally, tick, a[_DATA], b[_DATA])
    return _judge_arrays(tally, tick, one.pixels, other.pixels)


def _judge_arrays(tally: FieldTally, tick: Int64s, a: Pixels, b: Pixels) -> Mask:
    if not of_one_size(a, b):
        return tally.add_lengths(tick)
    return judge_whole(tally, tick, a[None], b[None])


def _judge_likeness(tally: FieldTally, tick: Int64s, form: Format, a: Fields, b: Fields) -> Mask:
    """Judge an image as a whole; raises CompareError if it is none in A, which is the reference."""
    try:
        one, other = _picture(form, a), _picture_or_none(form, b)
        if other is None or not of_one_size(one.pixels, other.pixels):
            return tally.add_lengths(tick)
        value = likeness(one.pixels, other.pixels, tally.tolerance)
    except (BagError, CompareError) as error:
        raise CompareError(f"image {tick[0]} of {tally.topic} cannot be judged: {error}") from error
    by_element = replace(tally.tolerance, by="element")
    _, errors, _ = differing(one.pixels, other.pixels, by_element)
    return tally.add_image(tick, one.pixels.size, errors, value)


def _picture(form: Format, fields: Fields) -> Picture:
    """The picture of the columns of a format; raises BagError if they make none."""
    found = form.picture(fields)
    if found is None:
        told = str(fields.get("format", ""))
        raise BagError(f"'{told}' is neither a JPEG nor a PNG, which alone can be decoded")
    return found


def _picture_or_none(form: Format, fields: Fields) -> Picture | None:
    try:
        return form.picture(fields)
    except BagError:
        return None


def _holds(a: Any, b: Any, tolerance: Tolerance) -> bool:
    """Whether arrays are to be judged as pixels; `deviations` says so if they are none."""
    return tolerance.by in MEASURES and fields_of(a) is None and fields_of(b) is None


def _holds_within(name: str, a: Fields, b: Fields, tolerance: Tolerance) -> bool:
    """Whether the data of two images are judged by their pixels, and not only by their bytes."""
    form = format_of(a) if name == _DATA else None
    if form is None or form is not format_of(b):
        return False
    found = [_picture_or_told(form, values_of(side, form)) for side in (a, b)]
    is_known = any(
        isinstance(one, Picture) or "is broken" in one or "which are not" in one for one in found
    )
    return tolerance.by in MEASURES or is_known


def _picture_or_told(form: Format, fields: Fields) -> Picture | str:
    try:
        return _picture(form, fields)
    except BagError as error:
        return f"no image: {error}"


def _deviations(a: Any, b: Any, place: Place) -> Iterator[Deviation]:
    if not (isinstance(a, Mapping) and isinstance(b, Mapping)):
        if not all(isinstance(x, np.ndarray) and x.ndim in (2, 3) for x in (a, b)):
            raise no_image(place.path)
        yield from _deviations_of_images(a, b, place)
        return
    form = format_of(a)
    assert form is not None
    one, other = (_picture_or_told(form, values_of(side, form)) for side in (a, b))
    if isinstance(one, str) and place.tolerance.by in MEASURES:
        told = one.removeprefix("no image: ")
        raise CompareError(f"'{place.path}' cannot be judged: {told}")
    if isinstance(one, str) and isinstance(other, str) and one == other:
        for found in NUMBER.deviations(np.asarray(a[_DATA]), np.asarray(b[_DATA]), place):
            yield replace(found, b=f"{found.b}, bytes of {one}")
        return
    if isinstance(one, str) or isinstance(other, str):
        sides = (side if isinstance(side, str) else size(side.pixels) for side in (one, other))
        yield place.unlike(*sides)
        return
    place = replace(place, named=one.named)
    of_data = form.name == "image" and not place.tolerance.has_limit
    if of_data and equal_arrays(one.pixels, other.pixels, nan=place.tolerance.nan):
        data = replace(place, named=lambda index: f"[{index[0]}], in the padding of a row")
        yield from NUMBER.deviations(np.asarray(a[_DATA]), np.asarray(b[_DATA]), data)
        return
    yield from _deviations_of_images(one.pixels, other.pixels, place)


def _deviations_of_images(a: Pixels, b: Pixels, place: Place) -> Iterator[Deviation]:
    tolerance = place.tolerance
    if not of_one_size(a, b):
        yield place.unlike(size(a), size(b))
    elif tolerance.by not in MEASURES:
        yield from NUMBER.deviations(a, b, place)
    elif not equal_arrays(a, b, nan=tolerance.nan):
        value = likeness(a, b, tolerance)
        passes = value >= (tolerance.at_least or 0.0)
        written = str(tolerance), measured(tolerance.by, value)
        yield Deviation(place.path, *written, None, tolerance, passes)


PIXELS = Kind(
    name="pixels",
    subject=_subject,
    judge=_judge,
    show=NUMBER.show,
    holds=_holds,
    deviations=_deviations,
    holds_within=_holds_within,
)
