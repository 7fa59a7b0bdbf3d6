"""The verifications that the end-to-end tests write down."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from stranger import ACCELERATION

PYTHON = {"component": "lockstep_examples:VectorNormalizer"}
CPP = {"executable": "lockstep_examples_cpp/vector_normalizer"}

Write = Callable[..., Path]


def writer_into(folder: Path) -> Write:
    """What writes a verify.yaml into a folder, unless told of another."""

    def write(
        implementations: dict[str, dict[str, Any]] | None = None,
        *,
        duration: float = 4.0,
        name: str = "verify.yaml",
        folder: Path = folder,
        **sections: Any,
    ) -> Path:
        implementations = implementations or {"python": PYTHON, "cpp": CPP}
        inputs: dict[str, Any] = {
            "bag": str(ACCELERATION),
            "topics": {"vector": "/imu/acceleration"},
        }
        if math.isfinite(duration):
            inputs["duration"] = duration
        content: dict[str, Any] = {
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
