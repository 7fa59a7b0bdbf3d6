"""What values the fields of a message may have: each check gives what is written,
and raises one of REFUSALS else.
"""

from __future__ import annotations

import struct
from array import array
from types import SimpleNamespace
from typing import Any

import numpy as np

REFUSALS = (struct.error, ValueError, TypeError, OverflowError, AttributeError, FloatingPointError)


def namespace(values: dict[str, Any], names: frozenset[str]) -> SimpleNamespace:
    """A message that is a dict with exactly the fields of its type."""
    if values.keys() != names:
        raise ValueError
    return SimpleNamespace(**values)


def octet(value: Any) -> Any:
    """A `byte` as int; rclpy has bytes of length 1."""
    return value[0] if isinstance(value, bytes) and len(value) == 1 else value


def flag(value: Any) -> Any:
    """A `bool`, which may also be 0 or 1."""
    if value is True or value is False or isinstance(value, np.bool_):
        return value
    if isinstance(value, int) and value in (0, 1):
        return value
    raise TypeError


def wide_text(value: str) -> bytes:
    """A wstring after its length: each UTF-16 unit as uint32."""
    units = np.frombuffer(value.encode("utf-16-le", "surrogatepass"), "<u2")
    return units.astype("<u4").tobytes()


def listed(items: Any) -> Any:
    """The elements of an array that are no numbers."""
    if isinstance(items, (list, tuple, np.ndarray)):
        return items
    raise TypeError


def numbers(items: Any, dtype: np.dtype[Any]) -> Any:
    """A list, array.array, numpy array or bytes as a buffer of the dtype."""
    if isinstance(items, np.ndarray):
        return _array(items, dtype)
    if isinstance(items, array):
        return _array(np.frombuffer(items, items.typecode), dtype)
    if isinstance(items, (bytes, bytearray, memoryview)):
        if dtype.itemsize > 1 or dtype.kind == "b" or memoryview(items).nbytes != len(items):
            raise TypeError
        return items
    items = listed(items)
    if dtype.kind == "b":
        return bytes(map(flag, items))
    if items and isinstance(items[0], bytes) and dtype == np.uint8:
        return bytes(map(octet, items))
    if dtype.kind == "f":
        return _array(np.frombuffer(array("d", items)), dtype)
    # Unlike numpy, array takes no number that does not fit.
    return np.frombuffer(array(dtype.char, items), dtype.newbyteorder("=")).astype(dtype)


def _array(items: np.ndarray[Any, Any], dtype: np.dtype[Any]) -> Any:
    if items.ndim != 1:
        raise ValueError
    if items.dtype == dtype:
        return items if items.flags.c_contiguous else items.copy()
    kinds = items.dtype.kind, dtype.kind
    if kinds[0] in "iu" and kinds[1] in "iu":
        info = np.iinfo(dtype)
        if items.min() < info.min or items.max() > info.max:
            raise OverflowError
    elif not (kinds[0] in "iuf" and kinds[1] == "f"):
        raise TypeError
    with np.errstate(over="raise"):
        return items.astype(dtype)
