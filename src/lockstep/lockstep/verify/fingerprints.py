"""What an implementation and a dataset consist of on disk, as SHA-256 digests: sources, binaries,
models, recordings."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
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
from .programs import program_files

_NAME = re.compile(r"<name>\s*([\w-]+)\s*</name>")
_BUILT_OF = b"lockstep-sources\n"  # as lockstep_add_component writes it
_DIGEST_OF = re.compile(r"([0-9a-f]{64}) (.+)")
_PIECE_BYTES = 1 << 20
NOT_TRACKED = "not_tracked"


def fingerprint(name: str, verification: Verification, file: Path) -> dict[str, Any]:
    """What one implementation of a verify.yaml consists of: `sources`, `binary` and `models`,
    digests by path; NOT_TRACKED stands for a command whose program is unknown.

    Sources are those of its package, tests and documentation left out; models are the files that
    its parameters or its command line name. Raises UsageError where nothing of it can be found.
    """
    implementation = verification.implementations[name]
    parameters = {**verification.parameters, **implementation.parameters}
    found: dict[str, Any] = {
        key: value
        for key, value in implementation.model_dump(exclude_defaults=True).items()
        if key != "parameters"
    }
    found["parameters"] = parameters
    folder = _source_folder(name, implementation, file)
    if folder is not None:
        root = folder if folder.is_dir() else folder.parent
        found["sources"] = {str(p.relative_to(root)): digest(p) for p in _sources(folder)}
    binary = program_files(name, implementation)
    if binary:
        found["binary"] = {word: digest(path) for word, path in binary.items()}
    if binary is None:
        found[NOT_TRACKED] = True
    models = {word: digest(path) for word, path in _models(implementation, parameters, file)}
    if models:
        found["models"] = models
    if not (folder or found.keys() & {"binary", "models", NOT_TRACKED}):
        raise UsageError(f"{name}: neither sources nor a program of it are found to record")
    return found


def dataset(verification: Verification, file: Path) -> dict[str, Any]:
    """What the inputs of a verify.yaml are: the section as it is written, and the digests of the
    files it names."""
    inputs = verification.inputs
    data = yaml.safe_load(file.read_text("utf-8"))["inputs"]
    named = _words(data["sample"]) if inputs.sample is not None else [str(data["bag"])]
    files: dict[str, str] = {}
    for word in named:
        if word and not is_url(word):
            files |= _digests(word, file.resolve().parent)
    return {**data, "files": files}


def _words(data: Any) -> Iterator[str]:
    """The texts in some data."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, (dict, list)):
        for value in data.values() if isinstance(data, dict) else data:
            yield from _words(value)


def _digests(word: str, folder: Path) -> dict[str, str]:
    """The digests of a bag, or of the files of a pattern, by path; none where a word is neither."""
    path = folder / word
    if path.is_dir():
        return {str(p.relative_to(path)): digest(p) for p in sorted(path.rglob("*")) if p.is_file()}
    return {Path(name).name: digest(Path(name)) for name in sorted(glob.glob(str(path)))}


def not_of_its_sources(name: str, implementation: Implementation, file: Path) -> str | None:
    """Why what runs as an implementation of a verify.yaml is not known to be what its sources are,
    as a phrase; None if it is, or if there are no sources.

    An installed Python package is what its ROS package in the workspace is. A program tells of
    which sources it was built (lockstep_add_component), or is one of them itself.
    """
    if implementation.component is not None:
        edited = sorted(_not_installed(implementation.component, file))
        return (
            f"{implementation.component} is installed and its sources have changed since "
            f"({some(edited)}); build it again"
            if edited
            else None
        )
    folder = _source_folder(name, implementation, file)
    if implementation.executable is None or folder is None:
        return None
    sources = {str(path.relative_to(folder)): digest(path) for path in _sources(folder)}
    program, *others = (program_files(name, implementation) or {}).values()
    built_of: dict[str, str] = {}
    for path in (program, *others):
        built_of |= _built_of(path)
    if not built_of:
        if all(digest(path) in sources.values() for path in others or [program]):
            return None
        return (
            f"it does not tell of which sources {implementation.executable} was built; build it "
            "with the lockstep_add_component of this version"
        )
    names = sorted(
        one for one in sources.keys() | built_of.keys() if sources.get(one) != built_of.get(one)
    )
    if not names:
        return None
    return (
        f"the sources of {implementation.executable} have changed since it was built "
        f"({some(names)}); build it again"
    )


def some(names: Sequence[str]) -> str:
    """The first of some names, and how many there are more."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _not_installed(target: str, file: Path) -> Iterator[str]:
    """The files of a Python package that are not in its installed copy as in its source tree."""
    package = target.partition(":")[0].partition(".")[0]
    installed, tree = _python_folder(target), _package_above(package, file)
    if installed is None or tree is None:
        return
    source = tree / package
    if installed.is_file() or not (source / "__init__.py").is_file() or source.samefile(installed):
        return
    for path in package_files(source):
        word = path.relative_to(source)
        ran = installed / word
        # Which other files are installed is a matter of the package's setup.py.
        if digest(ran) != digest(path) if ran.is_file() else path.suffix == ".py":
            yield str(Path(package) / word)
    for path in package_files(installed):
        word = path.relative_to(installed)
        if path.suffix == ".py" and not (source / word).is_file():
            yield str(Path(package) / word)


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


def source_files(name: str, implementation: Implementation, file: Path) -> list[Path]:
    """The sources of an implementation of a verify.yaml; none where they are not found."""
    folder = _source_folder(name, implementation, file)
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


def _source_folder(name: str, implementation: Implementation, file: Path) -> Path | None:
    if implementation.component is not None:
        return _python_folder(implementation.component)
    if implementation.executable is None:
        return None
    package = implementation.executable.partition("/")[0]
    for prefix in _prefixes():
        manifest = prefix / "share" / package / "package.xml"
        if manifest.is_symlink():  # colcon build --symlink-install
            return manifest.resolve().parent
    return _package_above(package, file)


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


def _package_above(package: str, file: Path) -> Path | None:
    """The folder of a ROS package in the workspace that a verify.yaml is in: the nearest folder
    with src or .git."""
    for folder in file.resolve().parents:
        if (folder / "src").is_dir() or (folder / ".git").exists():
            for place, folders, names in os.walk(folder):
                folders[:] = [f for f in folders if f not in NO_SOURCES and not f.startswith(".")]
                if "package.xml" in names:
                    text = Path(place, "package.xml").read_text("utf-8", "replace")
                    name = _NAME.search(text)
                    if name and name[1] == package:
                        return Path(place)
            if (folder / ".git").exists():
                return None
    return None


def _sources(folder: Path) -> Iterator[Path]:
    yield from (module_files if folder.is_file() else package_files)(folder)


def _models(
    implementation: Implementation, parameters: dict[str, Any], file: Path
) -> Iterator[tuple[str, Path]]:
    """Files that a parameter or the command line names, relative to the current folder or to the
    verify.yaml."""
    words = [value for value in parameters.values() if isinstance(value, str)]
    words += (implementation.command or [])[1:]
    for word in words:
        for place in (Path(), file.resolve().parent):
            path = place / word
            if word and path.is_file():
                yield word, path
                break
