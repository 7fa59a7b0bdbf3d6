"""The values of files of version 1, which are pickles; they are read such that none can run code.

Arrays, numpy scalars, tuples and ROS messages are persistent ids in them, so that such a pickle
needs no global, no call and no object state. One that has any, or any other opcode that Lockstep
never wrote, is refused before it is loaded. Tuples are among them because hashing nested ones is
recursive and may take exponential time.
"""

from __future__ import annotations

import array
import io
import pickle
import pickletools
from typing import Any, NoReturn

from ...errors import DatasetError
from ..messages import installed_class
from .plain_value import array_of

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


def loads(data: bytes) -> Any:
    """The value of a pickle that Lockstep wrote.

    Raises DatasetError for any other, without running what it asks for.
    """
    _check(data)
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except DatasetError:
        raise
    except Exception as error:  # the unpickler raises whatever malformed bytes make it raise
        raise DatasetError(f"a value is no valid pickle ({type(error).__name__})") from error


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
                return array_of(kind, shape, data)
            case ["scalar", str(kind), bytes(data)]:
                return array_of(kind, [], data)[()]
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
    """Raise DatasetError at an opcode that is not allowed, or a length beyond the end."""
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


def _message(name: str, fields: dict[str, Any]) -> Any:
    cls: Any = installed_class(name)
    if not fields.keys() <= cls.get_fields_and_field_types().keys():
        raise DatasetError(
            f"this machine's {name} has other fields than the file; convert it there"
        )
    return cls(**fields)


def _refused(what: str) -> DatasetError:
    return DatasetError(
        f"refused to load {what}, which no dataset holds; load only files that Lockstep wrote"
    )
