"""Values between two values: floats linearly, quaternions on the unit sphere, times too; all else
stays as it was before."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DatasetError
from ..message.time import NS_PER_S
from .columns import time_ns
from .messages import fields_of, is_message

_QUATERNION = {"x", "y", "z", "w"}


def interpolated(before: Any, after: Any, share: float, stamp_ns: int, key: str) -> Any:
    """`before` for share 0, `after` for share 1; the stamp of a header becomes `stamp_ns`.

    The given values are not changed.
    """
    if isinstance(before, (str, bytes, bool)):
        raise DatasetError(
            f"there is nothing between two {type(before).__name__} of {key}; resample with "
            "'previous' or 'nearest'"
        )
    value = _between(before, after, share)
    header = value.get("header") if isinstance(value, Mapping) else getattr(value, "header", None)
    if header is not None:
        stamp = header["stamp"] if isinstance(header, Mapping) else header.stamp
        _set_time(stamp, stamp_ns)
    return value


def _between(before: Any, after: Any, share: float) -> Any:
    if isinstance(before, (float, np.floating)):
        return type(before)(before + (after - before) * share)
    if isinstance(before, np.ndarray):
        same = isinstance(after, np.ndarray) and before.shape == after.shape
        if same and before.dtype.kind in "fc":
            return (before + (after - before) * share).astype(before.dtype)
        return before
    is_object = is_message(before) or dataclasses.is_dataclass(before)
    if type(before) is not type(after) or not (is_object or isinstance(before, Mapping)):
        return before
    stamp, later = time_ns(before), time_ns(after)
    if stamp is not None and later is not None:
        value = copy.copy(before)
        _set_time(value, stamp + round((later - stamp) * share))
        return value
    old, new = fields_of(before), fields_of(after)
    parts = {
        name: _between(part, new[name], share) if name in new else part
        for name, part in old.items()
    }
    if old.keys() == _QUATERNION:
        parts = _quaternion(old, new, share)
    if isinstance(before, Mapping):
        return parts
    if dataclasses.is_dataclass(before) and not isinstance(before, type):
        return dataclasses.replace(before, **parts)
    value = copy.copy(before)
    for name, part in parts.items():
        setattr(value, name, part)
    return value


def _quaternion(old: dict[str, Any], new: dict[str, Any], share: float) -> dict[str, Any]:
    """The shorter way round, by spherical linear interpolation (Shoemake 1985)."""
    names = sorted(_QUATERNION)
    one, other = np.array([old[n] for n in names]), np.array([new[n] for n in names])
    norm = np.linalg.norm(one) * np.linalg.norm(other)
    if not norm:
        return old
    cosine = float(one @ other / norm)
    if cosine < 0:
        cosine, other = -cosine, -other
    angle = math.acos(min(cosine, 1.0))
    if angle < 1e-6:
        between = one + (other - one) * share
    else:
        between = one * math.sin((1 - share) * angle) + other * math.sin(share * angle)
    between = between / np.linalg.norm(between) * np.linalg.norm(one)
    return dict(zip(names, between.tolist(), strict=True))


def _set_time(stamp: Any, stamp_ns: int) -> None:
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    if isinstance(stamp, dict):
        stamp.update(sec=sec, nanosec=nanosec)
    else:
        stamp.sec, stamp.nanosec = sec, nanosec
