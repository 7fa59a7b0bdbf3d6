"""suite.yaml: which verifications to run, as a model that names the line of every mistake."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from ..run.model import Name, ParameterValue
from ..strict_yaml import MAX_S, Number, StrictModel, read_yaml

MOST = 10_000
"""Cases that a suite may have without saying so."""
_UNITS = {"": 1, "B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "MiB": 1 << 20, "GiB": 1 << 30}
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?) ?([A-Za-z]*)")
_LEAST_BYTES = 256 * 10**6  # below it, what compares the outputs has no room itself


def _bytes(value: Any) -> Any:
    if isinstance(value, str):
        match = _AMOUNT.fullmatch(value)
        if match is None or match[2] not in _UNITS:
            raise ValueError("give an amount of memory, such as 2 GB or 500 MB")
        return round(float(match[1]) * _UNITS[match[2]])
    return value


Bytes = Annotated[int, BeforeValidator(_bytes), Field(ge=_LEAST_BYTES)]
Mode = Literal["live", "direct"]
Patterns = Annotated[list[str], Field(min_length=1)]


class Matrix(StrictModel):
    """What a verify.yaml is multiplied by; what is left out stays as it is in the file."""

    bags: Patterns | None = Field(default=None, description="paths, globs or URLs")
    parameters: dict[Name, dict[str, ParameterValue]] | None = Field(
        default=None, min_length=1, description="name → parameters of all implementations"
    )
    implementations: Patterns = Field(
        default=["*"], description="patterns of names; the reference is in every case"
    )
    seeds: list[Annotated[int, Field(ge=0, lt=1 << 64, strict=True)]] | None = Field(
        default=None, min_length=1, description="of inputs that are drawn"
    )
    modes: list[Mode] | None = Field(default=None, min_length=1)


class Limits(StrictModel):
    """What a case may take."""

    time: Number | None = Field(default=None, gt=0, le=MAX_S, description="seconds")
    memory: Bytes | None = Field(default=None, description="of each of its processes")
    cores: int | None = Field(
        default=None, ge=1, le=4096, strict=True, description="that it needs; 1 if not given"
    )
    exclusive: bool | None = Field(
        default=None,
        strict=True,
        description="alone on its machine; live runs that go by time are, if not given",
    )


class Rule(Limits):
    """What holds for the cases of some names; a later rule wins over an earlier one."""

    cases: str = Field(min_length=1, description="pattern of names")
    priority: Number | None = Field(default=None, description="the highest run first")


class Expected(StrictModel):
    """Cases that are known not to match; `reason` says why, and after `until` they count."""

    cases: str = Field(min_length=1, description="pattern of names")
    verdict: Literal["differs", "no verdict"] = "differs"
    reason: str = Field(min_length=1)
    until: date


class Suite(StrictModel):
    """The whole file."""

    verify: Patterns = Field(description="globs of verify files")
    matrix: Matrix = Field(default_factory=Matrix)
    include: Patterns = Field(default=["*"], description="patterns of names of cases")
    exclude: list[str] = Field(default=[])
    limits: Limits = Field(default_factory=Limits)
    rules: list[Rule] = Field(default=[])
    expected: list[Expected] = Field(default=[])
    most: int = Field(default=MOST, ge=1, strict=True, description="cases that are not too many")
    _folder: Path = PrivateAttr(default=Path())

    def model_post_init(self, context: Any, /) -> None:
        """As pydantic: remember where the file is (read_yaml)."""
        self._folder = (context or {}).get("folder", Path())

    @property
    def folder(self) -> Path:
        """Where the file is, which paths in it are relative to."""
        return self._folder


def load_suite(path: Path) -> Suite:
    """Read a suite.yaml; raises UsageError that names the line."""
    return read_yaml(path, Suite, "a suite")
