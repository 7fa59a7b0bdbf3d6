"""One case of a suite: a verify.yaml with one implementation beside the reference, on one choice of
inputs, parameters and mode."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ..bag.url import is_url
from ..errors import UsageError
from ..run.model import ParameterValue
from ..verify.model import Verification
from .model import Mode

_OF_GRAPHS = ("rtf", "window", "quiet")


@dataclass(frozen=True)
class Expectation:
    """That a case is known not to match, why, and until when nobody minds."""

    verdict: str
    reason: str
    until: date


@dataclass(frozen=True)
class Case:
    """What is None is as in the file. `group` is what the file is called, `memory_bytes` what each
    process may take, `cores` how many it needs, and `exclusive` whether it is alone on its
    machine."""

    name: str
    group: str
    file: Path
    implementation: str
    bag: str | None = None
    bag_name: str | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    parameters_name: str | None = None
    seed: int | None = None
    mode: Mode | None = None
    priority: float = 0.0
    time_s: float | None = None
    memory_bytes: int | None = None
    cores: int = 1
    exclusive: bool = False
    expected: Expectation | None = None

    @property
    def folder_name(self) -> str:
        """The folder of its results, relative to that of a run of the suite."""
        head = self.group.replace("/", ".")
        return f"{head}{self.name.removeprefix(self.group)}"

    @property
    def ground(self) -> tuple[Any, ...]:
        """What it has in common with those of the same reference on the same inputs."""
        return self.file, self.bag, self.parameters_name, self.seed, self.mode

    @property
    def definition(self) -> str:
        """A digest of what the case is, whatever may stand in its files."""
        data = asdict(self)
        for free in ("priority", "time_s", "memory_bytes", "cores", "exclusive", "expected"):
            del data[free]
        return hashlib.sha256(json.dumps(data, default=str, sort_keys=True).encode()).hexdigest()


def verification_of(case: Case) -> Verification:
    """The verification that a case is; raises UsageError that names the case where its choices do
    not fit the file."""
    data = dict(_content(case.file, case.file.stat().st_mtime_ns))
    reference = data["reference"]
    implementations = data["implementations"]
    chosen = {name: implementations[name] for name in (reference, case.implementation)}
    data["implementations"] = chosen
    for name, implementation in chosen.items():
        if set_there := case.parameters.keys() & (implementation.get("parameters") or {}).keys():
            raise UsageError(
                f"{case.name}: parameter '{min(set_there)}' of the matrix has no effect, since "
                f"'{name}' sets it itself in {case.file}; remove one of them"
            )
    if case.parameters:
        data["parameters"] = {**(data.get("parameters") or {}), **case.parameters}
    inputs = data["inputs"] = dict(data["inputs"])
    if case.bag is not None:
        inputs["bag"] = case.bag
    elif "bag" in inputs and not is_url(str(inputs["bag"])):
        inputs["bag"] = str(case.file.parent / inputs["bag"])
    if case.seed is not None:
        inputs["sample"] = {**inputs["sample"], "seed": case.seed}
    if case.mode is not None:
        run = dict(data.get("run") or {})
        if case.mode == "direct":
            run = {key: value for key, value in run.items() if key not in _OF_GRAPHS}
        data["run"] = {**run, "mode": case.mode}
    try:
        return Verification.model_validate(data, context={"folder": case.file.parent})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{case.name}: {where}: {message}; exclude the case") from error


@lru_cache(maxsize=1024)
def _content(file: Path, mtime_ns: int) -> dict[str, Any]:
    """What a file holds, which `load` has accepted; read once as long as it stays as it is."""
    data: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return data
