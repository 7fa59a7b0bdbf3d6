"""The highest rate that a node sustains, with real nodes."""

import json

from stranger import Stranger
from verifications import PYTHON


def test_a_component_that_sleeps_sustains_no_more_than_it_can(
    stranger: Stranger, write_verification
):
    file = write_verification({"python": PYTHON, "slow": {"component": "faulty:Slow"}})
    effort = ("--seconds", "0.5", "--repeat", "1", "--at-most", "400")
    done = stranger.run("sweep", file, "slow", "-o", "out", *effort, "--json", timeout_s=240)
    assert done.code == 0, done.err
    (found,) = json.loads(done.out).values()
    assert 0 < found["rate"] <= 60
    assert "did not take" in found["objection"]
    stranger.assert_nothing_left()


def test_whoever_is_none_of_the_implementations_is_named(stranger: Stranger, write_verification):
    done = stranger.run("sweep", write_verification(), "rust")
    assert (done.code, done.err) == (
        2,
        f"error: {write_verification()} has no implementation 'rust'; it has python, cpp\n",
    )
