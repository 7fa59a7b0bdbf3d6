"""`lockstep compare --html` and the report that every verification leaves."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from stranger import ACCELERATION, Stranger
from verifications import Write

pytestmark = pytest.mark.skipif(not find_spec("plotly"), reason="plotly is not installed")


def data_of(file: Path) -> Any:
    """What the script of a report gets."""
    pattern = r'<script type="application/json" id="data">(.*?)</script>'
    found = re.search(pattern, file.read_text("utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


def test_compare_writes_a_report_of_any_two_bags(stranger: Stranger, tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "report.html"
    done = stranger.run("compare", ACCELERATION, ACCELERATION, "--html", file)
    assert done.code == 0, done.err
    assert f"report: {file}" in done.out
    assert data_of(file)["match"]


def test_a_report_that_cannot_be_written_is_one_sentence(
    stranger: Stranger, tmp_path: Path
) -> None:
    done = stranger.run("compare", ACCELERATION, ACCELERATION, "--html", tmp_path)
    assert done.code == 2
    assert "cannot be written" in done.error


def test_a_verification_leaves_a_report_and_copies_it(
    stranger: Stranger, tmp_path: Path, write_verification: Write
) -> None:
    folder, copy = tmp_path / "out", tmp_path / "copy.html"
    done = stranger.run("verify", write_verification(), "-o", folder, "--html", copy)
    assert done.code == 0, done.err
    data = data_of(folder / "report.html")
    assert data == data_of(copy)
    assert data["match"]
    assert {run["name"] for run in data["run"]["runs"]} == {"python", "cpp"}
    assert data["run"]["runs"][0]["sent"]
    assert [len(bag["files"][0]["sha256"]) for bag in data["bags"]] == [64, 64]
