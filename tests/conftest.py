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


# What begins last decides when a run of all packages ends: these take longest, and come first.
LONGEST = (
    "test_port",
    "test_suite_command",
    "test_interruptions",
    "test_sample_command",
    "test_testing",
    "test_nn_compile",
    "test_nodes",
    "test_direct_runs",
    "test_bad_input",
    "test_examples",
    "test_comparator_online",
    "test_damaged_bags",
    "test_html_browser",
    "test_direct_process",
    "test_ai_compile",
    "test_types",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first, and all others as they were found."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture
def write_verification(tmp_path: Path) -> Write:
    """Writes a verify.yaml: of VectorNormalizers, on the first seconds of real
    accelerations, unless told otherwise.
    """
    return writer_into(tmp_path)
