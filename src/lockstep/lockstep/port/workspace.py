"""What belongs to a component, or a class of ordinary nodes, on disk: its package, the verify.yaml
that has it as reference, its unit tests."""

from __future__ import annotations

import ast
import os
from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import yaml

from ..component import component_of
from ..component.excerpt import ModuleText, used
from ..component.source import origin_of, source_of
from ..errors import PortError, UsageError
from ..host.python_component import is_node_class, named_here, node_name
from ..verify.model import Verification
from ..verify.model import load as load_verification

_NOT_SEARCHED = {"build", "install", "log", "node_modules", "__pycache__"}


_BESIDE_A_MODULE = {"test", "tests", "verify"}
"""Where to look beside a module that is in no ROS package, and so perhaps among all that somebody
has."""


def package_folder(component: type[Any]) -> Path:
    """The folder of the ROS package that the source is in, or else the folder of the source."""
    file = source_of(component).files[0].resolve()
    for folder in file.parents:
        if (folder / "package.xml").is_file():
            return folder
    return file.parent


def package_folders(component: type[Any]) -> list[Path]:
    """The package folder, and, of a package that is installed without its sources, the folder in
    share that its package.xml and data files were installed to."""
    folder = package_folder(component)
    if (folder / "package.xml").is_file():
        return [folder]
    package = origin_of(component).__module__.partition(".")[0]
    shares = (parent / "share" / package for parent in folder.parents)
    return [folder, *(share for share in shares if (share / "package.xml").is_file())]


def find_verification(component: type[Any]) -> Path | None:
    """The verify.yaml in the component's package whose reference is the component; that of its own
    name first."""
    own_name = node_name(component.__name__)
    found = [
        file
        for folder in package_folders(component)
        for file in _files(folder, (".yaml", ".yml"))
        if _reference(file) is component
    ]
    return min(found, key=lambda file: (file.stem != own_name, str(file)), default=None)


def _reference(file: Path) -> type[Any] | None:
    """The component or class of nodes that a verify.yaml has as reference; nothing of any other
    file."""
    try:
        data = yaml.safe_load(file.read_text("utf-8"))
        one = data["implementations"][data["reference"]]
        return class_of(one["node"] if "node" in one else one["component"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError, AttributeError, UsageError):
        return None  # one of the many other files that end so


def class_of(target: str) -> type[Any]:
    """The component or class of nodes named MODULE:NAME; raises UsageError if it is neither."""
    found = named_here(target)
    cls = found if is_node_class(found) else component_of(found)
    if cls is None:
        raise UsageError(
            f"'{target}' is neither a component nor a class of rclpy nodes; give MODULE:CLASS"
        )
    return cls


def verification_of(component: type[Any], file: Path) -> Verification:
    """Read a verify.yaml; raises UsageError unless the component is its reference."""
    verification = load_verification(file)
    reference = verification.implementations[verification.reference]
    target = reference.component or reference.node
    if target is None or class_of(target) is not component:
        raise PortError(
            f"the reference of {file} is not {component.__name__}; give another file with --verify"
        )
    return verification


def unit_tests(component: type[Any], verification: Path | None) -> dict[Path, str]:
    """The test functions of a component with what they use of their module, by file.

    They are those that name it, or that are marked with the verify.yaml that has it as reference.
    """
    name = origin_of(component).__name__
    found = {}
    files = [_files(folder, (".py",)) for folder in package_folders(component)]
    for file in chain.from_iterable(files):
        if not (file.name.startswith("test_") or file.name.endswith("_test.py")):
            continue
        try:
            module = ModuleText(file.stem, str(file), file.read_text("utf-8"))
        except (OSError, ValueError, SyntaxError):
            continue  # no test that could run
        tests = [test for test, statement in module.bindings.items() if _is_test(test, statement)]
        marks = module.needed(["pytestmark"])
        if _is_marked(module, marks, verification):
            roots = [*tests, *marks]
        else:
            roots = [
                test
                for test in tests
                if name in used(module.bindings[test]) or _is_marked(module, [test], verification)
            ]
        if roots:
            found[file] = module.excerpt(module.needed(roots))
    return found


def _is_test(name: str, statement: ast.stmt) -> bool:
    if isinstance(statement, ast.ClassDef):
        return name.startswith("Test")
    return name.startswith("test_") and isinstance(statement, ast.FunctionDef)


def _is_marked(module: ModuleText, names: Iterable[str], verification: Path | None) -> bool:
    """Whether one of these definitions has the mark `lockstep` with this verify.yaml."""
    if verification is None:
        return False
    for name in names:
        for node in ast.walk(module.bindings[name]):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).endswith("mark.lockstep")
                and node.args
                and isinstance(node.args[0], ast.Constant)
                and _is_same(Path(module.file).parent / str(node.args[0].value), verification)
            ):
                return True
    return False


def _is_same(file: Path, other: Path) -> bool:
    return file.resolve() == other.resolve()


def _files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """The files of a package, or, beside a module that is in none, of the folders where tests are
    kept."""
    is_package = (folder / "package.xml").is_file()
    return files_below(folder, suffixes, None if is_package else _BESIDE_A_MODULE)


def files_below(
    folder: Path, suffixes: tuple[str, ...], only: Collection[str] | None = None
) -> Iterator[Path]:
    """The files with these endings, in order; of results of builds and of hidden folders none, and
    of `only` these folders."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if name not in _NOT_SEARCHED
            and not name.startswith(".")
            and (only is None or name in only)
        )
        yield from (Path(place, name) for name in sorted(names) if name.endswith(suffixes))
