"""Images as arrays, from arrays or sensor_msgs/Image, and how to show them on a screen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import BagError
from ..compare import Tolerance
from ..compare.kinds.named_fields import fields_of
from ..compare.kinds.numbers_apart import judge_numbers
from ..errors import ReportError
from ..message.images import pixels
from ..message.pictures import picture_in
from .difference import largest_first, largest_words
from .signals import not_finite
from .style import quantity

Image = npt.ArrayLike | Any
"""Pixels (h, w) or (h, w, channels), or a sensor_msgs/Image, CompressedImage or
nav_msgs/OccupancyGrid as an object or dict."""


@dataclass(frozen=True)
class Picture:
    """`values` (h, w, channels) of one image; `encoding` is empty for what came as an array."""

    values: npt.NDArray[Any]
    encoding: str = ""

    @property
    def size(self) -> str:
        """`480 × 640`, with the channels if there are several."""
        return " × ".join(str(n) for n in self.values.shape[: 2 + (self.values.shape[2] > 1)])

    def shown(self, low: float, high: float) -> npt.NDArray[Any]:
        """As grey (h, w) from 0 to 1 between `low` and `high`, or as RGB (h, w, 3)."""
        values = self.values
        if values.shape[2] in (3, 4):
            colour = values[..., 2::-1] if self.encoding.startswith("bgr") else values[..., :3]
            return _scaled(colour, low, high)
        luma = 1 if self.encoding in ("yuv422", "uyvy") else 0
        return _scaled(values[..., luma], low, high)


def picture_of(image: Image) -> Picture:
    """Raises ReportError for what is no image."""
    encoding = ""
    if isinstance(image, Mapping):
        image = SimpleNamespace(**image)
    try:
        if hasattr(image, "encoding"):
            encoding = str(image.encoding)
            image = pixels(image)
        elif hasattr(image, "data") and not isinstance(image, np.ndarray):
            found = picture_in(fields_of(image) or vars(image))
            image = image if found is None else found.pixels
    except (BagError, TypeError) as error:
        raise ReportError(str(error)) from error
    try:
        values = np.asarray(image)
    except ValueError as error:
        raise ReportError(f"rows of an image must be equally long ({error})") from error
    if values.dtype.kind not in "biuf" or values.ndim not in (2, 3):
        raise ReportError(
            "an image is an array (h, w) or (h, w, channels) of numbers, or a sensor_msgs/Image; "
            f"this is {type(image).__name__} {values.shape or ''}".rstrip()
        )
    return Picture(values if values.ndim == 3 else values[..., None], encoding)


def pictures_of(images: Any) -> Iterator[Picture]:
    """One or many images: of a Series, a Dataset of one key, a sequence, or one alone."""
    from ..dataset import Dataset, Series  # as most reports show none

    if isinstance(images, Dataset) and len(images) == 1:
        images = images[images.keys()[0]]
    if isinstance(images, (Series, list, tuple)):
        yield from map(picture_of, images)
    else:
        yield picture_of(images)


@dataclass(frozen=True)
class PixelErrors:
    """The largest |b - a| of the channels of each pixel (h, w), and which are wrong.

    It is inf where it is not finite.
    """

    sizes: npt.NDArray[np.float64]
    wrong: npt.NDArray[np.bool_]

    def finding(self, exact: bool) -> str:
        """The outcome in a sentence."""
        height, width = self.sizes.shape
        count, total = int(self.wrong.sum()), height * width
        if not total:
            return "the images have no pixels"
        if not count:
            text = f"all {total} pixels are "
            text += "within tolerance" if self.sizes.any() else "equal"
        else:
            row, column = divmod(int(self.wrong.argmax()), width)
            text = f"{count} of {total} pixels {'differ' if exact else 'are beyond tolerance'} "
            text += f"({100 * count / total:.2g} %), first at row {row} column {column}"
        finite = largest_first(np.where(np.isfinite(self.sizes), self.sizes, 0.0), self.wrong)
        if finite.any():
            row, column = divmod(int(finite.argmax()), width)
            size = quantity(float(finite.max()))
            text += f", {largest_words(size, count)} at row {row} column {column}"
        return text


def pixel_errors(a: Picture, b: Picture, tolerance: Tolerance) -> PixelErrors:
    """Compare two images of one size; raises ReportError for others."""
    if a.values.shape != b.values.shape:
        raise ReportError(f"image a is {a.size} and b is {b.size}; only images of one size compare")
    if a.encoding != b.encoding and a.encoding and b.encoding:
        raise ReportError(
            f"image a is {a.encoding} and b is {b.encoding}; convert one of them first"
        )
    common = np.result_type(a.values, b.values)
    common = np.dtype(np.float64) if common.itemsize in (2, 16) and common.kind == "f" else common
    sizes, wrong = judge_numbers(a.values.astype(common), b.values.astype(common), tolerance)
    return PixelErrors(sizes.max(axis=2, initial=0.0), np.asarray(wrong.any(axis=2)))


def gaps(picture: Picture, name: str) -> str:
    """`; 3 NaN in a`, or nothing."""
    found = not_finite(picture.values)
    return f"; {found} in {name}" if found else ""


def shared_range(*pictures: Picture) -> tuple[float, float]:
    """What is black and what is white: the range of bytes, or else of all finite values."""
    if all(picture.values.dtype == np.uint8 for picture in pictures):
        return 0.0, 255.0
    finite = [picture.values[np.isfinite(picture.values)] for picture in pictures]
    there = [values for values in finite if values.size]
    if not there:
        return 0.0, 1.0
    return float(min(v.min() for v in there)), float(max(v.max() for v in there))


def _scaled(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[Any]:
    wide = values.astype(np.float32)
    scaled = (wide - low) / ((high - low) or 1.0)
    return np.clip(np.nan_to_num(scaled, nan=0.0, posinf=1.0, neginf=0.0), 0.0, 1.0)
