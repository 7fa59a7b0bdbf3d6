"""Pickles of plain values only, so that loading one can run no code.

Arrays, numpy scalars, tuples and ROS messages are written as persistent ids, so that a pickle of this package needs no
global, no call and no object state. One that has any, or any other opcode that is not written here, is refused before it
is loaded. Tuples are among them because hashing nested ones is recursive and may take exponential time.
"""

from __future__ import annotations

import array
import dataclasses
import io
import math
import pickle
import pickletools
import re
from functools import cache
from typing import Any, NoReturn

import numpy as np

from ...bag import BagError
from ...errors import DatasetError
from ...message.definitions import definition
from ..messages import is_rosidl
from ..std_msgs_form import array_dtype, array_kind

_MESSAGE = re.compile(r"[a-z][a-z0-9_]*/msg/[A-Z][A-Za-z0-9]*")
_ALLOWED = frozenset(
    (
        *("PROTO", "FRAME", "STOP", "MEMOIZE", "BINGET", "LONG_BINGET", "MARK", "BINPERSID"),
        *(
            "NONE",
            "NEWTRUE",
            "NEWFALSE",
            "BININT",
            "BININT1",
            "BININT2",
            "LONG1",
            "LONG4",
            "BINFLOAT",
        ),
        *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"),
        *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
        *("EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS"),
        *("EMPTY_SET", "ADDITEMS", "FROZENSET"),
    )
)
_COUNTED = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}
_DEEPEST_TUPLE = 1_000
_LARGEST_TUPLE = 1_000_000
_STOP, _FRAME = ord("."), 0x95
_NAMES = {ord(code.code): code.name for code in pickletools.opcodes}
# opcode: bytes of its argument; if negative, bytes of the length that its argument begins with
_ARGUMENTS = {
    ord(code.code): (
        0 if code.arg is None else code.arg.n if code.arg.n >= 0 else -_COUNTED.get(code.arg.n, 0)
    )
    for code in pickletools.opcodes
    if code.name in _ALLOWED
}
_PLAIN = frozenset(
    (type(None), bool, int, float, str, bytes, bytearray, list, dict, set, frozenset)
)


def dumps(value: Any) -> bytes:
    """A plain value, or containers of such, as a pickle; raises DatasetError for anything else."""
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, 5).dump(value)
    except RecursionError as error:
        raise DatasetError("a value is nested too deeply; store it in parts") from error
    return buffer.getvalue()


def loads(data: bytes) -> Any:
    """What `dumps` wrote; raises DatasetError for any other pickle, without running what it asks for."""
    _check(data)
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except DatasetError:
        raise
    except Exception as error:  # the unpickler raises whatever malformed bytes make it raise
        raise DatasetError(f"a value is no valid pickle ({type(error).__name__})") from error


