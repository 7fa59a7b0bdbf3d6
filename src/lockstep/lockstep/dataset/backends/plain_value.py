"""Plain values as bytes: JSON (RFC 8259, and NaN), a zero byte, and what the JSON refers to.

None, bools, numbers, strings and lists are as JSON has them. Any other value is an object of one
name, its kind: `{"tuple": […]}`, `{"dict": [[key, value], …]}`, `{"ndarray": [dtype, shape, begin,
end]}`, whose items stand from `begin` to `end` of what comes after the zero byte. Messages are in
the form that they have in a bag, `{"message": [number of the form, begin, end]}`. Nothing in it can
ask for code to be run: reading it calls the functions below and no others.
"""

from __future__ import annotations

import array
import dataclasses
import json
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ...cdr.codec import codec
from ...errors import DatasetError
from ..form import Form
from ..messages import definition, installed_class, installed_hash, is_rosidl
from ..std_msgs_form import array_dtype, array_kind
from ..stored_as import form_of

_AS_JSON = frozenset((type(None), bool, int, float, str))
_END_OF_JSON = b"\0"  # which JSON writes as \u0000


def dumps(value: Any, number_of: Callable[[Form], int]) -> bytes:
    """A plain value, or containers of such; `number_of` declares the form of a message.

    Raises DatasetError for anything else.
    """
    blobs = bytearray()
    try:
        text = json.dumps(_Writer(blobs, number_of).jsonable(value), separators=(",", ":"))
    except RecursionError as error:
        raise DatasetError("a value is nested too deeply; store it in parts") from error
    except ValueError as error:  # more digits than Python writes
        raise DatasetError(f"a value cannot be stored ({error})") from error
    return b"".join((text.encode("ascii"), _END_OF_JSON, blobs))


def loads(data: bytes, forms: Sequence[Form]) -> Any:
    """What `dumps` wrote, where `forms` are those declared; raises DatasetError for anything else.

    Messages are of their ROS class where the same type is installed, else as of a bag.
    """
    text, _, blobs = data.partition(_END_OF_JSON)
    try:
        return json.loads(text, object_hook=_Reader(blobs, forms).made)
    except DatasetError:
        raise
    except RecursionError as error:
        raise DatasetError("a value is nested too deeply; store it in parts") from error
    except Exception as error:  # numpy and array raise whatever malformed bytes make them raise
        raise DatasetError(f"a value is damaged ({type(error).__name__})") from error


class _Writer:
    def __init__(self, blobs: bytearray, number_of: Callable[[Form], int]) -> None:
        self._blobs, self._number_of = blobs, number_of

    def jsonable(self, value: Any) -> Any:
        """The value as lists and objects, with its bytes put aside."""
        cls: Any = type(value)
        if cls in _AS_JSON:
            return value
        if cls is list:
            return [self.jsonable(item) for item in value]
        if cls is dict:
            return {"dict": [[self.jsonable(k), self.jsonable(v)] for k, v in value.items()]}
        if cls in (tuple, set, frozenset):
            return {cls.__name__: [self.jsonable(item) for item in value]}
        if cls in (bytes, bytearray):
            return {cls.__name__: self._put(value)}
        if cls is np.ndarray:
            described = [array_kind(value.dtype), list(value.shape)]
            return {"ndarray": [*described, *self._put(value.tobytes())]}
        if isinstance(value, np.generic):
            return {"scalar": [array_kind(value.dtype), *self._put(value.tobytes())]}
        if cls is array.array:
            return {"array": [value.typecode, *self._put(value.tobytes())]}
        if cls is complex:
            return {"complex": [value.real, value.imag]}
        if is_rosidl(cls):
            form = form_of(value)
            return {"message": [self._number_of(form), *self._put(form.encode(value))]}
        if dataclasses.is_dataclass(cls):
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(cls)}
            return self.jsonable(fields)
        kind = value if isinstance(value, type) else cls
        raise DatasetError(
            f"a {kind.__name__} cannot be stored; make it a ROS message, an array, a dict or a "
            "dataclass"
        )

    def _put(self, data: bytes | bytearray) -> list[int]:
        begin = len(self._blobs)
        self._blobs += data
        return [begin, len(self._blobs)]


class _Reader:
    def __init__(self, blobs: bytes, forms: Sequence[Form]) -> None:
        self._blobs, self._forms = blobs, forms

    def made(self, tagged: dict[str, Any]) -> Any:
        """The value that an object stands for."""
        match list(tagged.items()):
            case [("dict", list(items))]:
                return dict(items)
            case [("tuple", list(items))]:
                return tuple(items)
            case [("set", list(items))]:
                return set(items)
            case [("frozenset", list(items))]:
                return frozenset(items)
            case [("bytes", [int(begin), int(end)])]:
                return self._taken(begin, end)
            case [("bytearray", [int(begin), int(end)])]:
                return bytearray(self._taken(begin, end))
            case [("ndarray", [str(kind), list(shape), int(begin), int(end)])]:
                return array_of(kind, shape, self._taken(begin, end))
            case [("scalar", [str(kind), int(begin), int(end)])]:
                return array_of(kind, [], self._taken(begin, end))[()]
            case [("array", [str(typecode), int(begin), int(end)])]:
                return array.array(typecode, self._taken(begin, end))
            case [("complex", [float(real), float(imag)])]:
                return complex(real, imag)
            case [("message", [int(number), int(begin), int(end)])]:
                return _decoded(self._form(number), self._taken(begin, end))
        raise DatasetError("a value is of a kind that this version does not know; write it again")

    def _taken(self, begin: int, end: int) -> bytes:
        if not 0 <= begin <= end <= len(self._blobs):
            raise DatasetError("a value is cut off; write the file again")
        return self._blobs[begin:end]

    def _form(self, number: int) -> Form:
        if not 0 <= number < len(self._forms):
            raise DatasetError("a message is of a form that the file does not declare")
        return self._forms[number]


def array_of(kind: str, shape: list[Any], data: bytes) -> np.ndarray[Any, Any]:
    """The array of a dtype, as `array_kind` names it, and a shape whose items are `data`."""
    dtype = array_dtype(kind)
    if not all(type(size) is int and size >= 0 for size in shape) or (
        math.prod(shape) * dtype.itemsize != len(data)
    ):
        raise DatasetError(f"an array of shape {shape} has {len(data)} bytes; write it again")
    return np.frombuffer(bytearray(data), dtype).reshape(shape) if data else np.empty(shape, dtype)


def _decoded(form: Form, data: bytes) -> Any:
    """A message of its ROS class, where the same type is installed, else as of a bag."""
    topic = form.topic
    decoder = _installed_decoder(topic.type, topic.definition, topic.type_hash)
    return form.decode(data) if decoder is None else decoder(data)


@lru_cache(maxsize=256)
def _installed_decoder(type_name: str, text: str, type_hash: str) -> Callable[[bytes], Any] | None:
    try:
        installed_class(type_name)
    except DatasetError:
        return None
    there = installed_hash(type_name)
    if (there != type_hash) if there and type_hash else (definition(type_name) != text):
        return None
    from ...cdr.rosidl_messages import RosidlDecoder

    return RosidlDecoder(codec(type_name, definition(type_name)))
