"""Where datasets are kept. A new backend is one file here and one row of BACKENDS."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...errors import DatasetError
from ..source import Backend
from .mcap import BagSource, McapBackend
from .memory import MemoryBackend
from .pickle import PickleBackend
from .reductstore import ReductStoreBackend


@dataclass(frozen=True)
class BackendKind:
    """How to create a dataset at a place and open one there; which places are its own by suffix or
    scheme."""

    name: str
    suffixes: tuple[str, ...]
    schemes: tuple[str, ...]
    create: Callable[[str], Backend]
    open: Callable[[str], Backend]


BACKENDS = (
    BackendKind("memory", (), (), lambda _: MemoryBackend(), lambda _: MemoryBackend()),
    BackendKind(
        "pickle",
        (".pkl", ".pickle"),
        (),
        lambda path: PickleBackend(path, writable=True),
        lambda path: PickleBackend(path, writable=False),
    ),
    BackendKind(
        "reductstore",
        (),
        ("reduct", "reducts"),
        lambda url: ReductStoreBackend(url, writable=True),
        lambda url: ReductStoreBackend(url, writable=False),
    ),
    BackendKind("mcap", (".mcap",), (), McapBackend, BagSource),
)
_BAG = BACKENDS[-1]


def create(backend: str, path: str | os.PathLike[str] | None) -> Backend:
    """A new, empty place for a dataset; `backend` is a name, or itself the place if there is no
    path."""
    kind = next((kind for kind in BACKENDS if kind.name == backend), None)
    if kind is None and path is not None:
        raise DatasetError(f"'{backend}' is no backend; use one of {', '.join(_names())}")
    if kind is None:
        path, kind = backend, kind_of_place(backend)
    if path is None and kind.name != "memory":
        raise DatasetError(
            f"the {kind.name} backend needs a place; write Dataset.create('{kind.name}', PATH)"
        )
    place = os.fspath(path) if path is not None else ""
    if "://" in place and kind.name in ("mcap", "pickle"):
        raise DatasetError(f"{place} cannot be written; save to a path on this machine")
    return kind.create(place)


def open_place(path: str | os.PathLike[str], backend: str | None = None) -> Backend:
    """A dataset that is there."""
    place = os.fspath(path)
    if backend is None:
        return kind_of_place(place).open(place)
    kind = next((kind for kind in BACKENDS if kind.name == backend), None)
    if kind is None or kind.name == "memory":
        raise DatasetError(f"'{backend}' loads nothing; use one of {', '.join(_names()[1:])}")
    return kind.open(place)


def kind_of_place(place: str) -> BackendKind:
    """The backend of a path or URL; what no other claims is a bag."""
    scheme = place.partition("://")[0] if "://" in place else ""
    for kind in BACKENDS:
        if scheme in kind.schemes or (not scheme and Path(place).suffix in kind.suffixes):
            return kind
    return _BAG


def is_bag(place: str) -> bool:
    """Whether a path or URL is that of a bag, as far as its name tells."""
    return kind_of_place(place) is _BAG


def _names() -> list[str]:
    return [kind.name for kind in BACKENDS]
