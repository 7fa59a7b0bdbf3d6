"""What an implementation and a dataset consist of on disk, as SHA-256 digests: sources, binaries,
models, recordings."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from ..bag.url import is_url
from ..errors import UsageError
from ..run.model import Implementation
from .model import Verification
from .module_files import NO_SOURCES, module_files, package_files
from .programs import Files, program_files

_NAME = re.compile(r"<name>\s*([\w-]+)\s*</name>")
_BUILT_OF = b"lockstep-sources\n"  # as lockstep_add_component writes it
_DIGEST_OF = re.compile(r"([0-9a-f]{64}) (.+)")
_PIECE_BYTES = 1 << 20
NOT_TRACKED = "not_tracked"


@dataclass(frozen=True)
class Fingerprint:
    """What one implementation of a verify.yaml consists of on disk.

    `parts` are its `sources`, `binary` and `models`, digests by path, and how it is declared;
    NOT_TRACKED stands for a command whose program is unknown. `stale` says, as a phrase, why what
    runs is not known to be what its sources are; None if it is, or if there are no sources.
    """

    parts: Mapping[str, Any]
    stale: str | None


def fingerprint(name: str, verification: Verification) -> Fingerprint:
    """Look at one implementation of a verify.yaml.

    Sources are those of its package, tests and documentation left out; models are the files that
    its parameters or its command line name. Raises UsageError where nothing of it can be found.
    """
    implementation, place = verification.implementations[name], verification.folder
    parameters = {**verification.parameters, **implementation.parameters}
    found: dict[str, Any] = {
        key: value
        for key, value in implementation.model_dump(exclude_defaults=True).items()
        if key != "parameters"
    }
    found["parameters"] = parameters
    folder = source_folder(implementation, place)
    sources: dict[str, str] = {}
    if folder is not None:
        root = folder if folder.is_dir() else folder.parent
        found["sources"] = sources = {
            str(path.relative_to(root)): digest(path) for path in _sources(folder)
        }
    program = program_files(name, implementation)
    binary = {word: digest(path) for word, path in (program or {}).items()}
    if binary:
        found["binary"] = binary
    if program is None:
        found[NOT_TRACKED] = True
    models = {word: digest(path) for word, path in _models(implementation, parameters, place)}
    if models:
        found["models"] = models
    if not (folder or found.keys() & {"binary", "models", NOT_TRACKED}):
        raise UsageError(f"{name}: neither sources nor a program of it are found to record")
    stale = None
    if folder is not None and implementation.component is not None:
        stale = _not_what_is_installed(implementation.component, folder, sources, place)
    elif folder is not None and implementation.executable is not None:
        stale = _not_what_was_built(
            implementation.executable, sources, program or {}, list(binary.values())
        )
    return Fingerprint(found, stale)


def dataset(verification: Verification, file: Path) -> dict[str, Any]:
    """What the inputs of a verify.yaml are: the section as it is written, and the digests of the
    files it names."""
    inputs = verification.inputs
    data = yaml.safe_load(file.read_text("utf-8"))["inputs"]
    named = [str(data["bag"])] if inputs.is_recorded else texts_in(data.get("sample"))
    files: dict[str, str] = {}
    for word in named:
        if word and not is_url(word):
            files |= _digests(word, file.resolve().parent)
    return {**data, "files": files}


def texts_in(data: Any) -> Iterator[str]:
    """The texts in some data, of which some may name files."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, (dict, list)):
        for value in data.values() if isinstance(data, dict) else data:
            yield from texts_in(value)


def _digests(word: str, folder: Path) -> dict[str, str]:
    """The digests of a bag, or of the files of a pattern, by path; none where a word is neither."""
    path = folder / word
    if path.is_dir():
        return {str(p.relative_to(path)): digest(p) for p in sorted(path.rglob("*")) if p.is_file()}
    return {Path(name).name: digest(Path(name)) for name in sorted(glob.glob(str(path)))}


def _not_what_is_installed(
    target: str, installed: Path, ran: Mapping[str, str], place: Path
) -> str | None:
    """Why an installed Python package is not what its ROS package in the workspace is."""
    edited = sorted(_edited(target.partition(":")[0].partition(".")[0], installed, ran, place))
    if not edited:
        return None
    return (
        f"{target} is installed and its sources have changed since ({some(edited)}); build it again"
    )


def _edited(package: str, installed: Path, ran: Mapping[str, str], place: Path) -> Iterator[str]:
    """The files of a Python package that are not in its installed copy, of which the digests are
    those that `ran`, as in its source tree."""
    tree = None if installed.is_file() else _package_above(package, place)
    if tree is None:
        return
    source = tree / package
    if not (source / "__init__.py").is_file() or source.samefile(installed):
        return
    for path in package_files(source):
        word = str(path.relative_to(source))
        # Which other files are installed is a matter of the package's setup.py.
        if ran[word] != digest(path) if word in ran else path.suffix == ".py":
            yield str(Path(package, word))
    for word in ran:
        if word.endswith(".py") and not (source / word).is_file():
            yield str(Path(package, word))


