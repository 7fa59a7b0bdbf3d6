"""C++ as a target: what is written for a contract, with the C++ component library."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from ..component.contract import (
    Contract,
    ParameterContract,
    PortContract,
    listeners_of,
    service_of,
)
from ..component.qos import SENSOR_DATA, QoS
from ..component.tf_listener import OF_STATIC
from ..message.services import base
from .definitions import cpp_class, cpp_header, interfaces, package_of
from .subject import Subject

_KEYWORDS = frozenset(
    [
        "alignas",
        "alignof",
        "and",
        "asm",
        "auto",
        "bool",
        "break",
        "case",
        "catch",
        "char",
        "class",
        "const",
        "constexpr",
        "continue",
        "decltype",
        "default",
        "delete",
        "do",
        "double",
        "else",
        "enum",
        "explicit",
        "export",
        "extern",
        "false",
        "float",
        "for",
        "friend",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "mutable",
        "namespace",
        "new",
        "noexcept",
        "not",
        "nullptr",
        "operator",
        "or",
        "private",
        "protected",
        "public",
        "register",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "template",
        "this",
        "throw",
        "true",
        "try",
        "typedef",
        "typeid",
        "typename",
        "union",
        "unsigned",
        "using",
        "virtual",
        "void",
        "volatile",
        "wchar_t",
        "while",
        "xor",
    ]
)
_TAKEN = frozenset(
    [
        "Input",
        "Output",
        "Parameter",
        "Service",
        "Timer",
        "QoS",
        "Minimum",
        "Maximum",
        "READ_ONLY",
        "SENSOR_DATA",
        "logger",
        "now",
        "set_now",
        "inputs",
        "outputs",
        "parameters",
        "timers",
        "on_start",
        "on_parameters_changed",
    ]
)
_TYPES = {"bool": "bool", "integer": "std::int64_t", "double": "double", "string": "std::string"}
_HEADERS = {"integer": "cstdint", "string": "string"}
_MOST_NEGATIVE = -(2**63)
_WIDTH = 97


@dataclass(frozen=True)
class _Callback:
    """A method that the component must have; `argument` is empty for timers.

    `returns` is its type within the class, `returns_fully` outside of it.
    """

    name: str
    argument: str = ""
    called: str = "msg"
    returns: str = "void"
    returns_fully: str = "void"


def package_files(subject: Subject) -> dict[str, str]:
    """The package of a component that is still to be written, as text by path within the package.

    It builds, promises the contract, and throws in every callback.
    """
    contract, package = subject.contract, subject.package("cpp")
    context: dict[str, Any] = {
        "subject": subject,
        "contract": contract,
        "package": package,
        "node": subject.node,
        "dependencies": sorted(
            {package_of(name) for name in interfaces(contract)}
            | ({"geometry_msgs"} if listeners_of(contract) else set())
        ),
        "headers": sorted(cpp_header(name) for name in interfaces(contract)),
        "standard_headers": sorted(_standard_headers(contract)),
        "aliases": _aliases(contract),
        "listens": bool(listeners_of(contract)),
        "members": list(_members(contract)),
        "callbacks": list(_callbacks(contract)),
        "hooks": _hooks(subject),
        "guard": f"{package.upper()}__{subject.node.upper()}_HPP_",
    }
    return {
        "package.xml": _render("package.xml", context),
        "CMakeLists.txt": _render("CMakeLists.txt", context),
        f"include/{package}/{subject.node}.hpp": _render("header.hpp", context),
        f"src/{subject.node}.cpp": _render("source.cpp", context),
    }


def _render(name: str, context: dict[str, Any]) -> str:
    template = (files(__package__) / "templates" / "cpp" / f"{name}.j2").read_text("utf-8")
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["xml"] = _xml
    return environment.from_string(template).render(context)


def _xml(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def identifier(name: str) -> str:
    """A member's name for a port, parameter or timer: the name itself where C++ allows it."""
    plain = re.sub(r"\W", "_", name)
    return f"{plain}_" if plain in _KEYWORDS | _TAKEN else plain


def _aliases(contract: Contract) -> dict[str, str]:
    """Short names for message classes, by type, where they are unambiguous."""
    types = interfaces(contract)
    short = [name.rpartition("/")[2] for name in types]
    members = {identifier(item.name) for item in _all_items(contract)}
    return {
        name: alias
        for name, alias in zip(types, short, strict=True)
        if short.count(alias) == 1 and alias not in _TAKEN | members | {contract.component}
    }


def _message(contract: Contract, type_name: str) -> str:
    """The class of a message, a request or a response, as it is called within the component."""
    whole = base(type_name) or type_name
    called = _aliases(contract).get(whole, cpp_class(whole))
    return called if whole == type_name else f"{called}::{type_name.rpartition('_')[2]}"


def _all_items(contract: Contract) -> Iterator[Any]:
    yield from (*contract.inputs, *contract.outputs, *contract.timers, *contract.parameters)


