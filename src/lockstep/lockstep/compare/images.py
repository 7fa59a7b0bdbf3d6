"""How alike two images are, as one number: PSNR and SSIM.

PSNR is 10 log10(L² / mean square error), where L is the range of the pixels. SSIM follows Wang, Bovik, Sheikh and Simoncelli,
"Image quality assessment: from error visibility to structural similarity" (IEEE Transactions on Image Processing 13, 2004), with
its K1 = 0.01 and K2 = 0.03; as scikit-image by default, in even windows of 7 × 7 pixels that lie whole in the image, with sample
covariances, and as the mean over windows and channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import BagError
from ..errors import CompareError
from ..message.arrays import Column, Floats, Int64s, Mask
from ..message.images import IMAGE_FIELDS, pixels
from .fields import FieldComparison
from .judge import differing
from .tolerance import Tolerance

Pixels = npt.NDArray[Any]
_WINDOW = 7
_ROWS = 256  # windows that are judged at a time: what is held of large images stays small
_K1, _K2 = 0.01, 0.03
_EQUAL = {"psnr": math.inf, "ssim": 1.0}


def image_paths(path: str, kinds: Mapping[str, str]) -> tuple[str, ...]:
    """The paths of all IMAGE_FIELDS of the image whose data are at `path`; empty if they are no image."""
    parent, _, _ = path.rpartition(".")
    paths = tuple(f"{parent}.{name}".lstrip(".") for name in IMAGE_FIELDS)
    return paths if path == paths[-1] and "[]" not in path and kinds.keys() >= set(paths) else ()


def no_image(path: str) -> CompareError:
    """What to say of a field that is to be judged as an image, and is none."""
    return CompareError(
        f"'{path}' is no image; by: psnr and by: ssim are for the field data of sensor_msgs/msg/Image "
        "(compressed images must be decompressed before)"
    )


def image_of(fields: Mapping[str, Any]) -> Pixels:
    """The pixels (h, w) or (h, w, channels) of the fields of an image; raises BagError if they make none."""
    return pixels(SimpleNamespace(**{name: fields[name] for name in IMAGE_FIELDS}))


def of_one_size(a: Pixels, b: Pixels) -> bool:
    """Whether two images have the same shape and type of pixels, in whatever byte order."""
    return a.shape == b.shape and a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")


def size(image: Pixels) -> str:
    """`480 × 640 × 3 uint8`."""
    return f"{' × '.join(map(str, image.shape))} {image.dtype.newbyteorder('=')}"


def likeness(a: Pixels, b: Pixels, tolerance: Tolerance) -> float:
    """The PSNR in dB or the SSIM, as `tolerance.by` says, of two images of one size; inf or 1 if they are equal.

    A pixel that is not finite on one side only makes it -inf; where both sides have the same, they are equal there. Raises
    CompareError for images smaller than a window, and where nothing tells the range of floating point pixels.
    """
    if np.array_equal(a, b, equal_nan=tolerance.nan):
        return _EQUAL[tolerance.by]
    if a.ndim == 2:
        a, b = a[..., None], b[..., None]
    data_range = tolerance.data_range or _range_of(a)
    if tolerance.by == "psnr":
        with np.errstate(over="ignore"):
            squares = [float(np.square(y - x).mean()) for x, y in _planes(a, b, tolerance)]
        error = sum(squares) / len(squares)
        return 10 * math.log10(data_range**2 / error) if math.isfinite(error) else -math.inf
    if min(a.shape[:2]) < _WINDOW:
        raise CompareError(
            f"SSIM needs images of at least {_WINDOW} × {_WINDOW} pixels, and this is {size(a)}; use by: psnr"
        )
    values = [_ssim(x, y, data_range) for x, y in _planes(a, b, tolerance)]
    return sum(values) / len(values)


def pixels_of_pairs(
    a: Mapping[str, Column], b: Mapping[str, Column]
) -> Iterator[tuple[Pixels, Pixels]]:
    """The pixels of m pairs of images, given by the columns IMAGE_FIELDS; their bytes where one has no pixels."""
    for row in range(len(a["data"])):
        sides = [{name: side[name][row] for name in IMAGE_FIELDS} for side in (a, b)]
        one, other = (_image_or_none(side) for side in sides)
        if one is None or other is None:
            yield sides[0]["data"], sides[1]["data"]
        else:
            yield one, other


def judge_images(
    field: FieldComparison,
    ticks: Int64s,
    a: Mapping[str, Column],
    b: Mapping[str, Column],
    topic: str,
) -> Mask:
    """Judge m images, given by the columns IMAGE_FIELDS, and note them in `field`; which are wrong, (m,).

    What is no image in B is wrong. Raises CompareError if it is none in A, which is the reference.
    """
    wrong: Mask = np.zeros(len(ticks), np.bool_)
    for row in range(len(ticks)):
        tick = ticks[row : row + 1]
        sides = [{name: side[name][row] for name in IMAGE_FIELDS} for side in (a, b)]
        try:
            one = image_of(sides[0])
            other = _image_or_none(sides[1])
            if other is None or not of_one_size(one, other):
                wrong[row] = field.add_lengths(tick, np.ones(1, np.bool_))[0]
                continue
            value = likeness(one, other, field.tolerance)
        except (BagError, CompareError) as error:
            raise CompareError(f"image {tick[0]} of {topic} cannot be judged: {error}") from error
        _, errors, _ = differing(one, other, replace(field.tolerance, by="element"))
        wrong[row] = field.add_image(tick, one.size, errors, value)[0]
    return wrong


def _image_or_none(fields: Mapping[str, Any]) -> Pixels | None:
    try:
        return image_of(fields)
    except BagError:
        return None


def _range_of(image: Pixels) -> float:
    """That of the type of integers, or from the smallest to the largest finite pixel."""
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        return float(int(limits.max) - int(limits.min))
    finite = image[np.isfinite(image)].astype(np.float64)
    found = float(finite.max() - finite.min()) if finite.size else 0.0
    if not 0 < found < math.inf:
        raise CompareError("its pixels span no range; give the range of pixels as data_range")
    return found


def _planes(a: Pixels, b: Pixels, tolerance: Tolerance) -> Iterator[tuple[Floats, Floats]]:
    """The channels of both images; 0 where both have the same that is not finite, NaN in b where one of them is not."""
    for channel in range(a.shape[2]):
        x, y = a[..., channel].astype(np.float64), b[..., channel].astype(np.float64)
        if a.dtype.kind == "f":
            same = (x == y) | (np.isnan(x) & np.isnan(y) & tolerance.nan)
            finite = np.isfinite(x) & np.isfinite(y)
            x[~finite] = 0.0
            y[~finite] = np.where(same, 0.0, np.nan)[~finite]
        yield x, y


def _ssim(a: Floats, b: Floats, data_range: float) -> float:
    """The mean SSIM of one channel (h, w)."""
    from scipy.ndimage import uniform_filter

    if np.isnan(b).any():
        return -math.inf
    c1, c2 = (_K1 * data_range) ** 2, (_K2 * data_range) ** 2
    unbiased = _WINDOW**2 / (_WINDOW**2 - 1)
    edge = _WINDOW // 2
    total, count = 0.0, 0
    for start in range(0, len(a) - 2 * edge, _ROWS):
        x, y = (side[start : start + _ROWS + 2 * edge] for side in (a, b))
        mean_x, mean_y, mean_xx, mean_yy, mean_xy = (
            uniform_filter(part, _WINDOW)[edge:-edge, edge:-edge]
            for part in (x, y, x * x, y * y, x * y)
        )
        variances = unbiased * (mean_xx - mean_x**2 + mean_yy - mean_y**2)
        covariance = unbiased * (mean_xy - mean_x * mean_y)
        alike = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
        similarity = alike / ((mean_x**2 + mean_y**2 + c1) * (variances + c2))
        total, count = total + float(similarity.sum()), count + similarity.size
    return total / count
