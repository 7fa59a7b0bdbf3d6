"""verify.yaml: what to verify, as a model that names the line of every mistake."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, field_validator

from ..compare.model import Compare
from ..run.model import Implementation, Inputs, Name, ParameterValue, Run
from ..strict_yaml import StrictModel, read_yaml


class Verification(StrictModel):
    """The whole file."""

    contract: str | None = Field(default=None, pattern=r"^[\w.]+:\w+$", description="MODULE:CLASS")
    implementations: dict[Name, Implementation] = Field(min_length=1)
    reference: str
    inputs: Inputs
    parameters: dict[str, ParameterValue] = Field(default={})
    run: Run = Field(default_factory=Run, validate_default=True)
    compare: Compare = Field(default_factory=Compare)
    _folder: Path = PrivateAttr(default=Path())

    def model_post_init(self, context: Any, /) -> None:
        """As pydantic: remember where the file is (read_yaml)."""
        self._folder = (context or {}).get("folder", Path())

    @property
    def folder(self) -> Path:
        """Where the file is, and from where sources and models are looked for; the current folder
        for what is no file."""
        return self._folder

    @field_validator("reference")
    @classmethod
    def _reference_can_be_one(cls, name: str, info: Any) -> str:
        implementations = info.data.get("implementations")
        if implementations is None:
            return name  # wrong themselves, which is said of them
        if name not in implementations:
            raise ValueError(
                f"'{name}' is none of the implementations ({', '.join(implementations)})"
            )
        return name

    @field_validator("run")
    @classmethod
    def _black_boxes_can_run(cls, run: Run, info: Any) -> Run:
        graphs = {"rtf", "window", "quiet"} & run.model_fields_set
        if run.mode == "direct" and graphs:
            raise ValueError(f"{min(graphs)} has no meaning in mode direct; use mode: live")
        implementations = info.data.get("implementations", {})
        tells_none = bool(implementations) and info.data.get("contract") is None
        if tells_none and run.mode == "live" and all(i.is_node for i in implementations.values()):
            raise ValueError(
                "all implementations are nodes, which tell no contract in mode live, so contract: "
                "MODULE:CLASS is needed; or use run: {mode: direct}"
            )
        for name, implementation in implementations.items():
            if implementation.nodes is not None and run.mode == "live":
                raise ValueError(
                    f"'{name}' is several nodes, which are one system in direct runs only; use "
                    "run: {mode: direct}"
                )
            if implementation.is_node and run.mode == "live" and math.isinf(run.rtf):
                raise ValueError(
                    f"'{name}' is a node and acknowledges nothing in mode live; give run: "
                    "{mode: direct}, or run: {rtf: 1.0} or another finite factor"
                )
        return run

    @field_validator("compare")
    @classmethod
    def _only_direct_runs_end_by_a_failure(cls, compare: Compare, info: Any) -> Compare:
        run = info.data.get("run")
        if compare.failures and run is not None and run.mode != "direct":
            raise ValueError(
                "failures are for direct runs, as an exception ends a live node; "
                "use run: {mode: direct}"
            )
        return compare

    @field_validator("compare")
    @classmethod
    def _black_boxes_tell_no_cause(cls, compare: Compare, info: Any) -> Compare:
        run = info.data.get("run")
        if run is None or run.mode == "direct":
            return compare
        for name, implementation in info.data.get("implementations", {}).items():
            if implementation.is_node and compare.any_align("cause"):
                raise ValueError(
                    f"'{name}' is a node and acknowledges nothing in mode live; use run: "
                    "{mode: direct}, or align by stamp, time or tick"
                )
        return compare


def load(path: Path) -> Verification:
    """Read a verify.yaml; paths in it are relative to its folder. Raises UsageError that names the
    line."""
    verification = read_yaml(path, Verification, "a verification")
    bag = verification.inputs.bag
    if not verification.inputs.is_recorded or isinstance(bag, str):  # a URL
        return verification
    inputs = verification.inputs.model_copy(update={"bag": path.parent / bag})
    return verification.model_copy(update={"inputs": inputs})


def alone(reference: str) -> str:
    """What to do about a verification whose reference is its only implementation: a sentence."""
    return (
        f"'{reference}' needs another implementation to compare with: add one under "
        "implementations: (`lockstep scaffold` starts one), or give `lockstep run` the file and "
        f"'{reference}' to see what it puts out by itself"
    )


def is_verify_file(file: Path) -> bool:
    """Whether a file looks like a verify.yaml, well-formed or not, in YAML's own form or as JSON.

    C++ builds look for the same: lockstep_cpp/cmake/digest_sources.cmake.
    """
    if file.suffix not in (".yaml", ".yml") or not file.is_file():
        return False
    text = file.read_text("utf-8", "replace")
    return all(
        re.search(rf"""(^|[{{,]\s*)["']?{key}["']?[ \t]*:""", text, re.MULTILINE)
        for key in ("implementations", "reference")
    )
