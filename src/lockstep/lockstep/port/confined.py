"""The folder that a coding agent works in: what it names is looked for in there, and refused
anywhere else."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import yaml

from ..errors import PortError, UsageError
from ..host.python_component import node_name
from ..run.implementation import find_executable
from ..verify.ledger import remembered
from ..verify.model import load
from .workspace import files_below

_COMPONENT = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
_EXECUTABLE = re.compile(r"\w[\w-]*/\w[\w.-]*")


@dataclass(frozen=True)
class Workspace:
    """A folder, and the checks that nothing leads out of it.

    Each raises PortError, a sentence for the agent.
    """

    folder: Path

    def path(self, text: str) -> Path:
        """A path relative to the folder, as it is given; absolute ones, `..` and links that lead
        outside are refused."""
        path = Path(text)
        if not text or "\0" in text or text.startswith("-"):
            raise PortError(f"{text!r} is no path")
        if path.is_absolute() or ".." in path.parts:
            raise PortError(f"{text} is refused: give a path below the workspace, without '..'")
        self._inside(self.folder / path, text)
        return path

    def component(self, text: str) -> str:
        """MODULE:NAME, whose module stands in the folder."""
        if not _COMPONENT.fullmatch(text):
            raise PortError(f"{text!r} is no component; give MODULE:CLASS")
        package = text.partition(":")[0].partition(".")[0]
        found = PathFinder.find_spec(package, [str(self.folder), *sys.path])
        if found is None or found.origin is None:
            raise PortError(f"{text} is refused: there is no module '{package}' in the workspace")
        self._inside(Path(found.origin), text)
        return text

    def executable(self, text: str) -> str:
        """PACKAGE/EXECUTABLE, which is installed in the folder."""
        if not _EXECUTABLE.fullmatch(text):
            raise PortError(f"{text!r} is no executable; give PACKAGE/EXECUTABLE")
        self._inside(find_executable("the workspace", text), text)
        return text

    def verification(self, text: str) -> Path:
        """A verify.yaml that runs nothing but components and nodes of the folder, on bags of the
        folder."""
        path = self.path(text)
        file = self.folder / path
        self._inputs(file)
        verification = load(file)
        if verification.contract is not None:
            self.component(verification.contract)
        for name, one in verification.implementations.items():
            if (target := one.component or one.node) is not None:
                self.component(target)
            elif one.executable is not None:
                self.executable(one.executable)
            else:
                raise PortError(
                    f"{text} is refused: '{name}' is a command or a launch file, and only "
                    "components and classes of nodes are run here"
                )
        return path

    def verification_of(self, component: str) -> Path | None:
        """The verify.yaml in the folder with this reference that may be used; that of the
        component's own name first."""
        own_name = node_name(component.rpartition(":")[2])
        found = []
        for file in files_below(self.folder, (".yaml", ".yml")):
            if _reference(file) == component:
                try:
                    found.append(self.verification(str(file.relative_to(self.folder))))
                except UsageError:
                    continue  # another one may be usable
        return min(found, key=lambda file: (file.stem != own_name, str(file)), default=None)

    def run(self, text: str) -> tuple[Path, Path | None]:
        """A folder that lockstep verify has written, and its verify.yaml, if that is known."""
        path = self.path(text)
        for inner in sorted((self.folder / path).rglob("*")):
            self._inside(inner, str(path / inner.name))
        file = remembered(self.folder / path)
        if file is None:
            return path, None
        self._inside(file, str(file))
        relative = os.path.relpath(file.resolve(), self.folder.resolve())
        return path, self.verification(relative)

    def _inputs(self, file: Path) -> None:
        """Whatever a verify.yaml names for its inputs is a file of the folder, or none."""
        try:
            data = yaml.safe_load(file.read_text("utf-8"))
        except (OSError, ValueError, yaml.YAMLError):
            return  # which load() says better
        inputs = data.get("inputs") if isinstance(data, dict) else None
        if not isinstance(inputs, dict):
            return
        for word in _texts({key: value for key, value in inputs.items() if key != "topics"}):
            if "://" in word:
                raise PortError(f"{word} is refused: give a bag of the workspace")
            path = file.parent / word
            if path.exists() or Path(word).is_absolute() or ".." in Path(word).parts:
                self._inside(path, word)
                for inner in path.rglob("*"):
                    self._inside(inner, word)
            elif glob.has_magic(word):
                for matched in glob.iglob(str(file.parent / word), recursive=True):
                    self._inside(Path(matched), word)

    def _inside(self, path: Path, text: str) -> None:
        root = self.folder.resolve()
        try:
            resolved = path.resolve()
        except (OSError, RuntimeError) as error:  # a loop of links
            raise PortError(f"{text} is no path that can be followed") from error
        if resolved != root and root not in resolved.parents:
            raise PortError(f"{text} is refused: it leads out of the workspace")


def _reference(file: Path) -> str:
    """The component or class of nodes that a verify.yaml has as reference; empty for any other
    file."""
    try:
        data = yaml.safe_load(file.read_text("utf-8"))
        one = data["implementations"][data["reference"]]
        return str(one["node"] if "node" in one else one["component"])
    except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
        return ""


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)
