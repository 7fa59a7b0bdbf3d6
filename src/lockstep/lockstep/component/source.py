"""The reference source of a component, or of a class of ordinary nodes: the class and everything of
its own that it calls, module by module."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import UsageError
from . import component_of
from .excerpt import ModuleText

_NOT_OURS = (
    "lockstep",
    "ament_index_python",
    "cv_bridge",
    "message_filters",
    "rclpy",
    "sensor_msgs_py",
    "tf2_geometry_msgs",
    "tf2_py",
    "tf2_ros",
)
"""Packages of ROS itself, which a distro has elsewhere than Python's libraries."""
_LIBRARIES = {
    str(Path(sysconfig.get_path(kind)).resolve()) for kind in ("stdlib", "platstdlib", "purelib")
}


@dataclass(frozen=True)
class SourceModule:
    """What a component needs of one module; `names` are the top-level names."""

    module: ModuleText
    names: frozenset[str]

    @property
    def text(self) -> str:
        """The excerpt as Python."""
        return self.module.excerpt(self.names)

    def statements(self) -> Iterator[ast.stmt]:
        """Their definitions, and what changes them, in file order."""
        return self.module.statements(self.names)

    @property
    def left_out(self) -> list[str]:
        """The top-level names of the module that the component does not need."""
        return self.module.unused(self.names)


@dataclass(frozen=True)
class Source:
    """The source of a component: the module of its class comes first."""

    modules: tuple[SourceModule, ...]

    @property
    def files(self) -> list[Path]:
        """The files it is in."""
        return [Path(part.module.file) for part in self.modules]


def source_of(component: type[Any]) -> Source:
    """The class, the functions, classes and constants that it uses, and those they use, of its own
    code.

    Own is what belongs to the top-level package of the component or stands in no library of this
    Python. Raises UsageError where there is no source.
    """
    origin = origin_of(component)
    own_package = origin.__module__.partition(".")[0]
    wanted: dict[str, set[str]] = {}
    modules: dict[str, ModuleText] = {}
    pending: list[tuple[str, str]] = [(origin.__module__, origin.__qualname__.split(".")[0])]
    modules[origin.__module__] = _parsed(origin.__module__, origin)
    while pending:
        module_name, name = pending.pop(0)
        if module_name not in modules:
            modules[module_name] = _parsed(module_name, origin)
        module = modules[module_name]
        fresh = module.needed([name]) - wanted.setdefault(module_name, set())
        wanted[module_name] |= fresh
        for needed in sorted(fresh):
            pending += _elsewhere(module, needed, wanted[module_name], own_package)
    if origin.__qualname__.split(".")[0] not in modules[origin.__module__].bindings:
        raise _no_source(origin)
    return Source(
        tuple(SourceModule(modules[name], frozenset(names)) for name, names in wanted.items())
    )


def origin_of(component: type[Any]) -> Any:
    """What stands in the source: the class, or the function that `@component` made it of."""
    module = sys.modules.get(component.__module__)
    for value in vars(module).values() if module else ():
        if inspect.isfunction(value) and component_of(value) is component:
            return value
    return component


def _parsed(module_name: str, origin: Any) -> ModuleText:
    module = sys.modules.get(module_name)
    try:
        file = inspect.getsourcefile(
            module if module_name != origin.__module__ and module else origin
        )
    except TypeError:  # a built-in module
        file = None
    text = "".join(linecache.getlines(file)) if file else ""
    if not file or not text:
        raise _no_source(origin)
    return ModuleText(module_name, file, text)


def _no_source(origin: Any) -> UsageError:
    return UsageError(
        f"{origin.__name__} has no source that can be read (typed into an interpreter, or "
        "compiled); put it into a .py file of its own"
    )


def _elsewhere(
    module: ModuleText, name: str, also: set[str], own_package: str
) -> Iterator[tuple[str, str]]:
    """Where the import of a name leads to, if that is our own code: (module, name) for each thing
    used."""
    statement = module.bindings[name]
    if not isinstance(statement, (ast.Import, ast.ImportFrom)):
        return
    value = getattr(sys.modules.get(module.name), name, None)
    if isinstance(value, ModuleType):
        if _is_ours(value.__name__, own_package):
            for attribute in _attributes(module, name, also):
                yield _home(getattr(value, attribute, None), value.__name__, attribute)
    elif value is not None and isinstance(statement, ast.ImportFrom):
        home, qualified = _home(
            value, _absolute(statement, module.name), _original(statement, name)
        )
        if _is_ours(home, own_package):
            yield home, qualified


def _home(value: Any, module: str, name: str) -> tuple[str, str]:
    """Where something is defined; constants do not know it."""
    if inspect.isclass(value) or inspect.isfunction(value):
        return value.__module__, value.__qualname__.split(".")[0]
    return module, name


def _absolute(statement: ast.ImportFrom, module_name: str) -> str:
    if not statement.level:
        return statement.module or ""
    is_package = hasattr(sys.modules.get(module_name), "__path__")
    parts = module_name.split(".")
    base = parts[: len(parts) - statement.level + is_package]
    return ".".join([*base, *([statement.module] if statement.module else [])])


def _original(statement: ast.ImportFrom, name: str) -> str:
    return next(alias.name for alias in statement.names if (alias.asname or alias.name) == name)


def _attributes(module: ModuleText, name: str, also: set[str]) -> set[str]:
    """What the chosen definitions of a module read of a module that they know as `name`."""
    found = set()
    for statement in module.statements(also):
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                found |= {node.attr} if node.value.id == name else set()
    return found


def _is_ours(module_name: str, own_package: str) -> bool:
    package, *rest = module_name.split(".")
    if package in _NOT_OURS or rest[:1] in (["msg"], ["srv"], ["action"]):
        return False
    if package == own_package:
        return True
    file = getattr(sys.modules.get(module_name), "__file__", None)
    if not file or not file.endswith(".py"):
        return False
    path = Path(file).resolve()
    return not any(str(parent) in _LIBRARIES for parent in path.parents)