def _not_what_was_built(
    executable: str, sources: Mapping[str, str], program: Files, digests: Sequence[str]
) -> str | None:
    """Why a program is not known to be built of its sources: it tells of which it was built
    (lockstep_add_component), or is one of them itself."""
    built_of: dict[str, str] = {}
    for path in program.values():
        built_of |= _built_of(path)
    if not built_of:
        if all(one in sources.values() for one in digests[1:] or digests):
            return None
        return (
            f"it does not tell of which sources {executable} was built; build it with the "
            "lockstep_add_component of this version"
        )
    names = sorted(
        one for one in sources.keys() | built_of.keys() if sources.get(one) != built_of.get(one)
    )
    if not names:
        return None
    return (
        f"the sources of {executable} have changed since it was built ({some(names)}); build it "
        "again"
    )


def difference(key: str, before: Any, now: Any) -> str:
    """What of one part of a Fingerprint is not as it was: `its sources (filter.py)`."""
    if isinstance(now, dict) and isinstance(before, dict):
        names = sorted(n for n in now.keys() | before.keys() if now.get(n) != before.get(n))
        return f"its {key} ({some(names)})"
    return f"its {key}"


def some(names: Sequence[str]) -> str:
    """The first of some names, and how many there are more."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _built_of(binary: Path) -> dict[str, str]:
    """The digests of sources, by path, that a build has put into a program or library."""
    data = binary.read_bytes()
    start = data.find(_BUILT_OF)
    if start < 0:
        return {}
    start += len(_BUILT_OF)
    text = data[start : data.index(b"\0", start)].decode("utf-8", "replace")
    found = (_DIGEST_OF.fullmatch(line) for line in text.splitlines())
    return {match[2]: match[1] for match in found if match is not None}


def source_files(implementation: Implementation, place: Path) -> list[Path]:
    """The sources of an implementation of a verify.yaml in a folder; none where they are not
    found."""
    folder = source_folder(implementation, place)
    return list(_sources(folder)) if folder is not None else []


def digest(path: Path) -> str:
    """The SHA-256 of a file, read piece by piece; raises UsageError if it cannot be read."""
    try:
        with path.open("rb") as stream:
            found = hashlib.sha256()
            while piece := stream.read(_PIECE_BYTES):
                found.update(piece)
            return found.hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error


def source_folder(implementation: Implementation, place: Path) -> Path | None:
    """The folder of the sources of an implementation of a verify.yaml in a folder, or its module
    that stands alone; None where there are none."""
    if implementation.component is not None:
        return _python_folder(implementation.component)
    if implementation.executable is None:
        return None
    package = implementation.executable.partition("/")[0]
    for prefix in _prefixes():
        manifest = prefix / "share" / package / "package.xml"
        if manifest.is_symlink():  # colcon build --symlink-install
            return manifest.resolve().parent
    return _package_above(package, place)


def _prefixes() -> Iterator[Path]:
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix:
            yield Path(prefix)


def _python_folder(target: str) -> Path | None:
    """The folder of a Python package, or the file of a module that stands alone; also of the
    current folder."""
    package = target.partition(":")[0].partition(".")[0]
    found = PathFinder.find_spec(package, [os.getcwd(), *sys.path]) or find_spec(package)
    if found is None or found.origin is None:
        return None
    origin = Path(found.origin).resolve()
    return origin.parent if found.submodule_search_locations else origin


def _package_above(package: str, place: Path) -> Path | None:
    """The folder of a ROS package in the workspace that a folder is in: the nearest folder with
    src or .git."""
    inner = place.resolve()
    for folder in (inner, *inner.parents):
        if (folder / "src").is_dir() or (folder / ".git").exists():
            for path, folders, names in os.walk(folder):
                folders[:] = [f for f in folders if f not in NO_SOURCES and not f.startswith(".")]
                if "package.xml" in names:
                    text = Path(path, "package.xml").read_text("utf-8", "replace")
                    name = _NAME.search(text)
                    if name and name[1] == package:
                        return Path(path)
            if (folder / ".git").exists():
                return None
    return None


def _sources(folder: Path) -> Iterator[Path]:
    yield from (module_files if folder.is_file() else package_files)(folder)


def _models(
    implementation: Implementation, parameters: dict[str, Any], folder: Path
) -> Iterator[tuple[str, Path]]:
    """Files that a parameter or the command line names, relative to the current folder or to that
    of the verify.yaml."""
    words = [value for value in parameters.values() if isinstance(value, str)]
    words += (implementation.command or [])[1:] + (implementation.launch or [])
    for one in implementation.nodes or ():
        words += [*(one.command or [])[1:], *one.arguments]
    for word in words:
        for place in (Path(), folder.resolve()):
            path = place / word
            if word and path.is_file():
                yield word, path
                break
