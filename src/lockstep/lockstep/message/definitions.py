"""Message definitions as bags embed them:
the .msg text of a type followed by those of every type it uses.

Format: the `ros2msg` schema encoding of the MCAP specification's well-known encodings.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from ..errors import BagError
from .primitives import SIZES, STRINGS
from .services import IMPLIED, base

_SEPARATOR = "=" * 80
_FIELD = re.compile(
    r"^\s*([a-zA-Z][\w/]*)(?:<=\d+)?(?:\[[^\]]*\])?\s+[a-zA-Z]\w*\s*(?P<constant>=)?"
)


def definition(type_name: str) -> str:
    """The definition of an installed type, with all it depends on."""
    if service := base(type_name):
        return _of_service(service)
    package, _, message = type_name.partition("/msg/")
    texts = {f"{package}/{message}": _installed(package, message, ".msg")}
    first, *rest = _with_dependencies(texts).items()
    return first[1] + "".join(f"\n{_SEPARATOR}\nMSG: {name}\n{text}" for name, text in rest)


def _of_service(name: str) -> str:
    """The definition of a service or action, as rosbag2 embeds it."""
    package, kind, file = name.split("/")
    text = _installed(package, file, f".{kind}")
    implied = "".join(f"{used} x\n" for used in IMPLIED)
    names = {name: text, package: implied}
    used = {
        one: body for one, body in _with_dependencies(names).items() if one not in (name, package)
    }
    return f"{_SEPARATOR}\n{kind.upper()}: {name}\n{text}" + "".join(
        f"\n{_SEPARATOR}\nMSG: {one}\n{body}" for one, body in used.items()
    )


def _with_dependencies(texts: dict[str, str]) -> dict[str, str]:
    """The texts by type, and those of all types that they use."""
    pending = list(texts)
    while pending:
        owner = pending.pop(0)
        for used in _dependencies(texts[owner], owner.partition("/")[0]):
            if used not in texts:
                package, _, message = used.partition("/")
                texts[used] = _installed(package, message, ".msg")
                pending.append(used)
    return texts


def type_hash(type_name: str) -> str:
    """The RIHS01 hash of an installed type."""
    package, folder, name = (base(type_name) or type_name).split("/")
    hashes = json.loads(_installed(package, name, ".json", folder))["type_hashes"]
    return str(next(row["hash_string"] for row in hashes if row["type_name"] == type_name))


def _installed(package: str, message: str, suffix: str, folder: str = "") -> str:
    folder = folder or (suffix[1:] if suffix in (".srv", ".action") else "msg")
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        path = Path(prefix, "share", package, folder, message + suffix)
        if prefix and path.is_file():
            return path.read_text("utf-8")
    raise BagError(
        f"no definition of {package}/{folder}/{message} on AMENT_PREFIX_PATH; "
        f"build or source the package '{package}'"
    )


def _dependencies(text: str, package: str) -> list[str]:
    found = []
    for line in text.splitlines():
        match = _FIELD.match(line.split("#", maxsplit=1)[0])
        if match and not match["constant"] and match[1] not in (*SIZES, *STRINGS):
            found.append(_qualified(match[1], package))
    return found


def _qualified(used: str, package: str) -> str:
    if used == "Header":
        return "std_msgs/Header"
    return used.replace("/msg/", "/") if "/" in used else f"{package}/{used}"
