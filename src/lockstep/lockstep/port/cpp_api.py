"""The documented API of the C++ component library, read from its installed headers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import PortError

_HEADERS = (
    "component",
    "port",
    "service",
    "parameter",
    "timer",
    "tf_listener",
    "transforms",
    "time",
    "logger",
    "qos",
    "registration",
)
_FOR_COMPONENTS = re.compile(
    r"class Component$|class Input : |class Output : |class Service : |class Parameter : |"
    r"class Timer$|class TfListener$|class TransformError : |class Logger$|struct QoS$|"
    r"enum class (Reliability|Durability)$|struct (Minimum|Maximum) : "
)
"""The types that the author of a component writes; the others are for hosts."""
_ACCESS = re.compile(r"(public|protected|private):")
_HIDDEN = re.compile(r"delete|override|friend|static_assert|^using \w+::")
_TYPE = re.compile(r"(?:template <[^>]*>\s*)?(?:class|struct|enum class)\s")
_OF_HOSTS = re.compile(
    r"[Hh]osts? (set|writ)|default_value\(|set\(|receive|call\(|fire\(|connect\(|period_ns|Sink|"
    r"Port \*|ParameterBase \*|Timer \*|ParameterLimits|ParameterValue|~\w+\(|= default|"
    r"registered_|Factory|unqualified|snake_case|make_|to_string|range_text"
)


def headers() -> dict[str, str]:
    """The texts of the headers by name; raises PortError if the library is not installed."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        folder = Path(prefix, "include", "lockstep_cpp", "lockstep")
        if prefix and folder.is_dir():
            return {name: (folder / f"{name}.hpp").read_text("utf-8") for name in _HEADERS}
    raise PortError(
        "the package lockstep_cpp is not found, whose headers document the target; build it and "
        "source the workspace"
    )


def build_help() -> str:
    """What the CMake function of components says of itself."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        file = Path(prefix, "share", "lockstep_cpp", "cmake", "lockstep_add_component.cmake")
        if prefix and file.is_file():
            lines = file.read_text("utf-8").splitlines()
            comment = []
            for line in lines:
                if not line.startswith("#"):
                    break
                comment.append(line)
            return "\n".join(comment)
    raise PortError(
        "the package lockstep_cpp is not found, which builds components; build it and source the "
        "workspace"
    )


def documented_api(brief: bool = False) -> str:
    """The public declarations that components use, with their comments; without the comments if
    `brief`."""
    parts = []
    for name, text in headers().items():
        declared = "\n".join(_declarations(text))
        if brief:
            declared = re.sub(r"^\s*///.*\n", "", declared, flags=re.MULTILINE)
        if declared.strip():
            parts.append(f"// lockstep/{name}.hpp\n{declared}")
    return "\n\n".join(parts)


def _declarations(text: str) -> Iterator[str]:
    """What a header declares in its namespace for components, and its macros."""
    for macro in re.finditer(r"((?:^///.*\n)+)^#define (\w+\([^)]*\))", text, re.MULTILINE):
        yield f"{macro[1]}{macro[2]}"
    inside = re.search(
        r"^namespace lockstep\n\{\n(.*)^\}  // namespace lockstep", text, re.DOTALL | re.MULTILINE
    )
    for comment, head, body in _pieces(inside[1] if inside else ""):
        is_type = _TYPE.match(head) is not None
        first = re.sub(r"^template <[^>]*>\s*", "", head).strip()
        if is_type and body is not None and _FOR_COMPONENTS.match(first):
            members = list(
                _members(
                    body, is_enum=first.startswith("enum"), is_struct=first.startswith("struct")
                )
            )
            yield f"{comment}{head.strip()}\n{{\n" + "\n".join(members) + "\n};"
        elif not is_type and comment and not _OF_HOSTS.search(comment + head):
            yield f"{comment}{_signature(head)}"


def _members(body: str, *, is_enum: bool, is_struct: bool) -> Iterator[str]:
    """The members that are public, or protected and so for derived classes."""
    if is_enum:
        yield "\n".join(line for line in body.splitlines() if line.strip())
        return
    visible = is_struct
    for comment, head, _ in _pieces(body):
        plain = head.strip()
        if access := _ACCESS.fullmatch(plain):
            visible = access[1] != "private"
        elif visible and not _HIDDEN.search(plain):
            signature = _signature(plain)
            if not _OF_HOSTS.search(comment + signature):
                yield from (f"  {line.strip()}" for line in comment.splitlines())
                yield f"  {signature}"


def _signature(head: str) -> str:
    """A declaration without its initialiser list, on one line."""
    flat = " ".join(line for line in head.split("\n") if not line.strip().startswith("//"))
    flat = re.sub(r"\s+", " ", flat).strip().rstrip(";")
    depth = 0
    for at, letter in enumerate(flat):
        depth += (letter in "(<") - (letter in ")>")
        if letter == ":" and depth == 0 and flat[at - 1] == " " and flat[at + 1] == " ":
            return f"{flat[:at].strip()};"
    return f"{flat};"


def _pieces(text: str) -> Iterator[tuple[str, str, str | None]]:
    """The declarations of one scope: the comment above, the text up to `;` or the body, and the
    body if it has one."""
    comment = ""
    at = 0
    while at < len(text):
        line_end = text.find("\n", at) + 1 or len(text)
        line = text[at:line_end]
        if line.strip().startswith("///"):
            comment += line
            at = line_end
            continue
        if not line.strip() or line.strip().startswith("//"):
            comment = "" if not line.strip() else comment
            at = line_end
            continue
        if _ACCESS.fullmatch(line.strip()):
            yield "", line, None
            at = line_end
            continue
        end, body = _statement(text, at)
        head = text[at:end] if body is None else text[at : body[0]]
        yield comment, head, None if body is None else text[body[0] + 1 : body[1]]
        comment = ""
        at = end
        if re.match(r"\s*;?[ \t]*(//[^\n]*)?\n", text[at:]):
            at = text.find("\n", at) + 1


def _statement(text: str, at: int) -> tuple[int, tuple[int, int] | None]:
    """Where a declaration ends, and its body in braces if it is a type or a function."""
    depth = 0
    for index in range(at, len(text)):
        letter = text[index]
        depth += (letter == "(") - (letter == ")")
        if depth:
            continue
        if letter == ";":
            return index + 1, None
        if letter == "{" and _opens_body(text[at:index]):
            close = _matching(text, index)
            return close + 1, (index, close)
    return len(text), None


def _opens_body(head: str) -> bool:
    """Whether a brace after `head` opens the body of a type or function, not an initialiser."""
    return bool(
        _TYPE.match(head.strip()) or re.search(r"[)]\s*(const|override|noexcept|\s)*$", head)
    )


def _matching(text: str, opening: int) -> int:
    depth = 0
    for index in range(opening, len(text)):
        depth += (text[index] == "{") - (text[index] == "}")
        if depth == 0:
            return index
    return len(text) - 1
