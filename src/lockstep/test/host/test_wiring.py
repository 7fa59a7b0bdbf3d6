"""Components wired to each other in one process: a playback drives them, a recorder keeps what
comes out."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from lockstep.component import Component, Input, Output, Parameter, Timer
from lockstep.dataset import DataPlayback, DataRecorder, Dataset
from lockstep.errors import RunError, UsageError
from lockstep.host.wiring import Wiring

MS = 1_000_000
T0 = 1_700_000_000_000_000_000
FAST = DataPlayback.Config(rate=math.inf)


@dataclass
class Reading:
    value: float = 0.0


class Scaler(Component):
    reading = Input(Reading)
    scaled = Output(Reading)
    factor = Parameter(2.0)

    def on_reading(self, msg: Reading) -> None:
        msg.value *= self.factor  # its own copy
        self.scaled.publish(msg)
        msg.value = math.nan


class Ticking(Component):
    reading = Input(Reading)
    ticked = Output(str)
    fast = Timer(0.010)

    def on_start(self) -> None:
        self.ticked.publish("start")

    def on_reading(self, msg: Reading) -> None:
        self.ticked.publish(f"reading {msg.value}")

    def on_fast(self) -> None:
        self.ticked.publish("tick")


class Echo(Component):
    """Sends back what it gets, until it is 4."""

    call = Input(Reading)
    answer = Output(Reading)

    def __init__(self) -> None:
        self.is_called = False

    def on_call(self, msg: Reading) -> None:
        assert not self.is_called
        self.is_called = True
        if msg.value < 4:
            self.answer.publish(Reading(msg.value + 1))
        self.is_called = False


class Failing(Component):
    reading = Input(Reading)

    def on_reading(self, msg: Reading) -> None:
        raise ValueError("broken")


def readings(count: int, period_ms: int = 10) -> Dataset:
    made = Dataset.create()
    for tick in range(count):
        made.append("reading", Reading(float(tick)), T0 + tick * period_ms * MS)
    return made


def recorded(recorder: DataRecorder, name: str) -> list[tuple[int, Any]]:
    records = recorder.dataset[name].records()
    return [((record.stamp_ns - T0) // MS, record.value) for record in records]


def test_what_a_component_makes_of_a_playback_is_recorded_at_the_time_of_its_input():
    made, scaler = readings(3), Scaler()
    playback, recorder = DataPlayback(made, FAST), DataRecorder().add_input("scaled", Reading)
    wiring = Wiring().connect(playback.outputs["reading"], scaler.inputs["reading"])
    wiring.connect(scaler.outputs["scaled"], recorder.inputs["scaled"])
    assert playback.play_realtime() == 3
    assert recorded(recorder, "scaled") == [
        (0, Reading(0.0)),
        (10, Reading(2.0)),
        (20, Reading(4.0)),
    ]
    assert [value.value for value in made["reading"]] == [0.0, 1.0, 2.0], "the input stays as it is"


def test_parameters_are_given_when_a_component_is_added():
    scaler, recorder = Scaler(), DataRecorder().add_input("scaled")
    playback = DataPlayback(readings(2), FAST)
    wiring = Wiring().add(scaler, {"factor": 3.0})
    wiring.connect(playback.outputs["reading"], scaler.reading)
    wiring.connect(scaler.scaled, recorder.inputs["scaled"])
    playback.play_realtime()
    assert [value.value for value in recorder.dataset["scaled"]] == [0.0, 3.0]
    with pytest.raises(UsageError, match="parameter 'gain' is not declared"):
        Wiring().add(Scaler(), {"gain": 1.0})


def test_timers_fire_on_the_time_of_the_playback_each_at_its_own():
    ticking, recorder = Ticking(), DataRecorder().add_input("ticked", str)
    playback = DataPlayback(readings(3, 25), FAST)
    wiring = Wiring().connect(playback.outputs["reading"], ticking.reading)
    wiring.connect(ticking.ticked, recorder.inputs["ticked"])
    playback.play_realtime()
    assert recorded(recorder, "ticked")[1:] == [
        (0, "reading 0.0"),
        (10, "tick"),
        (20, "tick"),
        (25, "reading 1.0"),
        (30, "tick"),
        (40, "tick"),
        (50, "tick"),
        (50, "reading 2.0"),
    ]
    assert recorder.dataset["ticked"][0] == "start"


def test_components_in_a_circle_are_never_called_while_they_are():
    first, second, recorder = Echo(), Echo(), DataRecorder().add_input("both")
    playback = DataPlayback(readings(1), FAST)
    wiring = Wiring().connect(playback.outputs["reading"], first.call)
    wiring.connect(first.answer, second.call).connect(second.answer, first.call)
    wiring.connect(first.answer, recorder.inputs["both"])
    wiring.connect(second.answer, recorder.inputs["both"])
    playback.play_realtime()
    assert [value.value for value in recorder.dataset["both"]] == [1.0, 2.0, 3.0, 4.0]


def test_an_output_goes_to_several_inputs_each_with_a_copy_of_its_own():
    scaler, other, recorder = Scaler(), Scaler(), DataRecorder().add_input("raw").add_input("out")
    playback = DataPlayback(readings(2), FAST)
    wiring = Wiring()
    for component in (scaler, other):
        wiring.connect(playback.outputs["reading"], component.reading)
        wiring.connect(component.scaled, recorder.inputs["out"])
    wiring.connect(playback.outputs["reading"], recorder.inputs["raw"])
    playback.play_realtime()
    assert [value.value for value in recorder.dataset["raw"]] == [0.0, 1.0]
    assert [value.value for value in recorder.dataset["out"]] == [0.0, 0.0, 2.0, 2.0]


def test_an_error_of_a_component_ends_the_playing_and_says_where():
    failing, playback = Failing(), DataPlayback(readings(3), FAST)
    Wiring().connect(playback.outputs["reading"], failing.reading)
    with pytest.raises(RunError, match=r"on_reading failed at .* ValueError: broken"):
        playback.play_realtime()


def test_ports_that_do_not_fit_are_refused_in_a_sentence():
    recorder = DataRecorder().add_input("x", float)
    with pytest.raises(UsageError, match="gives Reading, but input 'x' takes float"):
        Wiring().connect(Scaler().scaled, recorder.inputs["x"])
    with pytest.raises(UsageError, match="'scaled' is a port of a class"):
        Wiring().connect(Scaler.scaled, Scaler().reading)
    scaler = Scaler()
    Wiring().add(scaler)
    with pytest.raises(UsageError, match="Scaler has a host already"):
        Wiring().add(scaler)


def test_a_wired_run_gives_what_a_direct_run_gives(bags: Path):
    examples = pytest.importorskip("lockstep_examples", reason="there is no ROS here")
    from lockstep.bag import Bag
    from lockstep.cdr.codec import installed_codec
    from lockstep.host.in_process import InProcess

    topic, count = "/imu/acceleration", 200
    direct: list[tuple[int, bytes]] = []
    host = InProcess(
        examples.VectorNormalizer(), {}, lambda _, time_ns, data: direct.append((time_ns, data))
    )
    with Bag(bags / "husky_acceleration") as bag:
        for message in bag.messages([topic]):
            if host.steps < count:
                host.deliver(0, message[1], message[3])

    normalizer, recorder = examples.VectorNormalizer(), DataRecorder()
    recorder.add_input("normalized", normalizer.normalized.message_type)
    with Dataset.load(bags / "husky_acceleration") as dataset:
        playback = DataPlayback(dataset.select(topic, ticks=slice(count)), FAST)
        wiring = Wiring().connect(playback.outputs[topic], normalizer.vector)
        wiring.connect(normalizer.normalized, recorder.inputs["normalized"])
        playback.play_realtime()
    encode = installed_codec("geometry_msgs/msg/Vector3Stamped").encode
    wired = [(r.stamp_ns, encode(r.value)) for r in recorder.dataset["normalized"].records()]
    assert len(wired) == count
    assert wired == direct
