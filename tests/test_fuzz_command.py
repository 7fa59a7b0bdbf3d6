"""`lockstep fuzz` as a stranger meets it: a port in float32 is found out,
twins are not told apart, data is graded.
"""

import json
import re
import signal

import pytest
from lockstep.bag import Bag
from stranger import ROOT, Stranger

VERIFY = ROOT / "src/lockstep_examples/verify"


def documented(name):
    """The words of the command in docs/fuzzing.md that uses an example, and the
    lines that it prints there.
    """
    page = (ROOT / "docs/fuzzing.md").read_text("utf-8")
    blocks = re.findall(r"```\n\$ lockstep (.*?)\n(.*?)```", page, re.DOTALL)
    command, printed = next(block for block in blocks if f"/{name}.yaml" in block[0])
    words = [ROOT / word if word.startswith("src/") else word for word in command.split()]
    return words, *printed.splitlines()


def test_a_float32_port_is_found_out_by_one_small_message(stranger: Stranger):
    command, *expected = documented("imu_complementary_filter_f32")
    done = stranger.run(*command, "--examples", "examples")
    assert done.code == 1, done.err
    first, *rest = (" ".join(line.split()) for line in done.out.splitlines())
    assert first.startswith("DIFFERENT: found in 1 sequences of 1000 messages in ")
    assert first.endswith("; shrunk from 1000 messages to 1")
    assert rest == [" ".join(line.split()) for line in expected[1:]]
    with Bag(stranger.cwd / "found/bag") as bag:
        (message,) = bag.messages()
        imu = bag.codec("/imu").decode(message.data)
    rates, force = imu.angular_velocity, imu.linear_acceleration
    assert (rates.x, rates.y, rates.z) == (0.0, 0.0, 0.0)
    assert (force.x, force.y, force.z) == (0.0, 1.0, 0.0)

    again = stranger.run("verify", "found/verify.yaml", "-o", "again")
    assert again.code == 1
    assert "1 aligned, 1 differ" in again.out
    stranger.assert_nothing_left()


def test_twins_are_not_told_apart(stranger: Stranger):
    file = VERIFY / "vector_normalizer.yaml"
    options = ("--runs", "30", "--seed", "5", "--examples", "examples", "--json")
    done = stranger.run("fuzz", file, "-o", "out", *options)
    assert done.code == 0, done.out
    result = json.loads(done.out)
    assert (result["match"], result["seed"], result["sequences"]) == (True, 5, 30)
    assert result["sources"] == ["3000 recorded messages", "declared distributions", "mutations"]
    assert result["counterexample"] is None


def test_data_are_graded(stranger: Stranger):
    command, *expected = documented("vector_normalizer")
    done = stranger.run(*command)
    assert done.code == 0, done.err
    assert done.out.splitlines() == expected


def test_ctrl_c_ends_a_search(stranger: Stranger):
    file = VERIFY / "vector_normalizer.yaml"
    command = stranger.start("fuzz", file, "-o", "out", "--budget", "none", "--examples", "x")
    command.wait_until(lambda: (stranger.cwd / "out/cpp.log").exists(), "the search")
    command.signal_group(signal.SIGINT)
    done = command.end()
    assert done.code == 130
    stranger.assert_nothing_left(within_s=5)


@pytest.mark.parametrize(
    ("file", "options", "sentence"),
    [
        ("vector_normalizer.yaml", ("--budget", "soon"), "--budget soon is no time"),
    ],
)
def test_what_makes_no_sense_is_refused(stranger: Stranger, file, options, sentence):
    done = stranger.run("fuzz", VERIFY / file, *options)
    assert done.code == 2
    assert sentence in done.error
