"""The prompt that follows a red verdict tells where it first went wrong, and shows whole inputs."""

import json

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.compare.result import comparison_as_data
from lockstep.errors import PortError
from lockstep.port.fix import fix_prompt
from made_bags import write_payloads

NUMBER = "float64 data\n"


def written(folder, values):
    messages = [
        (i * 10, b"\0\1\0\0" + np.array([value], "<f8").tobytes()) for i, value in enumerate(values)
    ]
    return Bag(write_payloads(folder, "test_msgs/msg/Number", NUMBER, messages, topic="/out"))


@pytest.fixture
def red_run(tmp_path):
    """The folder of a verification whose port is off by the last bit, and from tick 60 on by 1."""
    a = np.linspace(1.0, 2.0, 100)
    b = a + np.where(np.arange(100) < 60, 4.5e-16, 1.0)
    comparison = compare(written(tmp_path / "a", a), written(tmp_path / "b", b))
    result = {
        "version": 1,
        "reference": "python",
        "contract_mismatches": {},
        "runs": {},
        "comparisons": {
            "cpp": {**comparison_as_data(comparison), "verdict": "differs", "objections": []}
        },
    }
    (tmp_path / "result.json").write_text(json.dumps(result))
    (tmp_path / "contract.json").write_text(json.dumps({"component": "Mine"}))
    return tmp_path


def told_of_a_match(folder, verdict):
    """What is said of a run whose messages are equal, with a reason why it is no match."""
    same = written(folder / "same", np.linspace(1.0, 2.0, 100))
    result = json.loads((folder / "result.json").read_text())
    objections = ["cpp: it is another one"]
    found = {**comparison_as_data(compare(same, same)), "match": False}
    result["comparisons"] = {"cpp": {**found, "verdict": verdict, "objections": objections}}
    (folder / "result.json").write_text(json.dumps(result))
    return fix_prompt(folder).to_markdown()


def test_what_does_not_do_the_same_again_is_to_be_mended(red_run):
    assert "* cpp: it is another one" in told_of_a_match(red_run, "differs")


def test_where_there_is_no_verdict_there_is_nothing_to_mend(red_run):
    with pytest.raises(PortError, match=r"holds no verdict \(cpp: it is another one\)"):
        told_of_a_match(red_run, "no verdict")


def test_the_first_difference_beyond_rounding_is_named_beside_the_first(red_run):
    text = fix_prompt(red_run).to_markdown()
    assert "* first at tick " in text
    assert "* first beyond rounding at tick 60, " in text


@pytest.mark.parametrize(("lines", "first"), [(40, "/in 8 t 0.8"), (119, "/in 9 t 0.9")])
def test_inputs_begin_with_the_head_of_a_message(red_run, lines, first):
    folder = red_run / "cpp_vs_python"
    folder.mkdir()
    text = [
        line
        for i in range(10)
        for line in (f"/in {i} t 0.{i}", *(f"field: {n}" for n in range(lines)))
    ]
    (folder / "inputs_before_first_difference.txt").write_text("\n".join(text) + "\n")
    told = fix_prompt(red_run).to_markdown()
    shown = told.partition("## Inputs before the first difference")[2].split("```")[1]
    assert shown.strip().startswith(first)
    assert shown.strip().endswith(f"field: {lines - 1}")


def test_of_a_message_that_is_too_long_its_start_is_shown(red_run):
    folder = red_run / "cpp_vs_python"
    folder.mkdir()
    text = ["/in 0 t 0.5", *(f"field: {n}" for n in range(500))]
    (folder / "inputs_before_first_difference.txt").write_text("\n".join(text) + "\n")
    told = fix_prompt(red_run).to_markdown()
    shown = told.partition("## Inputs before the first difference")[2].split("```")[1]
    assert shown.strip().startswith("/in 0 t 0.5\nfield: 0")
    assert shown.strip().endswith("… 381 more lines of this message")
