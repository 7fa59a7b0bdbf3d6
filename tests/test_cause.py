"""`compare: {align: cause}`: a run records which step each output answers,
and outputs are paired by that.
"""

from __future__ import annotations

import json

import pytest
from lockstep.bag import Bag
from stranger import Stranger
from verifications import CPP, PYTHON

REPEATS = {"component": "faulty:Repeats"}


@pytest.mark.parametrize("mode", ["live", "direct"])
def test_outputs_are_paired_by_the_input_that_they_answer(
    stranger: Stranger, write_verification, mode
):
    file = write_verification(
        {"python": PYTHON, "cpp": CPP, "repeats": REPEATS},
        run={"mode": mode},
        compare={"align": "cause", "tolerance": {"vector.*": {"abs": 1e-9}}},
    )
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 1, done.err
    comparisons = json.loads(done.out)["comparisons"]
    good, bad = (comparisons[name]["keys"]["/normalized"] for name in ("cpp", "repeats"))
    sent = len(
        Bag(stranger.cwd / "out/python/bag").columns("/normalized", ["vector.x"])["vector.x"]
    )
    assert (good["align"], good["match"], good["aligned"]) == ("cause", True, sent)
    assert (bad["aligned"], bad["extra"], bad["missing"], bad["differing"]) == (sent, 1, 0, 0)
    diff = (stranger.cwd / "out/repeats_vs_python/normalized.diff").read_text("utf-8")
    assert "@@ tick 50, step 49, t = " in diff
    assert diff.endswith("\n+only in repeats\n")
    again = stranger.run("compare", "out/python/bag", "out/cpp/bag", "--align", "cause")
    assert again.code == 0, again.out
    assert "aligned by cause" in again.out