def _members(contract: Contract) -> Iterator[str]:
    """The declarations, in the order of the contract."""
    of = contract.component
    heard = _heard(contract)
    for port in contract.inputs:
        if port.name in heard:
            if port.name in listeners_of(contract):
                yield _declared("lockstep::TfListener", port.name)
            continue
        callback = f"&{of}::on_{port.name}"
        if (service := service_of(port)) is not None:
            given = [] if service[0] == port.name else [_string(service[0])]
            kind = f"Service<{_message(contract, service[1])}>"
            yield _declared(kind, port.name, callback, *given)
            continue
        yield _declared(f"Input<{_message(contract, port.type)}>", port.name, callback, *_qos(port))
    for port in contract.outputs:
        if service_of(port) is not None:
            continue
        yield _declared(f"Output<{_message(contract, port.type)}>", port.name, *_qos(port))
    for timer in contract.timers:
        yield _declared("Timer", timer.name, repr(timer.period_ns / 1e9), f"&{of}::on_{timer.name}")
    for parameter in contract.parameters:
        yield _declared(
            f"Parameter<{_parameter_type(parameter)}>",
            parameter.name,
            _literal(parameter.default, parameter.type),
            *_description(parameter),
        )


def _heard(contract: Contract) -> set[str]:
    """The inputs that listeners hear themselves."""
    return {f"{name}{end}" for name in listeners_of(contract) for end in ("", OF_STATIC)}


def _declared(kind: str, name: str, *rest: str) -> str:
    given = ", ".join(["this", _string(name), *rest])
    line = f"{kind} {identifier(name)}{{{given}}};"
    return line if len(line) <= _WIDTH else f"{kind} {identifier(name)}{{\n    {given}}};"


def _qos(port: PortContract) -> Iterator[str]:
    has_topic = port.topic != port.name
    if port.qos != QoS() or has_topic:
        if port.qos == SENSOR_DATA:
            yield "SENSOR_DATA"
        else:
            durability = "volatile_" if port.qos.durability == "volatile" else port.qos.durability
            yield (
                f"QoS{{lockstep::Reliability::{port.qos.reliability}, "
                f"lockstep::Durability::{durability}, {port.qos.depth}}}"
            )
    if has_topic:
        yield _string(port.topic)


def _description(parameter: ParameterContract) -> Iterator[str]:
    element = parameter.type.removesuffix("_array")
    yield _string(parameter.description)
    if parameter.minimum is not None:
        yield f"Minimum{{{_scalar(parameter.minimum, element)}}}"
    if parameter.maximum is not None:
        yield f"Maximum{{{_scalar(parameter.maximum, element)}}}"
    if parameter.read_only:
        yield "READ_ONLY"


def _parameter_type(parameter: ParameterContract) -> str:
    element = _TYPES[parameter.type.removesuffix("_array")]
    return f"std::vector<{element}>" if parameter.type.endswith("_array") else element


def _literal(value: Any, kind: str) -> str:
    element = kind.removesuffix("_array")
    if not kind.endswith("_array"):
        return _scalar(value, element)
    items = ", ".join(_scalar(item, element) for item in value)
    return f"std::vector<{_TYPES[element]}>{{{items}}}"


def _scalar(value: Any, kind: str) -> str:
    if kind == "bool":
        return "true" if value else "false"
    if kind == "string":
        return _string(value)
    if kind == "integer":
        if value == _MOST_NEGATIVE:
            return "std::numeric_limits<std::int64_t>::min()"
        return str(value) if abs(value) < 2**31 else f"std::int64_t{{{value}}}"
    if math.isnan(value):
        return "std::numeric_limits<double>::quiet_NaN()"
    if math.isinf(value):
        return f"{'-' if value < 0 else ''}std::numeric_limits<double>::infinity()"
    return repr(float(value))


def _string(text: str) -> str:
    """A string literal; what cannot be printed is escaped in octal, byte by byte."""
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    if letter.isprintable():
        return letter
    return "".join(f"\\{byte:03o}" for byte in letter.encode("utf-8", "surrogateescape"))


def _standard_headers(contract: Contract) -> set[str]:
    found = set()
    for parameter in contract.parameters:
        element = parameter.type.removesuffix("_array")
        found |= {_HEADERS[element]} if element in _HEADERS else set()
        found |= {"vector"} if parameter.type.endswith("_array") else set()
        values = json.dumps([parameter.default, parameter.minimum, parameter.maximum])
        if "Infinity" in values or "NaN" in values or str(_MOST_NEGATIVE) in values:
            found.add("limits")
    return found


def _callbacks(contract: Contract) -> Iterator[_Callback]:
    heard = _heard(contract)
    for port in contract.inputs:
        if port.name in heard:
            continue
        name, argument = f"on_{port.name}", f"const {_message(contract, port.type)} &"
        if (service := service_of(port)) is None:
            yield _Callback(name, argument)
        else:
            response = f"{service[1]}_Response"
            returns = _message(contract, response), cpp_class(response)
            yield _Callback(name, argument, "request", *returns)
    for timer in contract.timers:
        yield _Callback(f"on_{timer.name}")


def _hooks(subject: Subject) -> list[str]:
    """The optional methods that the reference has, if it is a component."""
    if subject.reference is None or subject.is_node:
        return []
    written = {name for base in subject.reference.__mro__[:-2] for name in vars(base)}
    return [name for name in ("on_start", "on_parameters_changed") if name in written]
