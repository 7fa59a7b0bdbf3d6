"""The files of a package's folder that make a program what it is; those of a Python module that is
in no package: modules beside it that it imports, and files that it names."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from pathlib import Path

from .model import is_verify_file

# What is no source is known to C++ builds, too: lockstep_cpp/cmake/digest_sources.cmake.
NO_SOURCES = {"build", "install", "log", "test", "tests", "doc", "docs", "launch", "__pycache__"}
_NO_CODE = {".md", ".rst", ".pyc"}
_NO_CODE_NAMES = (".", "README", "CHANGELOG", "LICENSE")
_LONGEST = 200


def package_files(folder: Path) -> Iterator[Path]:
    """The files of a package, tests, documentation and verify files left out."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in NO_SOURCES and not f.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            is_code = path.suffix not in _NO_CODE and not name.startswith(_NO_CODE_NAMES)
            if is_code and path.is_file() and not is_verify_file(path):
                yield path


def module_files(module: Path) -> list[Path]:
    """The module, those of its folder that it imports, directly or not, and files of names that
    stand in them.

    Such a file, perhaps a model, is looked for in the folder and one level below.
    """
    found: list[Path] = []
    pending = [module]
    while pending:
        path = pending.pop(0)
        if path in found:
            continue
        found.append(path)
        if path.suffix == ".py":
            tree = _parsed(path)
            pending += _imported(tree, module.parent)
            pending += _named(tree, module.parent)
    return found


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError):
        return ast.Module([], [])  # its digest will tell a change of whatever it is


def _imported(tree: ast.Module, folder: Path) -> Iterator[Path]:
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        for name in names:
            head = folder / name.partition(".")[0]
            if head.with_suffix(".py").is_file():
                yield head.with_suffix(".py")
            elif (head / "__init__.py").is_file():
                yield from sorted(head.rglob("*.py"))


def _named(tree: ast.Module, folder: Path) -> Iterator[Path]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            word = node.value
            if Path(word).suffix and word.isprintable() and len(word) < _LONGEST:
                for place in (folder, *(one for one in sorted(folder.iterdir()) if one.is_dir())):
                    path = place / word
                    if path.is_file() and folder in path.resolve().parents:
                        yield path
