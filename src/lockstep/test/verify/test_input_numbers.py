"""A difference is explained by the inputs that the outputs answer."""

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.run.inputs import RunInputs
from lockstep.verify.input_numbers import inputs_of
from made_bags import write_payloads

IN = "float64 speed\nint32 gear\nfloat64[] more\nstring name\n"
OUT = "float64 data\n"
SECOND = 10**9
N = 2000


def given(speed, gear):
    head = b"\0\1\0\0" + np.array([speed], "<f8").tobytes() + np.array([gear], "<i4").tobytes()
    return head + b"\0\0\0\0" + b"\2\0\0\0a\0"


def put_out(value):
    return b"\0\1\0\0" + np.array([value], "<f8").tobytes()


@pytest.fixture
def speed():
    return np.cumsum(np.random.default_rng(1).normal(size=N)) % 20


def inputs(tmp_path, times_s, speed):
    gears = np.arange(len(speed)) % 5
    messages = [
        (int(at * SECOND), given(v, gear))
        for at, v, gear in zip(times_s, speed, gears, strict=True)
    ]
    bag = Bag(write_payloads(tmp_path / "in", "test_msgs/msg/In", IN, messages, topic="/car"))
    return RunInputs(bag, {"/car": "/drive"})


def outputs(folder, times_s, values):
    messages = [(int(at * SECOND), put_out(v)) for at, v in zip(times_s, values, strict=True)]
    return Bag(write_payloads(folder, "test_msgs/msg/Out", OUT, messages, topic="/out"))


def test_an_output_answers_the_last_input_before_it(tmp_path, speed):
    times_s = 100 + np.arange(N) * 0.01
    asked = inputs_of(
        inputs(tmp_path, times_s, speed), outputs(tmp_path / "a", times_s[::3] + 0.005, speed[::3])
    )
    ticks = np.array([0, 10, 11, 400])
    found = asked("/out", ticks)
    assert list(found) == ["drive.speed", "drive.gear"]  # numbers alone, by the name of the input
    assert np.array_equal(found["drive.speed"], speed[::3][ticks])
    assert np.array_equal(found["drive.gear"], (3 * ticks) % 5)


def test_nothing_is_known_where_time_steps_back(tmp_path, speed):
    times_s = 100 + np.arange(N) * 0.01
    times_s[1000:] -= 5.0
    asked = inputs_of(inputs(tmp_path, times_s, speed), outputs(tmp_path / "a", times_s, speed))
    assert asked("/out", np.arange(10)) == {}


def test_a_comparison_names_the_condition(tmp_path, speed):
    times_s = 100 + np.arange(N) * 0.01
    right = np.sin(np.arange(N) / 30)
    a = outputs(tmp_path / "a", times_s, right)
    b = outputs(tmp_path / "b", times_s, np.where(speed > 12.5, 2 * right, right))
    asked = inputs_of(inputs(tmp_path, times_s, speed), a)
    found = compare(a, b, align="tick", inputs_of=asked).keys["/out"].explained.diagnoses["data"]
    assert found.law == "branch"
    assert found.sentence.startswith("where input drive.speed is above 12.")
    assert found.sentence.endswith("b is a × 2")
