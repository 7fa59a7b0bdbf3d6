"""The primitive types of ROS messages, numbers and strings,
of which definitions build all others.
"""

from __future__ import annotations

import struct

CODES = {
    "bool": "?",
    "byte": "B",
    "char": "B",
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float32": "f",
    "float64": "d",
}
"""How the struct module and, but for the byte order, numpy call them."""
SIZES = {kind: struct.calcsize(f"={code}") for kind, code in CODES.items()}
"""Their bytes, which are also their alignment."""
STRINGS = ("string", "wstring")
