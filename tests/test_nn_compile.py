"""NN-compile as its README shows it: a controller becomes a network, which is
verified and learns where it disagrees.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml
from lockstep.dataset import Dataset
from lockstep.search.hard_inputs import SCORE
from stranger import ROOT, Done, Stranger

NEEDED = ("torch", "onnx", "onnxruntime")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
EXAMPLE = ROOT / "examples/nn_compile"

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}")


def copied(folder: Path) -> Path:
    """The example in a place of its own, with the bags beside it."""
    place = folder / "examples/nn_compile"
    shutil.copytree(EXAMPLE, place, ignore=shutil.ignore_patterns("__pycache__", ".lockstep"))
    (folder / "bags").symlink_to(ROOT / "bags")
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(tmp_path_factory.mktemp("nn"))


@pytest.fixture(scope="module")
def workflow(place: Path) -> Iterator[Done]:
    """The whole workflow, with the budgets of the README."""
    someone = Stranger(place)
    yield someone.run("workflow.py", "-o", "out", program=(sys.executable,), timeout_s=280)
    someone.end_all()


def test_every_claim_of_the_workflow_holds(workflow: Done):
    assert workflow.code == 0, workflow.out + workflow.err
    claims = workflow.out.partition("Summary\n")[2].splitlines()
    assert len([claim for claim in claims if "✓" in claim]) == 4
    assert "MATCH: nn does what python does" in workflow.out


def test_what_they_disagree_about_is_recorded_and_shrinks(workflow: Done, place: Path):
    counts = []
    for number in (1, 2, 3):
        with Dataset.load(place / f"out/disagreements-{number}") as recorded:
            right, found = recorded["/python/wrench"], recorded["/nn/wrench"]
            forces, torques = (
                np.abs(found.column(field) - right.column(field))
                for field in ("wrench.force.x", "wrench.torque.z")
            )
            assert np.all((forces > 1.0) | (torques > 0.3))
            assert len(recorded["/state"]) == len(recorded[SCORE]) == len(right)
            counts.append(len(right))
    told = re.findall(r"of which (\d+) are recorded", workflow.out)
    assert counts == [int(count) for count in told]
    assert counts[0] > 3 * counts[-1]


def test_trained_again_the_networks_are_those_of_the_repository(workflow: Done, place: Path):
    import onnxruntime

    with Dataset.load(place / "out/exam") as exam:
        speeds = exam["/odometry"].column("twist.twist.linear.x")
    assert np.ptp(speeds) > 2.0, "a test of gentle drives would prove little"
    random = np.random.default_rng(0)
    states = random.normal(0.0, (1.0, 1.0, 3.0, 5.0), (2000, 4)).astype(np.float32)
    for name, share in (("first.onnx", 0.8), ("model.onnx", 0.99)):
        again, ours = (
            onnxruntime.InferenceSession(str(folder / name)).run(None, {"state": states})[0]
            for folder in (place / "out/models", EXAMPLE / "models")
        )
        within = np.abs(again - ours) <= (1.0, 0.3)
        assert within.mean() >= share


def test_figures_are_small(workflow: Done, place: Path):
    for name in ("disagreement", "errors", "step"):
        for file in (place / f"out/{name}.png", EXAMPLE / f"images/{name}.png"):
            assert 5_000 < file.stat().st_size < 100_000


def test_gains_that_it_has_not_learnt_are_refused(tmp_path: Path, stranger: Stranger):
    place = copied(tmp_path)
    content = yaml.safe_load((place / "verify.yaml").read_text("utf-8"))
    content["parameters"] = {"kp_linear": 30.0}
    (place / "other.yaml").write_text(yaml.safe_dump(content), "utf-8")
    done = stranger.run("run", "other.yaml", "nn", "-o", "out", cwd=place)
    assert done.code == 3
    assert "model.onnx has learnt kp_linear 40 and knows no 30; set kp_linear to 40" in done.error


def test_the_committed_network_matches_also_with_another_time_of_the_filter(
    tmp_path: Path, stranger: Stranger
):
    place = copied(tmp_path)
    content = yaml.safe_load((place / "verify.yaml").read_text("utf-8"))
    content["parameters"] = {"filter_time": 0.1}
    (place / "other.yaml").write_text(yaml.safe_dump(content), "utf-8")
    done = stranger.run("verify", "other.yaml", "-o", "out", "--no-record", cwd=place)
    assert done.code == 0, done.out + done.err
    assert "MATCH: nn does what python does" in done.out
