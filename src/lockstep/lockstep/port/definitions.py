"""The message types of a contract as both languages see them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..component import Contract
from ..message.definitions import definition
from ..message.schema import TIMES, Field, MessageType, Schema, schema
from ..message.services import base

_CPP = {
    "bool": "bool",
    "byte": "unsigned char",
    "char": "unsigned char",
    "float32": "float",
    "float64": "double",
    "string": "std::string",
    "wstring": "std::u16string",
    **{f"{sign}int{bits}": f"{sign}int{bits}_t" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
"""rosidl_generator_cpp's mapping of primitive types."""
_PYTHON = {
    "bool": "bool",
    "byte": "bytes",
    "float32": "float",
    "float64": "float",
    "string": "str",
    "wstring": "str",
}
_NUMERIC = re.compile(r"(u?int\d+|float\d+|char)")


def message_types(contract: Contract) -> list[str]:
    """The types of the ports, each once, inputs first."""
    return list(dict.fromkeys(port.type for port in (*contract.inputs, *contract.outputs)))


def interfaces(contract: Contract) -> list[str]:
    """The same, with a service in place of its requests and responses: what is included, or
    imported."""
    return list(dict.fromkeys(base(name) or name for name in message_types(contract)))


def schema_of(type_name: str) -> Schema:
    """The parsed definition of an installed type; raises BagError if it is not installed."""
    return schema(type_name, definition(type_name))


def all_types(names: list[str]) -> Iterator[MessageType]:
    """These types and all that they consist of, each once."""
    seen: set[str] = set()
    for name in names:
        described = schema_of(name)
        for inner in [described.root, *described.types.values()]:
            if inner.name not in seen:
                seen.add(inner.name)
                yield inner


def definition_text(type_name: str) -> str:
    """The .msg text of one type, or the .srv text of what it is a part of, without the licence
    above and without blank lines at the ends."""
    first, *others = definition(type_name).split("=" * 80)
    text = others[0].strip("\n").partition("\n")[2] if base(type_name) else first
    return text.strip("\n")


def file_name(type_name: str) -> str:
    """Where it is defined: `sensor_msgs/msg/Imu.msg`, `std_srvs/srv/SetBool.srv`."""
    whole = base(type_name) or type_name
    return f"{whole}.{whole.split('/')[1]}"


def both_languages(described: MessageType) -> Iterator[str]:
    """A line for each field and constant: the definition, the Python attribute and the C++
    member."""
    for field in described.fields:
        yield f"{field.described} {field.name}: Python {python_type(field)}, C++ {cpp_type(field)}"
    for name, value in described.constants.items():
        yield f"constant {name} = {value!r}"


def cpp_type(field: Field) -> str:
    """The type of a member of the C++ struct."""
    inner = _CPP[field.type] if field.type in _CPP else cpp_class(field.type)
    if field.array == "fixed":
        return f"std::array<{inner}, {field.size}>"
    if field.array == "sequence" and field.size:
        return f"rosidl_runtime_cpp::BoundedVector<{inner}, {field.size}>"
    return f"std::vector<{inner}>" if field.array else inner


def python_type(field: Field) -> str:
    """The type of an attribute of the Python class."""
    inner = _PYTHON.get(
        field.type, "int" if _NUMERIC.fullmatch(field.type) else field.type.rpartition("/")[2]
    )
    if not field.array:
        return inner
    if _NUMERIC.fullmatch(field.type):
        return f"numpy.ndarray ({field.size},)" if field.array == "fixed" else "array.array"
    return f"list[{inner}]"


def cpp_class(type_name: str) -> str:
    """`sensor_msgs/msg/Imu` → `sensor_msgs::msg::Imu`, `std_srvs/srv/SetBool_Request` →
    `std_srvs::srv::SetBool::Request`."""
    whole = base(type_name)
    part = type_name.removeprefix(whole)
    return f"{whole}{part.replace('_', '/') if whole else part}".replace("/", "::")


def cpp_header(type_name: str) -> str:
    """`geometry_msgs/msg/Vector3Stamped` → `geometry_msgs/msg/vector3_stamped.hpp`, by rosidl's
    rule."""
    package, kind, name = (base(type_name) or type_name).split("/")
    snake = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    snake = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", snake).lower()
    return f"{package}/{kind}/{snake}.hpp"


def package_of(type_name: str) -> str:
    """The ROS package of a type."""
    return type_name.partition("/")[0]


def single_precision(names: list[str]) -> list[str]:
    """The fields of these types that are float32, as `Type.path`."""
    found = []
    for name in names:
        found += [
            f"{name.rpartition('/')[2]}.{path}"
            for path, kind in _paths(schema_of(name))
            if kind.startswith("float32")
        ]
    return found


def _paths(described: Schema) -> Iterator[tuple[str, str]]:
    def walk(inner: MessageType, prefix: str) -> Iterator[tuple[str, str]]:
        for field in inner.fields:
            path = f"{prefix}{field.name}"
            if field.type in described.types and field.type not in TIMES:
                yield from walk(
                    described.types[field.type], f"{path}{'[]' if field.array else ''}."
                )
            else:
                yield path, field.described

    return walk(described.root, "")
