"""What a case rests on, as digests: what must be the same for its result, or for the run of its
reference, to be the same."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..bag.bag_files import bag_files
from ..verify.fingerprints import NOT_TRACKED, Fingerprint, digest, texts_in
from ..verify.model import Verification
from ..verify.plan import component_of
from ..version import __version__

_PACKAGE = Path(__file__).resolve().parent.parent
_LIBRARIES = ("numpy", "mcap", "zstandard")
_ENVIRONMENT = ("ROS_DISTRO", "RMW_IMPLEMENTATION", "AMENT_PREFIX_PATH", "LD_LIBRARY_PATH")


def digest_of_case(
    verification: Verification, implementation: str, parts: Mapping[str, Fingerprint]
) -> str:
    """What a verdict on an implementation rests on; empty where a part of it is not known.

    `parts` are what the implementations consist of on disk, by name.
    """
    names = (verification.reference, implementation)
    if any(name not in parts or _is_unknown(parts[name]) for name in names):
        return ""
    inputs = _inputs(verification, parts)
    if inputs is None:
        return ""
    return _digest(
        {
            **{name: parts[name].parts for name in names},
            "reference": verification.reference,
            "contract": verification.contract,
            "inputs": inputs,
            "compare": _data(verification.compare),
            "run": _data(verification.run),
            "tool": _tool(),
        }
    )


def digest_of_reference(verification: Verification, parts: Mapping[str, Fingerprint]) -> str | None:
    """What the runs of the reference rest on; None where they must be made anew, since something of
    it is not known or they need not be the same again."""
    reference = verification.reference
    if reference not in parts or _is_unknown(parts[reference]):
        return None
    if verification.run.mode == "live" and verification.implementations[reference].is_node:
        return None  # a black box, which may do something else at any time
    inputs = _inputs(verification, parts)
    if inputs is None:
        return None
    return _digest(
        {
            "reference": parts[reference].parts,
            "contract": verification.contract,
            "inputs": inputs,
            "silent": verification.compare.silent,
            "cause": verification.compare.any_align("cause"),
            "run": _data(verification.run),
            "tool": _tool(),
        }
    )


def _is_unknown(fingerprint: Fingerprint) -> bool:
    return fingerprint.stale is not None or NOT_TRACKED in fingerprint.parts


def _inputs(verification: Verification, parts: Mapping[str, Fingerprint]) -> Any:
    """The inputs with the digests of their files; None where these are not known."""
    declared = verification.inputs
    data = {**_data(declared), "bag": None}
    if declared.is_recorded:
        if isinstance(declared.bag, str):
            return None  # what is behind a URL may change at any time
        files, _ = bag_files(declared.bag)
        return {**data, "files": [_of_file(name) for name in files]}
    if declared.sample is None:
        return None  # what an external player sends
    source = component_of(verification)
    teller = next(
        (n for n, one in verification.implementations.items() if one.component == source), None
    )
    if source is not None and (teller is None or teller not in parts):
        return None
    files = [word for word in texts_in(data["sample"]) if _is_file(verification, word)]
    named = {word: _of_file(str(verification.folder / word)) for word in files}
    return {**data, "distributions": teller and parts[teller].parts, "files": named}


def _is_file(verification: Verification, word: str) -> bool:
    return bool(word) and len(word) < 250 and (verification.folder / word).is_file()


def _data(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.model_dump(mode="json", exclude_defaults=True)
    return found


def _of_file(name: str) -> str:
    known = os.stat(name)
    return _digest_of_file(name, known.st_size, known.st_mtime_ns, known.st_ino)


@lru_cache(maxsize=4096)
def _digest_of_file(name: str, size: int, mtime_ns: int, inode: int) -> str:
    """Read once as long as it stays as it is."""
    return digest(Path(name))


@lru_cache(maxsize=1)
def own_digest() -> str:
    """Of the sources of this library, which may be edited."""
    own = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        own.update(path.read_bytes())
    return own.hexdigest()


@lru_cache(maxsize=1)
def _tool() -> dict[str, Any]:
    """The versions of what runs and compares."""
    return {
        "lockstep": [__version__, own_digest()],
        "python": sys.version,
        "machine": platform.machine(),
        **{name: importlib.metadata.version(name) for name in _LIBRARIES},
        **{name: os.environ.get(name) for name in _ENVIRONMENT},
    }


def _digest(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
