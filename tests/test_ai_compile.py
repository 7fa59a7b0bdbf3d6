"""AI-compile as its README shows it: from Python to C++, through a red verdict to a green one."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lockstep.dataset import Dataset
from stranger import ROOT, Done, Stranger

EXAMPLE = ROOT / "examples/ai_compile"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example in a place of its own, with the sources beside it."""
    folder = tmp_path_factory.mktemp("ai")
    place = folder / "examples/ai_compile"
    shutil.copytree(EXAMPLE, place)
    (folder / "src").symlink_to(ROOT / "src")
    return place


@pytest.fixture(scope="module")
def workflow(place: Path) -> Iterator[Done]:
    someone = Stranger(place)
    yield someone.run("-o", "out", program=(str(place / "workflow"),), timeout_s=290)
    someone.end_all()


def test_every_command_ends_as_it_should(workflow: Done):
    assert workflow.code == 0, workflow.out + workflow.err
    summary = workflow.out.partition("Summary\n")[2]
    assert summary.count("✓") == 4
    assert "red: 10000 aligned, 235 differ, 9765 with identical bytes" in summary


def test_the_data_has_what_no_unit_test_sends(workflow: Done, place: Path):
    with Dataset.load(place / "out/vectors") as vectors:
        z = vectors["/vector"].column("vector.z")
    assert len(z) == 10_000
    assert 0 < np.isnan(z).sum() < 1000


def test_the_port_is_green_then_red_by_the_mistake_then_green(workflow: Done, place: Path):
    found = {}
    for name in ("green", "red", "green_again"):
        result = json.loads((place / "out" / name / "result.json").read_text("utf-8"))
        (key,) = result["comparisons"]["cpp"]["keys"].values()
        found[name] = (result["match"], key["aligned"], key["differing"])
    assert found == {
        "green": (True, 10_000, 0),
        "red": (False, 10_000, 235),
        "green_again": (True, 10_000, 0),
    }


def test_the_unit_tests_pass_for_the_mistake_too(workflow: Done):
    mistake = workflow.out.partition("6/7")[2].partition("7/7")[0]
    assert re.search(r"^4 passed", mistake, re.MULTILINE)


def test_the_prompts_name_the_rule_and_the_inputs_of_the_mistake(workflow: Done, place: Path):
    prompt = (place / "out/prompt.md").read_text("utf-8")
    assert "keep `!(a < b)`, which is not `a >= b`" in prompt
    fix = (place / "out/fix.md").read_text("utf-8")
    assert "`vector.x` is 0.0, expected nan" in fix
    assert "vector.z: nan" in fix
    assert "length >= epsilon && length > 0.0" in fix


def test_a_folder_that_exists_is_left_alone(place: Path, stranger: Stranger):
    (stranger.cwd / "mine").mkdir()
    done = stranger.run("-o", "mine", program=(str(place / "workflow"),))
    assert done.code == 2
    assert "choose another folder" in done.err
    assert list((stranger.cwd / "mine").iterdir()) == []
