"""Messages as rosidl's own Python classes, which components take and send,
made without their slow constructors.

What the values of fields are, such as numpy for arrays of numbers and array.array for sequences, is
that of rosidl_generator_py, so that a component sees what rclpy would give it.
"""

from __future__ import annotations

import functools
from array import array
from collections.abc import Callable
from typing import Any

import numpy as np

from ..message.primitives import CODES, SIZES
from ..message.rosidl import message_class
from ..message.schema import Field, MessageType
from .codec import Codec
from .decoder import Decode, decoder
from .encapsulation import HEADER_SIZE, byte_order
from .function import Function


class RosidlDecoder:
    """Decodes CDR to messages of the installed class of a type.

    Raises LookupError if it is not installed.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._makers = {
            name: _maker(message_class(name), described)
            for name, described in codec.schema.types.items()
        }

    def __call__(self, data: bytes) -> Any:
        """A message from bytes with encapsulation header.

        Raises MessageError if they are not of the type. As DDS does, it takes no notice of bytes
        that follow on the message.
        """
        decode = self._little if byte_order(data) == "<" else self._big
        view = memoryview(data)[HEADER_SIZE:]
        try:
            message, used = decode(view, len(view))
        except Exception:
            self._codec.decode(data)  # says what is wrong
            raise
        if used > len(view):
            self._codec.decode(data)  # says what is missing
        return message

    @functools.cached_property
    def _little(self) -> Decode:
        return decoder(self._codec.plan, self._makers, "<", "replace")

    @functools.cached_property
    def _big(self) -> Decode:
        return decoder(self._codec.plan, self._makers, ">", "replace")


def _maker(cls: type[Any], described: MessageType) -> Callable[..., Any]:
    """A function that makes a message of `cls` of the values of its fields."""
    values = [f"v{index}" for index in range(len(described.fields))]
    head = f"def make({', '.join(values)}):"
    function = Function(head, f"maker of {described.name}", new=cls.__new__, cls=cls)
    function.emit("m = new(cls)")
    for field, value in zip(described.fields, values, strict=True):
        convert = _converter(field)
        made = value if convert is None else f"{function.constant(convert)}({value})"
        function.emit(f"m._{field.name} = {made}")
    if "_check_fields" in cls.__slots__:  # from Jazzy on
        function.emit(f"m._check_fields = {function.constant(cls()._check_fields)}")
    function.emit("return m")
    maker: Callable[..., Any] = function.compiled()
    return maker


def _converter(field: Field) -> Callable[[Any], Any] | None:
    """What makes rosidl's value of the decoder's; None where they are the same."""
    if field.type not in SIZES:
        return None
    if not field.array:
        return _octet if field.type == "byte" else None
    if field.type == "byte":
        return _octets
    if field.type == "bool":
        return np.ndarray.tolist
    code = CODES[field.type]
    if field.array == "fixed":
        return functools.partial(np.array, dtype=code)
    return functools.partial(_sequence, code)


def _sequence(code: str, values: Any) -> array[Any]:
    made = array(code)
    made.frombytes((values if values.dtype.isnative else values.astype(code)).tobytes())
    return made


def _octet(value: int) -> bytes:
    return bytes((value,))


def _octets(values: Any) -> list[bytes]:
    return [bytes((value,)) for value in values.tolist()]
