"""Which form a value or topic has.

| value | in a bag |
|---|---|
| ROS message | CDR, as it is |
| number, numpy scalar | `std_msgs/msg/Float64`, `Int64`, `Bool`, … |
| numpy array | `std_msgs/msg/Float32MultiArray`, …: the shape in its layout |
| str | `std_msgs/msg/String` |
| bytes | `std_msgs/msg/UInt8MultiArray` |
| dict, dataclass | JSON with a jsonschema |
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from ..bag import BagError, Topic
from ..cdr.codec import Codec, codec
from ..errors import DatasetError
from . import json_value
from .form import Encoded, Form, another, plain
from .messages import described, is_message, remember
from .source import Record
from .std_msgs_form import (
    MARKED,
    MARKED_FORMS,
    array_form,
    array_kind,
    bytes_form,
    number_form,
    scalar_form,
    string_form,
)

_message_forms: WeakKeyDictionary[type, Form] = WeakKeyDictionary()


def form_of(value: Any) -> Form:
    """The form for a value and others like it; raises DatasetError if no bag can hold it."""
    if isinstance(value, Encoded):
        return value.form
    if is_message(value):
        cls = type(value)
        if cls not in _message_forms:
            _message_forms[cls] = _message(described(value), cls)
        return _message_forms[cls]
    if isinstance(value, np.ndarray):
        return array_form(f"ndarray {array_kind(value.dtype)}")
    if isinstance(value, np.generic) and not isinstance(value, (str, bytes)):
        return scalar_form(f"scalar {array_kind(value.dtype)}")
    for cls in (bool, int, float):
        if isinstance(value, cls):
            return number_form(cls.__name__)
    if isinstance(value, str):
        return string_form()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes_form()
    if isinstance(value, Mapping) or (
        dataclasses.is_dataclass(value) and not isinstance(value, type)
    ):
        return _json(
            "dict" if isinstance(value, Mapping) else type(value).__name__,
            json_value.schema(value),
        )
    raise DatasetError(
        f"{type(value).__name__} is no value that a bag can hold; make it a ROS message, an array, "
        "a dict or a string"
    )


def as_any_json(value: Any) -> Encoded:
    """A value as JSON to be compared.

    Unlike `json_value.encode` it holds NaN, infinities, lists, tuples, None and nested messages.
    """
    return Encoded(json_value.encode_any(plain(value)), ANY_JSON)


def keys_of_json(records: Iterable[Record]) -> set[str]:
    """The keys that only JSON holds: with values that are more than one or none, or that are of
    several forms.
    """
    first: dict[str, tuple[str, str]] = {}
    found: set[str] = set()
    for key, _, _, value in records:
        if key in found:
            continue
        if value is None or _is_structured(value):
            found.add(key)
            continue
        form = form_of(value)
        kind = form.name, form.topic.type
        if first.setdefault(key, kind) != kind:
            found.add(key)
    return found


def _is_structured(value: Any) -> bool:
    if isinstance(value, Encoded) or is_message(value):
        return False
    return isinstance(value, (Mapping, list, tuple)) or dataclasses.is_dataclass(value)


def form_of_topic(topic: Topic) -> Form:
    """The form that a topic was written in; topics of others hold messages or JSON."""
    if topic.message_encoding == "json":
        return _json(topic.type, topic.definition)
    if topic.message_encoding != "cdr":
        raise DatasetError(
            f"{topic.name} is encoded as '{topic.message_encoding}', which cannot be decoded here; "
            "select other keys"
        )
    marked = MARKED.match(topic.definition)
    if marked is None or topic.encoding != "ros2msg":
        return _message(topic, None)
    kind = marked[1].partition(" ")[0]
    try:
        return MARKED_FORMS[kind](marked[1])
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
            raise another(message, topic.type)
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


def _json(type_name: str, schema: str) -> Form:
    topic = Topic("", type_name, schema, "jsonschema" if schema else "", message_encoding="json")

    def encode(value: Any) -> bytes:
        if not isinstance(value, Mapping) and not dataclasses.is_dataclass(value):
            raise another(value, "dicts")
        return json_value.encode(value)

    def decode(data: bytes) -> Any:
        try:
            return json.loads(data)
        except ValueError as error:
            raise DatasetError(
                f"a value of type {type_name or 'JSON'} is no valid JSON ({error})"
            ) from error

    return Form("json", topic, encode, decode)


ANY_JSON = _json("value", "")
"""The form of what `as_any_json` makes JSON of."""
