"""What is shown of the inputs before the first difference is what had been given by then."""

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.run.inputs import RunInputs
from lockstep.run.result import RunResult
from lockstep.verify.inputs_before import inputs_before, step_of
from lockstep.verify.judge import Recorded
from made_bags import write_payloads

NUMBER = "float64 data\n"
SECOND = 10**9


def number(value):
    return b"\0\1\0\0" + np.array([value], "<f8").tobytes()


def written(folder, times_s, values, topic):
    messages = [
        (int(at * SECOND), number(value)) for at, value in zip(times_s, values, strict=True)
    ]
    return Bag(write_payloads(folder, "test_msgs/msg/Number", NUMBER, messages, topic=topic))


def shown(tmp_path, times_s, wrong):
    """The values that are shown if each input is answered, and answer `wrong` differs."""
    values = np.arange(len(times_s), dtype=float)
    inputs = RunInputs(written(tmp_path / "in", times_s, values, "/in"), {"/in": "/in"})
    a = written(tmp_path / "a", times_s, values, "/out")
    b = written(tmp_path / "b", times_s, np.where(values == wrong, -1.0, values), "/out")
    result = RunResult("a", a.path, {}, {}, int(times_s[0] * SECOND), None, None, None)
    comparison = compare(a, b, align="tick")
    return list(inputs_before(inputs, Recorded("a", result, a), comparison))


def test_the_last_three_messages_are_shown(tmp_path):
    lines = shown(tmp_path, [100 + 0.1 * i for i in range(20)], 12)
    assert [line for line in lines if line.startswith("data")] == [
        "data: 10.0",
        "data: 11.0",
        "data: 12.0",
    ]
    assert lines[0] == "/in 10 t 1.000000000"


@pytest.mark.parametrize("wrong", [5, 14])
def test_after_a_reset_of_the_clock_they_are_those_of_its_epoch(tmp_path, wrong):
    times_s = [100.0 + i for i in range(10)] + [50.0 + 10 * i for i in range(10)]
    lines = shown(tmp_path, times_s, wrong)
    expected = [f"data: {value:.1f}" for value in range(wrong - 2, wrong + 1)]
    assert [line for line in lines if line.startswith("data")] == expected


def test_outputs_belong_to_the_step_in_whose_epoch_they_were_published():
    steps = np.array([10, 20, 30, 5, 15, 25, 35, 4, 14])
    assert step_of(np.array([10, 20]), steps) == 1
    assert step_of(np.array([10, 25]), steps) == 1  # of a timer between two steps
    assert step_of(np.array([10, 30, 15]), steps) == 4
    assert step_of(np.array([10, 30, 15, 14]), steps) == 8
    assert step_of(np.array([30, 4]), steps) == 7  # nothing was published in the epoch between
    assert step_of(np.array([9]), steps) is None
    assert step_of(np.array([1000]), steps) is None
