import pytest
from geometry_msgs.msg import Twist, Vector3Stamped
from lockstep.component import (
    Component,
    Contract,
    Input,
    Output,
    Parameter,
    QoS,
    Timer,
    contract_of,
)
from lockstep.component.port import message_class, type_name
from lockstep.run.direct import DirectRun


class Doubler(Component):
    vector = Input(Vector3Stamped, qos=QoS(reliability="best_effort", depth=5))
    doubled = Output(Vector3Stamped)
    factor = Parameter(2.0, description="what to multiply with")
    names = Parameter(["a", "b"])
    tick = Timer(0.5)

    def __init__(self) -> None:
        self.ticks: list[int] = []

    def on_vector(self, msg):
        msg.vector.x *= self.factor
        self.doubled.publish(msg)

    def on_tick(self):
        self.ticks.append(self.now())


def test_a_component_answers_on_its_output_at_the_time_of_its_input():
    run = DirectRun(Doubler(), {"factor": 3.0})
    message = Vector3Stamped()
    message.vector.x = 7.0
    run.send("vector", message, 1_000)
    assert [(t, m.vector.x) for t, m in run.outputs["doubled"]] == [(1_000, 21.0)]


def test_timers_run_on_the_time_of_messages_each_at_its_own_due_time():
    run = DirectRun(Doubler())
    run.send("vector", Vector3Stamped(), 1_000_000_000)
    run.send("vector", Vector3Stamped(), 2_700_000_000)
    assert run.component.ticks == [1_500_000_000, 2_000_000_000, 2_500_000_000]


def test_two_components_of_one_class_do_not_share_outputs():
    first, second = DirectRun(Doubler()), DirectRun(Doubler())
    first.send("vector", Vector3Stamped(), 1)
    assert len(first.outputs["doubled"]) == 1
    assert not second.outputs["doubled"]


def test_a_subclass_inherits_ports_and_may_replace_them():
    class Tripler(Doubler):
        factor = Parameter(3.0)

    assert list(Tripler.inputs) == ["vector"]
    assert DirectRun(Tripler()).component.factor == 3.0
    assert DirectRun(Doubler()).component.factor == 2.0


def test_a_parameter_may_have_a_name_that_is_no_identifier():
    class Limited(Component):
        speed = Parameter(1.5, name="limits.speed")

    assert [p.name for p in contract_of(Limited).parameters] == ["limits.speed"]
    assert DirectRun(Limited()).component.speed == 1.5
    assert DirectRun(Limited(), {"limits.speed": 2.0}).component.speed == 2.0


def test_two_parameters_of_one_name_are_refused_at_once():
    with pytest.raises(TypeError, match="Twice declares parameter 'speed' twice"):

        class Twice(Component):
            speed = Parameter(1.5)
            limit = Parameter(2.0, name="speed")


def test_an_input_without_its_method_is_refused_at_once():
    with pytest.raises(TypeError, match="declares 'scan' but has no method on_scan"):

        class Broken(Component):
            scan = Input(Twist)


def test_publishing_the_wrong_type_names_the_output_and_both_types():
    run = DirectRun(Doubler())
    with pytest.raises(
        TypeError, match="'doubled' takes geometry_msgs/msg/Vector3Stamped, not Twist"
    ):
        run.component.doubled.publish(Twist())


def test_a_component_cannot_set_its_own_parameters():
    with pytest.raises(AttributeError, match="set from outside"):
        DirectRun(Doubler()).component.factor = 1.0


@pytest.mark.parametrize("value", [None, {}, [], [1, 2.0], object()])
def test_only_ros_values_can_be_parameters(value):
    with pytest.raises(TypeError, match="is no parameter value"):
        Parameter(value)


@pytest.mark.parametrize("period", [0.0, -1.0, 1e-10, float("nan")])
def test_a_timer_needs_a_period(period):
    with pytest.raises(ValueError, match="1 ns or more"):
        Timer(period)


def test_a_contract_survives_json():
    contract = contract_of(Doubler)
    assert Contract.from_json(contract.to_json()) == contract


def test_a_double_written_as_a_whole_number_is_still_a_double():
    text = contract_of(Doubler).to_json().replace('"default": 2.0', '"default": 2')
    assert contract_of(Doubler).differences(Contract.from_json(text)) == []


def test_every_broken_promise_of_a_contract_is_named():
    class Other(Component):
        vector = Input(Twist)
        tripled = Output(Vector3Stamped)
        factor = Parameter(3, description="another text is no difference")
        names = Parameter(["a", "b"])
        tick = Timer(0.25)

        def on_vector(self, msg): ...

        def on_tick(self): ...

    assert sorted(contract_of(Doubler).differences(contract_of(Other))) == [
        "input 'vector' has qos reliable/volatile/depth 10, the reference has best_effort/volatile/depth 5",
        "input 'vector' has type 'geometry_msgs/msg/Twist', the reference has 'geometry_msgs/msg/Vector3Stamped'",
        "output 'doubled' is missing",
        "output 'tripled' is not in the reference",
        "parameter 'factor' has default 3, the reference has 2.0",
        "parameter 'factor' has type 'integer', the reference has 'double'",
        "timer 'tick' has period_ns 250000000, the reference has 500000000",
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"contract": 2}', '{"contract": 1, "inputs": 5}']
)
def test_what_is_no_contract_is_refused(text):
    with pytest.raises(ValueError, match="contract"):
        Contract.from_json(text)


def test_type_names_and_classes_are_inverse():
    assert type_name(message_class("geometry_msgs/msg/Twist")) == "geometry_msgs/msg/Twist"


@pytest.mark.parametrize("name", ["no_such_msgs/msg/X", "geometry_msgs/msg/NoSuch", "nonsense", ""])
def test_a_type_that_is_not_installed_is_named(name):
    with pytest.raises(LookupError, match=f"message type {name} is not installed"):
        message_class(name)
