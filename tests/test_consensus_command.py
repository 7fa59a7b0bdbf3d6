"""`lockstep consensus` as a stranger meets it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from lockstep.dataset import Dataset
from lockstep.search.hard_inputs import SCORE
from stranger import Stranger
from verifications import PYTHON, Write

OUTPUTS = ("/python/normalized", "/clipped/normalized")
COMPONENT = """
from lockstep_examples import VectorNormalizer


class Clipped(VectorNormalizer):
    def on_vector(self, msg):
        if msg.vector.x > 0.5:
            msg.vector.y += 1.0
        super().on_vector(msg)
"""


@pytest.mark.parametrize("context", [0.0, 0.1])
def test_only_inputs_on_which_they_disagree_are_recorded_with_their_context(
    stranger: Stranger, write_verification: Write, context: float
) -> None:
    (stranger.cwd / "clipped.py").write_text(COMPONENT)
    implementations = {"python": PYTHON, "clipped": {"component": "clipped:Clipped"}}
    file = write_verification(implementations, duration=2.0, run={"mode": "direct"})
    done = stranger.run(
        "consensus", file, "-o", "hard.mcap", "--context", str(context), "--most", "20", "--json"
    )
    assert done.code == 1, done.err
    told = json.loads(done.out)
    assert 0 < len(told["inputs"]) <= 20
    with Dataset.load(stranger.cwd / "hard.mcap") as hard:
        (topic,) = (key for key in hard if key not in (SCORE, *OUTPUTS))
        times, x = hard[topic].times(), hard[topic].column("vector.x")
        at = hard[SCORE].times()
        assert at.tolist() == [one["time_ns"] for one in told["inputs"]]
        assert (x[np.isin(times, at)] > 0.5).all()
        if not context:
            assert times.tolist() == at.tolist()
        for key in OUTPUTS:
            assert np.isin(hard[key].times(), times).all()
    assert stranger.run("consensus", file, "-o", "hard.mcap").code == 2


def test_inputs_that_are_drawn_are_recorded_too(
    stranger: Stranger, write_verification: Write
) -> None:
    (stranger.cwd / "clipped.py").write_text(COMPONENT)
    implementations = {"python": PYTHON, "clipped": {"component": "clipped:Clipped"}}
    file = write_verification(
        implementations, inputs={"sample": {"n": 200, "seed": 0}}, run={"mode": "direct"}
    )
    done = stranger.run("consensus", file, "-o", "hard", "--context", "0", "--json")
    assert done.code == 1, done.err
    told = json.loads(done.out)
    assert len(told["inputs"]) == told["of"] > 10
    with Dataset.load(stranger.cwd / "hard") as hard:
        (topic,) = (key for key in hard if key not in (SCORE, *OUTPUTS))
        assert (hard[topic].column("vector.x") > 0.5).all()
        assert len(hard[topic]) == told["of"]


def test_of_implementations_that_agree_nothing_is_recorded(
    stranger: Stranger, write_verification: Write
) -> None:
    file = write_verification(
        {"python": PYTHON, "again": PYTHON}, duration=1.0, run={"mode": "direct"}
    )
    done = stranger.run("consensus", file, "-o", "hard.mcap")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("no input is recorded")
    assert not (stranger.cwd / "hard.mcap").exists()
