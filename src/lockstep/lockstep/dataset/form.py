"""Forms: how the values of one key are written as bytes, and how bags, Foxglove and PlotJuggler come to understand them.

| value | in a bag |
|---|---|
| ROS message | CDR, as it is |
| number, numpy scalar | `std_msgs/msg/Float64`, `Int64`, `Bool`, … |
| numpy array | `std_msgs/msg/Float32MultiArray`, …: the shape in its layout |
| str | `std_msgs/msg/String` |
| bytes | `std_msgs/msg/UInt8MultiArray` |
| dict, dataclass | JSON with a jsonschema |

A comment in the definition (`# lockstep value: ndarray <f8`) says what to make of the message when it is read again.
Who does not know it sees an ordinary message.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from ..bag import BagError, Topic
from ..bag.codec import Codec, codec
from . import json_value
from .columns import column
from .errors import DatasetError
from .messages import described, is_message, remember
from .record import Encoded

_MARK = "lockstep value: "
_MARKED = re.compile(rf"# {_MARK}(.*)")
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
_NUMBERS: dict[str, type] = {"bool": bool, "int": np.int64, "float": np.float64}
_LARGEST_INT = 1 << 63
_EXACT_IN_FLOAT = 1 << 53
_message_forms: WeakKeyDictionary[type, Form] = WeakKeyDictionary()


@dataclass(frozen=True)
class Form:
    """How one kind of values is written. `encode` raises DatasetError for a value of another kind."""

    name: str
    topic: Topic
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]

    def column(self, payloads: Sequence[bytes], path: str, key: str) -> npt.NDArray[Any]:
        """One field of encoded values, as `columns.column` gives that of values; messages are not decoded one by one."""
        within = path or self.path or ""
        if not within or not (self.is_message or self.path):
            return column(map(self.decode, payloads), path, key)
        length = np.fromiter(map(len, payloads), np.int64, len(payloads))
        buffer = np.frombuffer(b"".join(payloads), np.uint8)
        try:
            compiled = codec(self.topic.type, self.topic.definition, self.topic.encoding)
            found: dict[str, npt.NDArray[Any]] = compiled.columns(
                buffer, np.cumsum(length) - length, length, [within]
            )
        except BagError as error:
            raise DatasetError(f"'{path}' of {key}: {error}") from error
        return found[within]

    @property
    def path(self) -> str | None:
        """Where a number or string lies in its message; None if a value is more than one field."""
        first = self.name.partition(" ")[0]
        return "data" if first in ("bool", "int", "float", "str", "scalar") else None

    @property
    def is_message(self) -> bool:
        """Whether values are ROS messages as such."""
        return self.name == "message"


def form_of(value: Any) -> Form:
    """The form for a value and others like it; raises DatasetError if no bag can hold it."""
    if isinstance(value, Encoded):
        return value.form
    if is_message(value):
        cls = type(value)
        if cls not in _message_forms:
            _message_forms[cls] = _message(described(value), cls)
        return _message_forms[cls]
    if isinstance(value, np.generic) and value.dtype.name not in _NAMES:
        value = np.asarray(value)
    if isinstance(value, np.ndarray):
        return _array(f"ndarray {array_kind(value.dtype)}")
    if isinstance(value, np.generic):
        return _number(f"scalar {value.dtype.str}")
    for cls in (bool, int, float):
        if isinstance(value, cls):
            return _number(cls.__name__)
    if isinstance(value, str):
        return _string()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _bytes()
    if isinstance(value, Mapping) or (
        dataclasses.is_dataclass(value) and not isinstance(value, type)
    ):
        return _json(
            "dict" if isinstance(value, Mapping) else type(value).__name__,
            json_value.schema(value),
        )
    raise DatasetError(
        f"{type(value).__name__} is no value that a bag can hold; make it a ROS message, an array, a dict or a string"
    )


def encoded(form: Form, value: Any, key: str) -> bytes:
    """A value of a key as bytes, which it may be already; raises DatasetError if it is not like those before it."""
    try:
        if not isinstance(value, Encoded):
            return form.encode(value)
        if not _same(value.form.topic, form.topic):
            raise DatasetError(
                f"{value.form.topic.type} is not among the {form.topic.type} of this key; use a key of its own"
            )
        return value.data
    except DatasetError as error:
        raise DatasetError(f"key {key}: {error}") from error


def _same(one: Topic, other: Topic) -> bool:
    """Whether the messages of two topics can stand in one."""
    if one.message_encoding == other.message_encoding == "json":
        return True
    return (one.message_encoding, one.type, one.definition, one.encoding) == (
        other.message_encoding,
        other.type,
        other.definition,
        other.encoding,
    )


def form_of_topic(topic: Topic) -> Form:
    """The form that a topic was written in; topics of others hold messages or JSON."""
    if topic.message_encoding == "json":
        return _json(topic.type, topic.definition)
    if topic.message_encoding != "cdr":
        raise DatasetError(
            f"{topic.name} is encoded as '{topic.message_encoding}', which cannot be decoded here; "
            "select other keys"
        )
    marked = _MARKED.match(topic.definition)
    if marked is None or topic.encoding != "ros2msg":
        return _message(topic, None)
    kind = marked[1].partition(" ")[0]
    try:
        return _MARKED_FORMS[kind](marked[1])
    except (LookupError, ValueError, TypeError, SyntaxError) as error:
        raise DatasetError(
            f"{topic.name} is marked as '{marked[1]}', which this version does not know"
        ) from error


def _message(topic: Topic, cls: type | None) -> Form:
    """`cls` (None: any) is the class of all messages."""
    made: list[Codec] = []

    def compiled() -> Codec:
        if not made:  # what is only copied need not be understood
            try:
                made.append(codec(topic.type, topic.definition, topic.encoding))
            except BagError as error:
                raise DatasetError(str(error)) from error
        return made[0]

    def encode(message: Any) -> bytes:
        if type(message) is not cls and (
            not is_message(message) or described(message).type != topic.type
        ):
            raise _other(message, topic.type)
        try:
            return bytes(compiled().encode(message))
        except BagError as error:
            raise DatasetError(str(error)) from error

    def decode(data: bytes) -> Any:
        try:
            message = compiled().decode(data)
        except BagError as error:
            raise DatasetError(f"a message of {topic.name or topic.type} {error}") from error
        remember(message, topic)
        return message

    return Form("message", topic, encode, decode)


@cache
def _number(name: str) -> Form:
    kind, _, given = name.partition(" ")
    dtype = np.dtype(given or _NUMBERS[kind])
    field, start = _NAMES[dtype.name]
    little = dtype.newbyteorder("<")
    head = b"\x00\x01\x00\x00"

    def encode(value: Any) -> bytes:
        number = value
        if given:
            fits = isinstance(value, np.generic) and value.dtype == dtype
        elif kind == "float":
            fits = isinstance(value, float) or (
                type(value) is int and abs(value) <= _EXACT_IN_FLOAT
            )
        else:
            fits = type(value).__name__ == kind
        if not fits:
            raise _other(value, given or kind)
        if kind == "int" and not -_LARGEST_INT <= value < _LARGEST_INT:
            raise DatasetError(f"{value} does not fit into 64 bits; store it as a string")
        return head + np.asarray(number, little).tobytes()

    def decode(data: bytes) -> Any:
        if len(data) < 4 + dtype.itemsize:
            raise DatasetError(f"a {field} of {len(data)} bytes is cut off; record it again")
        order = little if data[1] & 1 else dtype.newbyteorder(">")
        number = np.frombuffer(data, order, 1, 4)[0]
        return dtype.type(number) if given else number.item()

    return Form(name, _described(f"std_msgs/msg/{start}", name, f"{field} data\n"), encode, decode)


@cache
def _string(name: str = "str") -> Form:
    topic = _described("std_msgs/msg/String", name, "string data\n")

    def encode(value: Any) -> bytes:
        if not isinstance(value, str):
            raise _other(value, "str")
        return _cdr(topic, {"data": value})

    def decode(data: bytes) -> Any:
        return _of_cdr(topic, data).data

    return Form(name, topic, encode, decode)


@cache
def _bytes(name: str = "bytes") -> Form:
    topic = _described(
        "std_msgs/msg/UInt8MultiArray", name, f"MultiArrayLayout layout\nuint8[] data\n{_LAYOUT}"
    )

    def encode(value: Any) -> bytes:
        if not isinstance(value, (bytes, bytearray, memoryview)):
            raise _other(value, "bytes")
        flat = np.frombuffer(bytes(value), np.uint8)
        return _cdr(topic, {"layout": _layout(flat.shape), "data": flat})

    def decode(data: bytes) -> Any:
        return _of_cdr(topic, data).data.tobytes()

    return Form(name, topic, encode, decode)


@cache
def _array(name: str) -> Form:
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
            raise _other(value, f"ndarray of {dtype}")
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
            return np.frombuffer(message.data.tobytes(), dtype).reshape(shape[:-1])
        except ValueError as error:
            raise DatasetError(
                f"an array of shape {shape} holds {message.data.size} values; record it again"
            ) from error

    return Form(name, topic, encode, decode)


def _json(type_name: str, schema: str) -> Form:
    topic = Topic("", type_name, schema, "jsonschema" if schema else "", message_encoding="json")

    def encode(value: Any) -> bytes:
        if not isinstance(value, Mapping) and not dataclasses.is_dataclass(value):
            raise _other(value, "dicts")
        return json_value.encode(value)

    def decode(data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError as error:
            raise DatasetError(
                f"a value of type {type_name or 'JSON'} is no valid JSON ({error})"
            ) from error

    return Form("json", topic, encode, decode)


_MARKED_FORMS: dict[str, Callable[[str], Form]] = {
    "bool": _number,
    "int": _number,
    "float": _number,
    "scalar": _number,
    "str": _string,
    "bytes": _bytes,
    "ndarray": _array,
}


def _described(type_name: str, name: str, definition: str) -> Topic:
    return Topic("", type_name, f"# {_MARK}{name}\n{definition}", "ros2msg")


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
    if dtype.hasobject:
        raise DatasetError("arrays of objects cannot be stored; give numbers or strings a dtype")
    descr = np.lib.format.dtype_to_descr(dtype)  # type: ignore[no-untyped-call]
    return descr if isinstance(descr, str) else repr(descr)


def array_dtype(descr: str) -> np.dtype[Any]:
    structured = descr.startswith("[")
    dtype: np.dtype[Any] = np.lib.format.descr_to_dtype(  # type: ignore[no-untyped-call]
        ast.literal_eval(descr) if structured else descr
    )
    if dtype.hasobject or not dtype.itemsize:
        raise ValueError(descr)
    return dtype


def _other(value: Any, expected: str) -> DatasetError:
    kind = f"ndarray of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
    return DatasetError(f"a {kind} is not among the {expected} of this key; use a key of its own")
