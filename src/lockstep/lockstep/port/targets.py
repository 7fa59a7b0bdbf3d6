"""The languages that components can be ported to, as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..errors import PortError
from . import cpp_api, cpp_package
from .subject import Subject


@dataclass(frozen=True)
class Target:
    """A language: its name, what its package consists of, and where its API is documented.

    `package_files` gives texts by path; `api(brief)` the documented declarations as code in the
    `fence` language.
    """

    title: str
    fence: str
    package_files: Callable[[Subject], dict[str, str]]
    api: Callable[[bool], str]
    build_help: Callable[[], str]
    rules: tuple[str, ...]
    hints: str
    """What is easily got wrong with the API."""


TARGETS = {
    "cpp": Target(
        title="C++17",
        fence="cpp",
        package_files=cpp_package.package_files,
        api=cpp_api.documented_api,
        build_help=cpp_api.build_help,
        rules=(
            (
                "Python's float is IEEE 754 binary64: use double throughout, also for intermediate "
                "results and state, unless the source itself uses float32. Literals are double "
                "(`0.5`, never `0.5f`)."
            ),
            (
                "Fields of messages that are float32 are read as float and converted to double "
                "before any computation, as Python does; the result is rounded once, when it is "
                "stored."
            ),
            (
                "Python's int does not overflow; use std::int64_t, and convert before multiplying "
                "narrower integers."
            ),
            (
                "lockstep_add_component compiles with -ffp-contract=off. Keep it so, and never add "
                "-ffast-math, -Ofast or -funsafe-math-optimizations: they change results."
            ),
            (
                "NaN compares false with everything: keep the form of each comparison. std::min "
                "and std::max take two arguments of one type."
            ),
        ),
        hints=(
            "Parameters convert to their value and may change between callbacks; for templates, "
            "such as std::min, write `.value()`. A local variable must not have the name of a "
            "port, parameter or timer, which it would hide. Outside the class, functions such as "
            "`lockstep::to_stamp` need their namespace."
        ),
    ),
}


def target_of(language: str) -> Target:
    """The target of that name; raises PortError, which names those there are."""
    if language not in TARGETS:
        raise PortError(f"target language '{language}' is unknown; choose {', '.join(TARGETS)}")
    return TARGETS[language]
