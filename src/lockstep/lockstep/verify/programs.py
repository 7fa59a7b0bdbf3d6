"""What a program consists of on disk: the executable, the libraries of its workspace, or the Python
modules behind an entry point."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib.machinery import PathFinder
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ..run.implementation import alone, find_executable
from ..run.model import Implementation
from .module_files import module_files, package_files

_LINKED = re.compile(r"^\s*(?:\S+ => )?(/\S+) \(0x", re.MULTILINE)
_PYTHON = re.compile(r"python[\d.]*$")
_PYTHON_LINE = re.compile(rb"#!.*python[\d.]*\s")
_ENTRY_POINT = re.compile(
    r"load_entry_point\(\s*'([\w.-]+)(?:==[^']*)?',\s*'console_scripts',\s*'([^']+)'\)"
)
_IMPORTED_ENTRY = re.compile(r"^from ([\w.]+) import \w+$", re.MULTILINE)
_SYSTEM = ("bin", "sbin", "usr", "lib", "lib64")
_PATIENCE_S = 10

Files = dict[str, Path]
"""By what a record calls them."""


def program_files(name: str, implementation: Implementation) -> Files | None:
    """The files of a program; none of a Python component, None if what a command or a launch file
    runs is unknown.

    Known is what `ros2 run`, a path or `python3 FILE|-m MODULE` starts, unless it is a tool of the
    system, as a shell is, that starts something else.
    """
    if implementation.component is not None:
        return {}
    if implementation.executable is not None:
        program = find_executable(name, implementation.executable)
        return _files(program, ()) or {program.name: program.resolve()}
    if implementation.launch is not None:
        return None  # it may start anything
    if implementation.nodes is not None:
        return _of_all(program_files(name, alone(one)) for one in implementation.nodes)
    if implementation.node is not None:
        return _started_by_python(("-m", implementation.node.partition(":")[0]))
    assert implementation.command is not None
    first, *rest = implementation.command
    if first == "ros2":
        if rest[:1] != ["run"] or len(rest) < 3 or rest[1].startswith("-"):
            return None
        return _files(find_executable(name, f"{rest[1]}/{rest[2]}"), rest[3:])
    found = shutil.which(first)
    return _files(Path(found), rest) if found else None


def _of_all(programs: Iterable[Files | None]) -> Files | None:
    """The files of several programs; of two of one name, the later ones by number."""
    found: Files = {}
    for number, files in enumerate(programs, 1):
        if files is None:
            return None
        for name, path in files.items():
            found[name if found.get(name, path) == path else f"{number}/{name}"] = path
    return found


def _files(program: Path, arguments: Sequence[str]) -> Files | None:
    with program.open("rb") as stream:
        head = stream.readline(200)
    if not head.startswith(b"\x7fELF"):
        return _script(program.resolve()) if _PYTHON_LINE.match(head) else None
    if _PYTHON.match(program.name):
        return _started_by_python(arguments)
    if program.resolve().parts[1] in _SYSTEM:
        return None
    libraries = {path.name: path.resolve() for path in _libraries(program)}
    return {program.name: program.resolve(), **libraries}


def _started_by_python(arguments: Sequence[str]) -> Files | None:
    first, *rest = (*arguments, "")
    if first == "-m":
        return _modules([rest[0].partition(".")[0]])
    path = Path(first)
    return _script(path.resolve()) if path.is_file() else None


def _script(script: Path) -> Files | None:
    """A script with the modules beside it that it imports, or a wrapper with those of its
    distribution."""
    text = script.read_text("utf-8", "replace")
    if (found := _ENTRY_POINT.search(text)) is not None:
        return _of_entry_point(script, found[1], found[2])
    if "sys.exit(" in text and len(imported := _IMPORTED_ENTRY.findall(text)) == 1:
        behind = _modules([imported[0].partition(".")[0]])  # as pip writes a wrapper
        return None if behind is None else {script.name: script, **behind}
    return {str(path.relative_to(script.parent)): path for path in module_files(script)}


def _of_entry_point(script: Path, name: str, entry: str) -> Files | None:
    try:
        behind = distribution(name)
    except PackageNotFoundError:
        return None
    points = [
        one.module
        for one in behind.entry_points
        if (one.group, one.name) == ("console_scripts", entry)
    ]
    tops = (behind.read_text("top_level.txt") or "").split()
    modules = _modules(sorted({*(module.partition(".")[0] for module in points), *tops}))
    return {script.name: script, **modules} if points and modules else None


def _modules(names: Sequence[str]) -> Files | None:
    """The files of top-level modules; None if one is not found."""
    found: Files = {}
    for name in names:
        spec = PathFinder.find_spec(name, [os.getcwd(), *sys.path])
        if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
            return None
        origin = Path(spec.origin).resolve()
        is_package = spec.submodule_search_locations is not None
        paths = package_files(origin.parent) if is_package else module_files(origin)
        root = origin.parent.parent if is_package else origin.parent
        found |= {str(path.relative_to(root)): path for path in paths}
    return found


def _libraries(program: Path) -> Iterator[Path]:
    """The shared libraries of the workspace that a program is of."""
    folders = tuple(os.path.join(folder, "") for folder in _workspace(program))
    known = program.stat()
    search = os.environ.get("LD_LIBRARY_PATH", "")
    linked = _linked(str(program), known.st_mtime_ns, known.st_size, search)
    paths = [os.path.normpath(name) for name in linked]
    real_folders = {place: os.path.realpath(place) for place in map(os.path.dirname, paths)}
    for path in paths:
        real = os.path.join(real_folders[os.path.dirname(path)], os.path.basename(path))
        real = os.path.realpath(real) if os.path.islink(real) else real
        if path.startswith(folders) or real.startswith(folders):
            yield Path(path)


@lru_cache
def _linked(program: str, mtime_ns: int, size: int, search: str) -> list[str]:
    """The libraries that a program is linked with, where a search finds them; asked once of a
    program that stays as it is."""
    try:
        linked = subprocess.run(
            ["ldd", program], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return []  # no linker: the program itself is all there is
    return sorted(_LINKED.findall(linked))


def _workspace(program: Path) -> list[Path]:
    """The folders of what was built together with a program; none where ROS itself is installed."""
    program = program.absolute()
    for folder in program.parents:
        if (folder / ".colcon_install_layout").exists():
            return [folder, folder.parent / "build"]
        if (folder / ".built_by").exists():  # colcon's build folder
            return [folder, folder.parent / "install"]
    is_installed = program.parent.parent.name == "lib"
    prefix = program.parent.parent.parent if is_installed else program.parent
    return [] if (prefix / "share" / "rcl").is_dir() else [prefix.resolve(), prefix]
