"""Numbers, strings, bytes and arrays as std_msgs, so that Foxglove and PlotJuggler plot them.

A comment in the definition (`# lockstep value: ndarray <f8`) says what to make of the message when
it is read again. Who does not know it sees an ordinary message.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..bag import BagError, Topic
from ..bag.topic import VALUE_MARK
from ..cdr.codec import codec
from ..cdr.encapsulation import LITTLE_ENDIAN
from ..errors import DatasetError
from .form import Form, another

MARKED = re.compile(rf"{VALUE_MARK}(.*)")
_SEPARATOR = "=" * 80
_LAYOUT = f"""{_SEPARATOR}
MSG: std_msgs/MultiArrayLayout
MultiArrayDimension[] dim
uint32 data_offset
{_SEPARATOR}
MSG: std_msgs/MultiArrayDimension
string label
uint32 size
uint32 stride
"""
_NAMES = {  # dtype: the field's type and the start of the message's name
    "bool": ("bool", "Bool"),
    **{f"int{bits}": (f"int{bits}", f"Int{bits}") for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (f"uint{bits}", f"UInt{bits}") for bits in (8, 16, 32, 64)},
    **{f"float{bits}": (f"float{bits}", f"Float{bits}") for bits in (32, 64)},
}
_NUMBERS: dict[str, type] = {"bool": bool, "int": int, "float": float}
_LARGEST_INT = 1 << 63
_EXACT_IN_FLOAT = 1 << 53


@cache
def number_form(name: str) -> Form:
    kind, _, given = name.partition(" ")
    dtype = np.dtype(given or _NUMBERS[kind])
    field, start = _NAMES[dtype.name]
    little = dtype.newbyteorder("<")

    def encode(value: Any) -> bytes:
        number = value
        if given:
            fits = isinstance(value, np.generic) and value.dtype == dtype
        elif kind == "float":
            fits = isinstance(value, float) or (
                type(value) is int and abs(value) <= _EXACT_IN_FLOAT
            )
        else:
            fits = isinstance(value, _NUMBERS[kind]) and (kind == "bool" or type(value) is not bool)
        if not fits:
            raise another(value, given or kind)
        if kind == "int" and not -_LARGEST_INT <= value < _LARGEST_INT:
            raise DatasetError(f"{value} does not fit into 64 bits; store it as a string")
        return LITTLE_ENDIAN + np.asarray(number, little).tobytes()

    def decode(data: bytes) -> Any:
        if len(data) < 4 + dtype.itemsize:
            raise DatasetError(f"a {field} of {len(data)} bytes is cut off; record it again")
        order = little if data[1] & 1 else dtype.newbyteorder(">")
        number = np.frombuffer(data, order, 1, 4)[0]
        return dtype.type(number) if given else number.item()

    return Form(name, _described(f"std_msgs/msg/{start}", name, f"{field} data\n"), encode, decode)


def scalar_form(name: str) -> Form:
    """A number where std_msgs has its dtype, else an array without dimensions."""
    return (
        number_form(name)
        if array_dtype(name.partition(" ")[2]).name in _NAMES
        else array_form(name)
    )


@cache
def string_form(name: str = "str") -> Form:
    topic = _described("std_msgs/msg/String", name, "string data\n")

    def encode(value: Any) -> bytes:
        if not isinstance(value, str):
            raise another(value, "str")
        return _cdr(topic, {"data": value})

    def decode(data: bytes) -> Any:
        return _of_cdr(topic, data).data

    return Form(name, topic, encode, decode)


@cache
def bytes_form(name: str = "bytes") -> Form:
    topic = _described(
        "std_msgs/msg/UInt8MultiArray", name, f"MultiArrayLayout layout\nuint8[] data\n{_LAYOUT}"
    )

    def encode(value: Any) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise another(value, "bytes")
        flat = np.frombuffer(bytes(value), np.uint8)
        return _cdr(topic, {"layout": _layout(flat.shape), "data": flat})

    def decode(data: bytes) -> Any:
        return _of_cdr(topic, data).data.tobytes()

    return Form(name, topic, encode, decode)


@cache
def array_form(name: str) -> Form:
    dtype = array_dtype(name.partition(" ")[2])
    plain = dtype.name in _NAMES and dtype.name != "bool"
    field, start = _NAMES[dtype.name if plain else "uint8"]
    item = np.dtype(field)
    topic = _described(
        f"std_msgs/msg/{start}MultiArray",
        name,
        f"MultiArrayLayout layout\n{field}[] data\n{_LAYOUT}",
    )

    def encode(value: Any) -> bytes:
        if isinstance(value, np.generic):
            value = np.asarray(value)
        if not isinstance(value, np.ndarray) or value.dtype != dtype:
            raise another(value, f"ndarray of {dtype}")
        flat = np.ascontiguousarray(value).reshape(-1)
        if plain:
            return _cdr(topic, {"layout": _layout(value.shape), "data": flat.astype(item)})
        raw = np.frombuffer(flat.tobytes(), np.uint8)
        return _cdr(topic, {"layout": _layout((*value.shape, dtype.itemsize)), "data": raw})

    def decode(data: bytes) -> Any:
        message = _of_cdr(topic, data)
        shape = [dimension.size for dimension in message.layout.dim]
        try:
            if plain:
                return message.data.astype(dtype, copy=False).reshape(shape)
            array = np.frombuffer(message.data.tobytes(), dtype).reshape(shape[:-1])
            return array[()] if name.startswith("scalar") else array
        except ValueError as error:
            raise DatasetError(
                f"an array of shape {shape} holds {message.data.size} values; record it again"
            ) from error

    return Form(name, topic, encode, decode)


MARKED_FORMS: dict[str, Callable[[str], Form]] = {
    "bool": number_form,
    "int": number_form,
    "float": number_form,
    "scalar": scalar_form,
    "str": string_form,
    "bytes": bytes_form,
    "ndarray": array_form,
}


def _described(type_name: str, name: str, definition: str) -> Topic:
    return Topic("", type_name, f"{VALUE_MARK}{name}\n{definition}", "ros2msg")


def _layout(shape: tuple[int, ...]) -> dict[str, Any]:
    """The layout of a row-major array; strides as std_msgs/MultiArrayLayout counts them."""
    strides = np.cumprod(shape[::-1], dtype=np.int64)[::-1].tolist()
    return {
        "dim": [
            {"label": f"dim{axis}", "size": size, "stride": stride}
            for axis, (size, stride) in enumerate(zip(shape, strides, strict=True))
        ],
        "data_offset": 0,
    }


def _cdr(topic: Topic, fields: dict[str, Any]) -> bytes:
    try:
        return bytes(codec(topic.type, topic.definition, topic.encoding).encode(fields))
    except BagError as error:
        raise DatasetError(str(error)) from error


def _of_cdr(topic: Topic, data: bytes) -> Any:
    try:
        return codec(topic.type, topic.definition, topic.encoding).decode(data)
    except BagError as error:
        raise DatasetError(f"a {topic.type} {error}") from error


def array_kind(dtype: np.dtype[Any]) -> str:
    """A dtype as text, for `array_dtype`; raises DatasetError for dtypes with objects."""
    if dtype.hasobject:
        raise DatasetError("arrays of objects cannot be stored; give numbers or strings a dtype")
    descr = np.lib.format.dtype_to_descr(dtype)  # type: ignore[no-untyped-call]
    return descr if isinstance(descr, str) else repr(descr)


def array_dtype(descr: str) -> np.dtype[Any]:
    """The dtype that a text of `array_kind` names; raises ValueError, TypeError or SyntaxError for
    any other text."""
    structured = descr.startswith("[")
    dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(  # type: ignore[no-untyped-call]
        ast.literal_eval(descr) if structured else descr
    )
    if dtype.hasobject or not dtype.itemsize:
        raise ValueError(descr)
    return dtype