class _Pickler(pickle.Pickler):
    def persistent_id(self, value: Any) -> Any:
        cls: Any = type(value)
        if cls in _PLAIN:
            return None
        if cls is tuple:
            return ["tuple", list(value)]
        if cls is np.ndarray:
            return ["ndarray", array_kind(value.dtype), list(value.shape), value.tobytes()]
        if isinstance(value, np.generic):
            return ["scalar", array_kind(value.dtype), value.tobytes()]
        if cls is array.array:
            return ["array", value.typecode, value.tobytes()]
        if cls is complex:
            return ["complex", value.real, value.imag]
        if is_rosidl(cls):
            name, fields = _described(cls)
            return ["message", name, {field: getattr(value, field) for field in fields}]
        if dataclasses.is_dataclass(cls):
            names = [field.name for field in dataclasses.fields(cls)]
            return ["dict", {name: getattr(value, name) for name in names}]
        return None

    def reducer_override(self, value: Any) -> NoReturn:
        kind = value if isinstance(value, type) else type(value)
        raise DatasetError(
            f"a {kind.__name__} cannot be stored; make it a ROS message, an array, a dict or a dataclass"
        )


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._tuples: dict[int, tuple[tuple[Any, ...], int, int]] = {}  # by id: itself, depth, size

    def find_class(self, module: str, name: str) -> NoReturn:
        raise _refused(f"{module}.{name}")

    def persistent_load(self, pid: Any) -> Any:
        match pid:
            case ["tuple", list(items)]:
                return self._tuple(items)
            case ["ndarray", str(kind), list(shape), bytes(data)]:
                return _array(kind, shape, data)
            case ["scalar", str(kind), bytes(data)]:
                return _array(kind, [], data)[()]
            case ["array", str(typecode), bytes(data)]:
                return array.array(typecode, data)
            case ["complex", float(real), float(imag)]:
                return complex(real, imag)
            case ["message", str(name), dict(fields)]:
                return _message(name, fields)
            case ["dict", dict(fields)]:
                return fields
        raise _refused("an unknown kind of value")

    def _tuple(self, items: list[Any]) -> tuple[Any, ...]:
        made = tuple(items)
        within = [self._tuples[id(item)] for item in items if type(item) is tuple]
        depth = 1 + max((depth for _, depth, _ in within), default=0)
        size = len(items) + sum(size for _, _, size in within)
        if depth > _DEEPEST_TUPLE or size > _LARGEST_TUPLE:
            raise DatasetError("a value has tuples nested too deeply; use lists")
        self._tuples[id(made)] = made, depth, size
        return made


def _check(data: bytes) -> None:
    """Raise DatasetError at the first opcode that `dumps` does not write, or at a length beyond the end."""
    at, end = 0, len(data)
    while at < end:
        opcode = data[at]
        size = _ARGUMENTS.get(opcode)
        if size is None:
            raise _refused(f"the opcode {_NAMES.get(opcode, opcode)}")
        if opcode == _STOP:
            return
        at += 1
        if size < 0:
            counted = int.from_bytes(data[at : at - size], "little")
            at += counted - size
        elif opcode == _FRAME and int.from_bytes(data[at : at + 8], "little") > end - at - 8:
            break
        else:
            at += size
    raise DatasetError("a value is cut off; write the file again")


def _array(kind: str, shape: list[Any], data: bytes) -> np.ndarray[Any, Any]:
    dtype = array_dtype(kind)
    if not all(type(size) is int and size >= 0 for size in shape) or (
        math.prod(shape) * dtype.itemsize != len(data)
    ):
        raise DatasetError(f"an array of shape {shape} has {len(data)} bytes; write it again")
    return np.frombuffer(bytearray(data), dtype).reshape(shape) if data else np.empty(shape, dtype)


def _message(name: str, fields: dict[str, Any]) -> Any:
    try:
        cls, names = _installed(name)
        if not fields.keys() <= names:
            raise LookupError(f"this machine's {name} has other fields")
    except (BagError, LookupError, ImportError) as error:
        raise DatasetError(
            f"a message of type {name} cannot be loaded: {error}; source its package or use the mcap backend"
        ) from error
    return cls(**fields)


@cache
def _installed(name: str) -> tuple[type[Any], frozenset[str]]:
    """The class of a message type of an installed interface package, and its fields; nothing else is imported."""
    if not _MESSAGE.fullmatch(name):
        raise LookupError(f"{name} is no message type")
    definition(name)
    from ...message.rosidl import message_class  # raises ImportError where there is no ROS

    cls: Any = message_class(name)
    return cls, frozenset(cls.get_fields_and_field_types())


@cache
def _described(cls: Any) -> tuple[str, tuple[str, ...]]:
    """The type of a ROS message class, and its fields."""
    from ...message.rosidl import type_name  # needs ROS, which is there if this class is

    return type_name(cls), tuple(cls.get_fields_and_field_types())


def _refused(what: str) -> DatasetError:
    return DatasetError(
        f"refused to load {what}, which no dataset holds; load only files that Lockstep wrote"
    )
