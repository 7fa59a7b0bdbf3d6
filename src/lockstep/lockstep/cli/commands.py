"""The sub-commands: what the list of them says of each. Its module is imported when it is
called."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, get_args, get_origin, get_type_hints

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from .ending import heed_interruptions

LISTED = {
    "verify": "Run all implementations of a verify.yaml on the same inputs and compare their "
    "outputs.",
    "suite": "Run the cases of a suite.yaml: many verifications, on many bags and in many ways.",
    "results": "Query the results of all runs of suites over time, by DuckDB.",
    "ab": "Compare two versions on the same cases of a suite: which is better, and where.",
    "run": "Run one implementation of a verify.yaml on its inputs and keep what it puts out.",
    "node": "Run any ROS 2 node on a bag, losslessly and deterministically, and keep what it puts "
    "out.",
    "compare": "Compare two bags message by message and field by field.",
    "info": "Show what a bag holds: topics, types, counts, rates, gaps, sizes, its clock, and what "
    "is wrong with it.",
    "contract": "Print the contract of a component or of any node as JSON, or the differences "
    "between two.",
    "text": "Print a bag as stable text, one line per field, for any diff tool.",
    "convert": "Copy a bag, whole or in part, to another storage, compression or set of topics.",
    "recover": "Rewrite a bag that is cut off or damaged, with index and metadata.",
    "types": "Write ROS 2 packages with the message types of a bag that are not installed here.",
    "snap": "Record a static scene: the next messages of topics of a driver or simulator that "
    "runs.",
    "sample": "Draw messages for the inputs of a component from their distributions, into a bag.",
    "fit": "Propose a distribution for a topic of a recording, as Python and as YAML for "
    "verify.yaml.",
    "fuzz": "Search for inputs on which implementations of a verify.yaml differ, and shrink them.",
    "consensus": "Record the inputs on which the implementations of a verify.yaml disagree most.",
    "sweep": "Find the highest rate of inputs that implementations of a verify.yaml sustain live, "
    "without loss.",
    "view": "Serve a local web page of the runs and suites in a folder, with their verdicts and "
    "reports.",
    "prompt": "Write the prompt for porting a component: its contract, source, numeric rules, "
    "samples, tests and commands.",
    "scaffold": "Write the package of a port that is still to be written.",
    "regress": "Write a pytest file with golden bags for a component that is right.",
    "mcp": "Serve the steps of porting to coding agents, as tools over MCP on stdin and stdout.",
    "status": "Tell what is verified, against what and since when, and what has changed since.",
    "history": "Tell the versions of the implementations of a component, and what changed between "
    "them.",
}
"""Name of a sub-command and of its module → the first paragraph of its help."""


def new_app(**options: Any) -> typer.Typer:
    """A command line that looks like ours; the options are those of Typer."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode="markdown",
        pretty_exceptions_enable=False,
        **options,
    )


_TRACEBACK = "rich.traceback"
_ALONE = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""For our own models pydantic needs not look through all that is installed for plugins."""
_WITHOUT_THREADS = {"OPENBLAS_NUM_THREADS": "1"}
"""numpy's BLAS starts no threads when it is imported, which takes as long as all the rest."""
_WITHOUT_COMPONENTS = {
    *("compare", "convert", "info", "recover", "run", "sample", "snap", "text", "types", "verify"),
}
"""Sub-commands in whose process no component computes; inputs are drawn alike on any number of
cores."""


class Command(TyperCommand):
    """A sub-command."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """As Typer: the page of help."""
        with _without_traceback():
            super().format_help(ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """As click: the parameters, with --help."""
        return _sparing(super().get_params(ctx), self.callback)


class SubCommands(TyperGroup):
    """Shows the list, and calls what the modules hold."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """As Typer: the page of help."""
        with _without_traceback():
            super().format_help(ctx, formatter)

    def get_params(self, ctx: Any) -> list[Any]:
        """As click: the parameters, with --help."""
        return _sparing(super().get_params(ctx), self.callback)

    def resolve_command(
        self, ctx: Any, args: list[str]
    ) -> tuple[str | None, TyperCommand | None, list[str]]:
        """As click: the name of the command that is called, itself, and its own arguments."""
        name, _, rest = super().resolve_command(ctx, args)
        command = None if name is None else loaded(name)
        heed_interruptions()
        return name, command, rest


def loaded(name: str) -> TyperCommand:
    """Import a sub-command."""
    app = new_app()
    spared = _WITHOUT_THREADS if name in _WITHOUT_COMPONENTS else {}
    with _environment(_ALONE | spared):
        module = import_module(f".{name}", __package__)
    app.command(name, cls=Command)(module.command)
    command = get_command(app)
    assert isinstance(command, TyperCommand)
    return command


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables that are not set while modules load, and not for processes that are started."""
    fresh = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(fresh)
    try:
        yield
    finally:
        for name in fresh:
            del os.environ[name]


@contextmanager
def _without_traceback() -> Iterator[None]:
    """Let Typer import no rich.traceback, with all the printers of code, for a page of help."""
    if _TRACEBACK in sys.modules:
        yield
        return
    stand_in: Any = ModuleType(_TRACEBACK)
    stand_in.Traceback = None
    sys.modules[_TRACEBACK] = stand_in
    try:
        yield
    finally:
        del sys.modules[_TRACEBACK]


def _sparing(parameters: list[Any], function: Any) -> list[Any]:
    """Let no value be converted that is of its type already.

    Typer converts each by a schema of pydantic, which takes longer to import than most commands
    take.
    """
    new = [one for one in parameters if "process_value" not in vars(one)]
    hints = get_type_hints(function) if new else {}
    for one in new:
        hint = hints.get(one.name, bool)  # which --help is
        one.process_value = partial(_processed, one, one.process_value, hint)
    return parameters


def _processed(
    parameter: Any, convert: Callable[[Any, Any], Any], hint: Any, context: Any, value: Any
) -> Any:
    if (value is None and parameter.required) or not (value is None or _is_of(hint, value)):
        return convert(context, value)
    return value if parameter.callback is None else parameter.callback(context, parameter, value)


def _is_of(hint: Any, value: Any) -> bool:
    """Whether a value is of a type: a class, a list of it, or either or None."""
    kind = get_origin(hint)
    if kind is None:
        return isinstance(value, hint)
    if kind is list:
        return isinstance(value, (list, tuple)) and all(
            _is_of(get_args(hint)[0], item) for item in value
        )
    return any(_is_of(each, value) for each in get_args(hint))


def listed() -> None:
    """Stand in the list of commands for one whose module is not imported."""
