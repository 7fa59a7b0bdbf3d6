"""Forms: how the values of one key are written as bytes and read again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..bag import BagError, Topic
from ..bag.topic import described_alike
from ..cdr.codec import codec
from ..errors import DatasetError
from .columns import column


@dataclass(frozen=True)
class Form:
    """How one kind of values is written.

    `encode` raises DatasetError for a value of another kind.
    """

    name: str
    topic: Topic
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]

    def column(self, payloads: Sequence[bytes], path: str, key: str) -> npt.NDArray[Any]:
        """One field of encoded values, as `columns.column` gives that of values; messages are not
        decoded one by one."""
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


def encoded(form: Form, value: Any, key: str) -> bytes:
    """A value of a key as bytes, which it may be already; raises DatasetError if it is not like
    those before it."""
    try:
        if not isinstance(value, Encoded):
            return form.encode(value)
        if not described_alike(value.form.topic, form.topic):
            raise DatasetError(
                f"{value.form.topic.type} is not among the {form.topic.type} of this key; use a "
                "key of its own"
            )
        return value.data
    except DatasetError as error:
        raise DatasetError(f"key {key}: {error}") from error


def another(value: Any, expected: str) -> DatasetError:
    """The error for a value that is not like the others of its key."""
    kind = f"ndarray of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
    return DatasetError(f"a {kind} is not among the {expected} of this key; use a key of its own")


class Encoded(NamedTuple):
    """A value as bytes, as a backend stores it; `form` knows how to decode it."""

    data: bytes
    form: Form


def plain(value: Any) -> Any:
    """A stored value, decoded if it is Encoded."""
    return value.form.decode(value.data) if isinstance(value, Encoded) else value
