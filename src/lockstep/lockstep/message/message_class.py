"""The classes of decoded messages: one dataclass per type, with numpy arrays, strings,
and lists of nested messages.
"""

from __future__ import annotations

from dataclasses import make_dataclass
from typing import Any

import numpy as np

from .schema import MessageType


def message_class(described: MessageType) -> type[Any]:
    """A dataclass named like the message,
    with its constants as class attributes and `__msgtype__` "pkg/msg/Name".

    Two messages are equal if their types have one name and all fields are equal, whichever
    definition made their classes; NaN is not equal to NaN. Like other mutable values they have no
    hash.
    """
    return make_dataclass(
        described.name.rpartition("/")[2],
        [(field.name, Any) for field in described.fields],
        namespace={
            **described.constants,
            "__msgtype__": described.name,
            "__doc__": f"A message of type {described.name}.",
            "__eq__": _equal,
            "__hash__": None,
            "__module__": __name__,
        },
        eq=False,
        slots=True,
    )


def _equal(self: Any, other: Any) -> Any:
    if getattr(other, "__msgtype__", None) != self.__msgtype__:
        return NotImplemented
    for name in self.__dataclass_fields__:
        a: Any = getattr(self, name)
        b: Any = getattr(other, name, None)
        if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
            if not np.array_equal(a, b):
                return False
        elif a != b:
            return False
    return True
