"""Verifications of the worked examples, and components that go wrong, for the commands that a stranger gives."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from stranger import ACCELERATION, stranger

__all__ = ["stranger"]

# Commands find the components of this folder.
PLACES = [str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, PLACES))

PYTHON = {"component": "lockstep_examples:VectorNormalizer"}
CPP = {"executable": "lockstep_examples_cpp/vector_normalizer"}

Write = Callable[..., Path]


@pytest.fixture
def write_verification(tmp_path: Path) -> Write:
    """Writes a verify.yaml: of VectorNormalizers, on the first seconds of real accelerations, unless told otherwise."""

    def write(
        implementations: dict[str, dict[str, Any]] | None = None,
        *,
        duration: float = 4.0,
        name: str = "verify.yaml",
        folder: Path = tmp_path,
        **sections: Any,
    ) -> Path:
        implementations = implementations or {"python": PYTHON, "cpp": CPP}
        inputs = {"bag": str(ACCELERATION), "topics": {"vector": "/imu/acceleration"}}
        if math.isfinite(duration):
            inputs["duration"] = duration
        content = {
            "implementations": implementations,
            "reference": next(iter(implementations)),
            "inputs": inputs,
            "compare": {"align": "stamp", "tolerance": {"vector.*": {"abs": 1e-9}}},
        } | sections
        content["run"] = {"repeat": 1} | sections.get("run", {})
        path = folder / name
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), "utf-8")
        return path

    return write
