"""What an implementation and a dataset consist of on disk, as SHA-256 digests: sources, binaries,
models, recordings."""

from __future__ import annotations

import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from ..bag.url import is_url
from ..errors import UsageError
from ..run.implementation import find_executable
from ..run.model import Implementation
from .model import Verification, is_verify_file
from .module_files import module_files

_NO_SOURCES = {"build", "install", "log", "test", "tests", "doc", "docs", "launch", "__pycache__"}
_NO_CODE = {".md", ".rst", ".pyc"}
_NO_CODE_NAMES = ("README", "CHANGELOG", "LICENSE")
_NAME = re.compile(r"<name>\s*([\w-]+)\s*</name>")
_LINKED = re.compile(r"=> (/\S+)")
_PATIENCE_S = 10
_BUILT_OF = b"lockstep-sources\n"  # as lockstep_add_component writes it
_DIGEST_OF = re.compile(r"([0-9a-f]{64}) (.+)")
_PIECE_BYTES = 1 << 20


def fingerprint(name: str, verification: Verification, file: Path) -> dict[str, Any]:
    """What one implementation of a verify.yaml consists of: `sources`, `binary` and `models`,
    digests by path.

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
    binary = _binary(name, implementation)
    if binary:
        found["binary"] = {path.name: digest(path) for path in binary}
    models = {word: digest(path) for word, path in _models(implementation, parameters, file)}
    if models:
        found["models"] = models
    if not (folder or binary or models):
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

    A Python component is what is imported. A program tells of which sources it was built
    (lockstep_add_component), or is one of them itself.
    """
    folder = _source_folder(name, implementation, file)
    if implementation.executable is None or folder is None:
        return None
    sources = {str(path.relative_to(folder)): digest(path) for path in _sources(folder)}
    program, *libraries = _binary(name, implementation)
    built_of: dict[str, str] = {}
    for path in (program, *libraries):
        built_of |= _built_of(path)
    if not built_of:
        if digest(program) in sources.values():
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
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"the sources of {implementation.executable} have changed since it was built "
        f"({', '.join(names[:3])}{more}); build it again"
    )


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
                folders[:] = [f for f in folders if f not in _NO_SOURCES and not f.startswith(".")]
                if "package.xml" in names:
                    text = Path(place, "package.xml").read_text("utf-8", "replace")
                    name = _NAME.search(text)
                    if name and name[1] == package:
                        return Path(place)
            if (folder / ".git").exists():
                return None
    return None


def _sources(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield from module_files(folder)
        return
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in _NO_SOURCES and not f.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            is_code = path.suffix not in _NO_CODE and not name.startswith((".", *_NO_CODE_NAMES))
            if is_code and path.is_file() and not is_verify_file(path):
                yield path


def _binary(name: str, implementation: Implementation) -> list[Path]:
    """The program, and the libraries of its own package."""
    if implementation.executable is not None:
        program = find_executable(name, implementation.executable)
        return [program.resolve(), *_own_libraries(program)]
    if implementation.command is not None:
        words = implementation.command
        if words[:2] == ["ros2", "run"] and len(words) > 3:
            return [find_executable(name, f"{words[2]}/{words[3]}").resolve()]
        found = shutil.which(words[0])
        return [Path(found).resolve()] if found else []
    return []


def _own_libraries(program: Path) -> list[Path]:
    prefix = program.parent.parent.parent.resolve()
    try:
        linked = subprocess.run(
            ["ldd", str(program)], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []  # a script, or no linker: the program itself is all there is
    found = sorted(Path(path) for path in _LINKED.findall(linked))
    return [path.resolve() for path in found if prefix in Path(os.path.normpath(path)).parents]


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
