"""How alike two images are, as one number: PSNR and SSIM.

PSNR is 10 log10(L² / mean square error), where L is the range of the pixels. SSIM follows Wang,
Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to structural
similarity" (IEEE Transactions on Image Processing 13, 2004), with its K1 = 0.01 and K2 = 0.03; as
scikit-image by default, in even windows of 7 × 7 pixels that lie whole in the image, with sample
covariances, and as the mean over windows and channels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import CompareError
from ..message.arrays import Floats
from .tolerance import Tolerance

Pixels = npt.NDArray[Any]
_WINDOW = 7
_ROWS = 256  # windows that are judged at a time: what is held of large images stays small
_K1, _K2 = 0.01, 0.03
_EQUAL = {"psnr": math.inf, "ssim": 1.0}


def of_one_size(a: Pixels, b: Pixels) -> bool:
    """Whether two images have the same shape and type of pixels, in whatever byte order."""
    return a.shape == b.shape and a.dtype.newbyteorder("=") == b.dtype.newbyteorder("=")


def size(image: Pixels) -> str:
    """`480 × 640 × 3 uint8`."""
    return f"{' × '.join(map(str, image.shape))} {image.dtype.newbyteorder('=')}"


def likeness(a: Pixels, b: Pixels, tolerance: Tolerance) -> float:
    """The PSNR in dB or the SSIM, as `tolerance.by` says; inf or 1 if both are equal.

    Both images are of one size. A pixel that is not finite on one side only makes it -inf; where
    both sides have the same, they are equal there. Raises CompareError for images smaller than a
    window, and where nothing tells the range of floating point pixels.
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
            f"SSIM needs images of at least {_WINDOW} × {_WINDOW} pixels, "
            f"and this is {size(a)}; use by: psnr"
        )
    values = [_ssim(x, y, data_range) for x, y in _planes(a, b, tolerance)]
    return sum(values) / len(values)


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
    """The channels of both images, finite in a.

    0 stands where both have the same that is not finite, NaN in b where one of them is not.
    """
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
