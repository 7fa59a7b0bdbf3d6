"""A stranger for the tests that cross packages, and components that go wrong for its commands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from stranger import stranger
from verifications import Write, writer_into

__all__ = ["stranger"]

# Commands find the components of this folder.
PLACES = [str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, PLACES))


@pytest.fixture
def write_verification(tmp_path: Path) -> Write:
    """Writes a verify.yaml: of VectorNormalizers, on the first seconds of real
    accelerations, unless told otherwise.
    """
    return writer_into(tmp_path)
