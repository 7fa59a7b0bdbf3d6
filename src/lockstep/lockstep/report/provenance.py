"""Which files and which versions a report is about, so that it can be told apart from any other."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from contextlib import suppress
from functools import lru_cache
from typing import Any

from ..bag import Bag
from ..version import __version__

_MOST_BYTES = 2 << 30
"""Of larger bags the hash would take longer than the rest of the report."""
_PART = 1 << 20
_LIBRARIES = ("numpy", "mcap", "rosbags", "plotly")


def bag_files(bag: Bag) -> list[dict[str, Any]]:
    """Name, size in bytes and SHA-256 of each file of a bag.

    Null for what is not on this machine or too large.
    """
    local = [str(name) for name in bag.files if os.path.isfile(name)]
    small = sum(os.path.getsize(name) for name in local) <= _MOST_BYTES
    return [
        {
            "name": os.path.basename(str(name)),
            "bytes": os.path.getsize(name) if str(name) in local else None,
            "sha256": _sha256(str(name)) if small and str(name) in local else None,
        }
        for name in bag.files
    ]


def versions() -> dict[str, str]:
    """Versions of what made the report."""
    found = {"lockstep": __version__, "Python": platform.python_version(), **_libraries()}
    return found | {"machine": f"{platform.system()} {platform.machine()}"}


@lru_cache(maxsize=1)
def _libraries() -> dict[str, str]:
    """The versions of those that are installed, which are long to find and do not change."""
    found = {}
    for name in _LIBRARIES:
        with suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def _sha256(name: str) -> str:
    digest = hashlib.sha256()
    with open(name, "rb") as file:
        while part := file.read(_PART):
            digest.update(part)
    return digest.hexdigest()
