"""The reference against itself: what does not do the same twice can judge nothing."""

from __future__ import annotations

import json

from stranger import Stranger
from verifications import CPP, PYTHON

FORGETFUL = {"component": "faulty:Forgetful"}


def test_a_reference_that_disagrees_with_itself_gets_no_verdict(
    stranger: Stranger, write_verification
):
    file = write_verification(
        {"unsteady": FORGETFUL, "cpp": CPP}, run={"repeat": 2}, compare={"align": "stamp"}
    )
    done = stranger.run("verify", file, "-o", "out")
    assert (done.code, done.out) == (3, "")
    assert "unsteady does not do the same again on the same inputs (" in done.error
    assert "so nothing can be judged by it; see out/unsteady_vs_itself" in done.error
    diff = (stranger.cwd / "out/unsteady_vs_itself/normalized.diff").read_text("utf-8")
    assert diff.splitlines()[1].startswith("+++ unsteady again")
    told = json.loads((stranger.cwd / "out/unsteady_vs_itself/result.json").read_text("utf-8"))
    assert not told["match"]
    assert (stranger.cwd / "out/unsteady_vs_itself/report.html").exists()
    assert not (stranger.cwd / "out/cpp").exists()
    assert not (stranger.cwd / "out/result.json").exists()


def test_noise_within_the_tolerance_is_no_disagreement(stranger: Stranger, write_verification):
    file = write_verification(
        {"unsteady": FORGETFUL, "cpp": CPP},
        run={"repeat": 2},
        compare={"align": "stamp", "tolerance": {"vector.*": {"abs": 0.1}}},
    )
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 0, done.err
    result = json.loads(done.out)
    assert [noise["grade"] for noise in result["noise_floor"]] == ["within tolerance"]
    assert result["comparisons"]["cpp"]["grade"] == "within tolerance"


def test_the_reference_runs_twice_unless_told_otherwise(stranger: Stranger, write_verification):
    file = write_verification({"python": PYTHON, "cpp": CPP}, run={"repeat": 2}, duration=1.0)
    file.write_text(file.read_text("utf-8").replace("repeat: 2", "rtf: .inf"), "utf-8")
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 0, done.err
    (noise,) = json.loads(done.out)["noise_floor"]
    assert noise["grade"] == "identical bytes"
    assert (stranger.cwd / "out/python.2/bag/metadata.yaml").exists()
