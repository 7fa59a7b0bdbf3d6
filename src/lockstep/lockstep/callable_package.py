"""Packages that are named after the function they are there for, and can be called as it.

`from lockstep import compare` gives the function if the package `lockstep.compare` is not imported
yet, and the package if it is: an import sets the package as attribute of the one above. So the
package itself can be called, and whoever wrote that line never needs to know which it is.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class CallablePackage(ModuleType):
    """A package NAME whose call is that of the function NAME in its module NAME."""

    def __call__(self, *args: Any, **options: Any) -> Any:
        name = self.__name__.rpartition(".")[2]
        return getattr(import_module(f".{name}", self.__name__), name)(*args, **options)


def make_callable(package: str) -> None:
    """Let the package of that name, which is just being imported, be called."""
    sys.modules[package].__class__ = CallablePackage
