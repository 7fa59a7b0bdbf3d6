from dataclasses import replace

import pytest
from geometry_msgs.msg import Twist, Vector3, Vector3Stamped
from lockstep.cdr.codec import codec
from lockstep.component import (
    Component,
    Contract,
    Input,
    Output,
    Parameter,
    QoS,
    Service,
    Timer,
    contract_of,
)
from lockstep.errors import CallbackError, UsageError
from lockstep.host.in_process import InProcess
from lockstep.message.definitions import definition
from lockstep.message.definitions import type_hash as type_hash_on_disk
from lockstep.message.rosidl import message_class, type_hash, type_name
from std_srvs.srv import SetBool, Trigger

VECTOR = codec("geometry_msgs/msg/Vector3Stamped", definition("geometry_msgs/msg/Vector3Stamped"))


class Hosted:
    """A component in this process, whose one input and output are vectors."""

    def __init__(self, component, parameters=None):
        self.component = component
        self.published = []
        self.host = InProcess(component, parameters or {}, self._take)

    def send(self, x, time_ns):
        self.host.deliver(0, time_ns, VECTOR.encode(Vector3Stamped(vector=Vector3(x=x))))

    def _take(self, output, time_ns, data):
        self.published.append((output, time_ns, VECTOR.decode(data).vector.x))


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
    hosted = Hosted(Doubler(), {"factor": 3.0})
    hosted.send(7.0, 1_000)
    assert hosted.published == [(0, 1_000, 21.0)]


def test_timers_run_on_the_time_of_messages_each_at_its_own_due_time():
    hosted = Hosted(Doubler())
    hosted.send(0.0, 1_000_000_000)
    hosted.send(0.0, 2_700_000_000)
    assert hosted.component.ticks == [1_500_000_000, 2_000_000_000, 2_500_000_000]


def test_two_components_of_one_class_do_not_share_outputs():
    first, second = Hosted(Doubler()), Hosted(Doubler())
    first.send(1.0, 1)
    assert (len(first.published), len(second.published)) == (1, 0)


def test_a_subclass_inherits_ports_and_may_replace_them():
    class Tripler(Doubler):
        factor = Parameter(3.0)

    assert list(Tripler.inputs) == ["vector"]
    assert Hosted(Tripler()).component.factor == 3.0
    assert Hosted(Doubler()).component.factor == 2.0


def test_a_parameter_may_have_a_name_that_is_no_identifier():
    class Limited(Component):
        speed = Parameter(1.5, name="limits.speed")

    assert [p.name for p in contract_of(Limited).parameters] == ["limits.speed"]
    assert Hosted(Limited()).component.speed == 1.5
    assert Hosted(Limited(), {"limits.speed": 2.0}).component.speed == 2.0


def test_two_parameters_of_one_name_are_refused_at_once():
    with pytest.raises(TypeError, match=r"^Twice: parameter 'speed' is declared twice$"):

        class Twice(Component):
            speed = Parameter(1.5)
            limit = Parameter(2.0, name="speed")


def test_an_input_without_its_method_is_refused_at_once():
    with pytest.raises(TypeError, match="declares 'scan' but has no method on_scan"):

        class Broken(Component):
            scan = Input(Twist)


def test_publishing_the_wrong_type_names_the_output_and_both_types():
    hosted = Hosted(Doubler())
    with pytest.raises(
        TypeError, match="'doubled' takes geometry_msgs/msg/Vector3Stamped, not Twist"
    ):
        hosted.component.doubled.publish(Twist())


def test_a_component_cannot_set_its_own_parameters():
    with pytest.raises(AttributeError, match="set from outside"):
        Hosted(Doubler()).component.factor = 1.0


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
        (
            "input 'vector' has qos reliable/volatile/depth 10, the reference has "
            "best_effort/volatile/depth 5"
        ),
        (
            "input 'vector' has type 'geometry_msgs/msg/Twist', the reference has "
            "'geometry_msgs/msg/Vector3Stamped'"
        ),
        "output 'doubled' is missing",
        "output 'tripled' is not in the reference",
        "parameter 'factor' has default 3, the reference has 2.0",
        "parameter 'factor' has type 'integer', the reference has 'double'",
        "timer 'tick' has period_ns 250000000, the reference has 500000000",
    ]


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"contract": 2}', '{"contract": 2, "inputs": 5}']
)
def test_what_is_no_contract_is_refused(text):
    with pytest.raises(ValueError, match="contract"):
        Contract.from_json(text)


def test_a_contract_in_another_version_is_refused_in_one_sentence():
    text = contract_of(Doubler).to_json().replace('"contract": 2', '"contract": 1')
    with pytest.raises(ValueError) as caught:
        Contract.from_json(text)
    assert str(caught.value) == (
        "the contract is in version 1 of the format, not 2; build the component with this version "
        "of Lockstep"
    )


def test_the_hash_of_a_message_is_that_of_its_definition():
    for message_type in (Twist, Vector3Stamped):
        assert type_hash(message_type) == type_hash_on_disk(type_name(message_type))
    assert type_hash(int) is None


def test_messages_that_are_defined_differently_in_two_builds_are_told_by_their_hashes():
    ours = contract_of(Doubler)
    port = ours.inputs[0]
    other = f"RIHS01_{'0123456789abcdef' * 4}"
    assert port.type_hash is not None
    theirs = replace(ours, inputs=(replace(port, type_hash=other),))
    (difference,) = ours.differences(theirs)
    assert difference == (
        "input 'vector' has geometry_msgs/msg/Vector3Stamped with hash RIHS01_01234567…, the "
        f"reference has {port.type_hash[:15]}…: the message is defined differently in the two "
        "builds"
    )
    unknown = replace(ours, inputs=(replace(port, type_hash=None),))
    assert ours.differences(unknown) == unknown.differences(ours) == []
    assert Contract.from_json(unknown.to_json()) == unknown


class Bounded(Component):
    share = Parameter(0.5, "of the whole", minimum=0, maximum=1.0)
    size = Parameter(10, minimum=1)
    weights = Parameter([0.5, 2.0], minimum=0.0)
    frame = Parameter("base", read_only=True)

    def __init__(self) -> None:
        self.changes: list[float] = []

    def on_parameters_changed(self):
        self.changes.append(self.share)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("share", 2.0, "parameter 'share' must be from 0.0 to 1.0, not 2.0"),
        ("share", float("nan"), "parameter 'share' must be from 0.0 to 1.0, not NaN"),
        ("share", 1, "parameter 'share' must be of type double, not integer"),
        ("size", 0, "parameter 'size' must be at least 1, not 0"),
        (
            "weights",
            [1.0, -1.5],
            "parameter 'weights' must be at least 0.0 in every element, not -1.5",
        ),
    ],
)
def test_a_value_out_of_range_is_refused_at_start_and_later(name, value, sentence):
    with pytest.raises(UsageError) as at_start:
        Hosted(Bounded(), {name: value})
    hosted = Hosted(Bounded())
    with pytest.raises(UsageError) as later:
        hosted.host.set_parameters({"share": 0.75, name: value})
    assert str(at_start.value) == str(later.value) == sentence
    assert hosted.component.share == 0.5
    assert hosted.component.changes == []


def test_both_ends_belong_to_a_range_and_an_empty_list_is_in_it():
    hosted = Hosted(Bounded(), {"share": 0.0, "size": 1, "weights": []})
    hosted.host.set_parameters({"share": 1.0})
    assert (hosted.component.share, hosted.component.size, hosted.component.weights) == (1.0, 1, [])


def test_a_read_only_parameter_has_its_value_from_the_start():
    hosted = Hosted(Bounded(), {"frame": "map"})
    with pytest.raises(UsageError, match=r"^parameter 'frame' is read-only$"):
        hosted.host.set_parameters({"frame": "odom"})
    assert hosted.component.frame == "map"


def test_a_component_hears_once_of_parameters_that_are_set_together_and_never_of_the_first_values():
    hosted = Hosted(Bounded(), {"share": 0.25})
    assert hosted.component.changes == []
    hosted.host.set_parameters({"share": 0.75, "size": 3})
    assert hosted.component.changes == [0.75]


@pytest.mark.parametrize(
    ("default", "bounds", "error", "sentence"),
    [
        (
            2.0,
            {"maximum": 1},
            ValueError,
            "the default of a parameter must be at most 1.0, not 2.0",
        ),
        (1.5, {"minimum": 2, "maximum": 1}, ValueError, "must be from 2.0 to 1.0, not 1.5"),
        (
            1,
            {"minimum": 0.5},
            TypeError,
            "the minimum of a parameter of type integer cannot be 0.5",
        ),
        (
            1.0,
            {"maximum": float("nan")},
            TypeError,
            "the maximum of a parameter of type double cannot be nan",
        ),
        (
            1.0,
            {"maximum": "2"},
            TypeError,
            "the maximum of a parameter of type double cannot be '2'",
        ),
        (
            True,
            {"maximum": 1},
            TypeError,
            "a parameter of type bool has no maximum; only numbers have",
        ),
        (["a"], {"minimum": 1}, TypeError, "a parameter of type string_array has no minimum"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused_at_once(default, bounds, error, sentence):
    with pytest.raises(error, match=sentence):
        Parameter(default, **bounds)


def test_ranges_and_read_only_are_promises_of_a_contract():
    class Other(Component):
        share = Parameter(0.5, minimum=0, maximum=2)
        size = Parameter(10)
        weights = Parameter([0.5, 2.0], minimum=0)
        frame = Parameter("base")

    assert sorted(contract_of(Bounded).differences(contract_of(Other))) == [
        "parameter 'frame' has read_only False, the reference has True",
        "parameter 'share' has maximum 2.0, the reference has 1.0",
        "parameter 'size' has minimum none, the reference has 1",
    ]


# The same sentences as in lockstep_cpp's test_component.cpp.
@pytest.mark.parametrize(
    ("name", "declared", "sentence"),
    [
        (
            "now",
            Output(Vector3),
            (
                "output 'now' has the name of an attribute that every component has; choose "
                "another name, and give a port its topic, or a parameter its ROS name, by itself"
            ),
        ),
        (
            "start",
            Timer(1.0),
            (
                "timer 'start' cannot have this name, because on_start is called for another "
                "reason; choose another name"
            ),
        ),
        (
            "front/left",
            Output(Vector3),
            (
                "output 'front/left' has a name that is no identifier; use letters, digits and "
                "underscores, and no digit at the beginning"
            ),
        ),
        (
            "state",
            Output(Vector3, "my state"),
            (
                "output 'state' has the topic 'my state', which is no name of a ROS topic; use "
                "letters, digits, underscores and single slashes, no digit at the beginning of a "
                "part, and ~/ in front alone"
            ),
        ),
    ],
)
def test_a_name_that_is_taken_or_impossible_is_refused_at_once(name, declared, sentence):
    with pytest.raises(TypeError) as caught:
        type("Confused", (Component,), {name: declared, f"on_{name}": print})
    assert str(caught.value) == f"Confused: {sentence}"


OF_EVERY_COMPONENT = [name for name in dir(Component()) if not name.startswith("_")]


@pytest.mark.parametrize("name", ["host", *OF_EVERY_COMPONENT])
@pytest.mark.parametrize("declared", [Output(Vector3), Timer(1.0), Parameter(1)])
def test_no_declaration_can_take_the_place_of_an_attribute_of_every_component(name, declared):
    with pytest.raises(TypeError, match=f"'{name}' has the name of an attribute"):
        type("Confused", (Component,), {name: declared, f"on_{name}": print})


def test_an_output_may_be_called_like_a_hook():
    class Starter(Component):
        start = Output(Vector3)

    assert list(Starter.outputs) == ["start"]


def test_type_names_and_classes_are_inverse():
    assert type_name(message_class("geometry_msgs/msg/Twist")) == "geometry_msgs/msg/Twist"


@pytest.mark.parametrize("name", ["no_such_msgs/msg/X", "geometry_msgs/msg/NoSuch", "nonsense", ""])
def test_a_type_that_is_not_installed_is_named(name):
    with pytest.raises(LookupError, match=f"message type {name} is not installed"):
        message_class(name)


class Switch(Component):
    toggle = Service(SetBool)
    reset = Service(Trigger, "~/reset")

    def on_toggle(self, request):
        return SetBool.Response(success=request.data, message=str(self.now()))

    def on_reset(self, request):
        return SetBool.Response()  # of another service


def test_a_service_is_an_input_of_requests_and_an_output_of_responses():
    contract = contract_of(Switch)
    assert [(port.name, port.topic, port.type) for port in contract.inputs] == [
        ("toggle", "toggle/_request", "std_srvs/srv/SetBool_Request"),
        ("reset", "~/reset/_request", "std_srvs/srv/Trigger_Request"),
    ]
    assert [(port.name, port.topic, port.type) for port in contract.outputs] == [
        ("toggle_response", "toggle/_response", "std_srvs/srv/SetBool_Response"),
        ("reset_response", "~/reset/_response", "std_srvs/srv/Trigger_Response"),
    ]
    for port in (*contract.inputs, *contract.outputs):
        assert port.type_hash == type_hash_on_disk(port.type)


def test_what_a_service_returns_is_published_at_the_time_of_the_request():
    published = []
    host = InProcess(Switch(), {}, lambda *one: published.append(one))
    asked, answered = (
        codec(f"std_srvs/srv/SetBool_{part}", definition(f"std_srvs/srv/SetBool_{part}"))
        for part in ("Request", "Response")
    )
    host.deliver(0, 7_000, asked.encode({"data": True}))
    ((output, time_ns, data),) = published
    assert (output, time_ns) == (0, 7_000)
    assert answered.decode(data).message == "7000"


def test_a_service_that_returns_no_response_of_its_own_fails_by_its_name():
    host = InProcess(Switch(), {}, lambda *_: None)
    asked = codec("std_srvs/srv/Trigger_Request", definition("std_srvs/srv/Trigger_Request"))
    with pytest.raises(
        CallbackError,
        match=r"on_reset failed .* is to return a std_srvs/srv/Trigger_Response, not SetBool_Resp",
    ):
        host.deliver(1, 1, asked.encode({}))


def test_services_are_refused_that_cannot_be():
    with pytest.raises(TypeError, match=r"Twist'> is no service type; give one such as std_srvs"):
        Service(Twist)
    with pytest.raises(TypeError, match=r"output 'toggle_response' is declared twice"):
        type("Twice", (Switch,), {"toggle_response": Output(Twist)})
    with pytest.raises(TypeError, match=r"service 'services' has the name of an attribute that ev"):
        type("Taken", (Component,), {"services": Service(SetBool)})
    with pytest.raises(TypeError, match=r"declares 'toggle' but has no method on_toggle"):
        type("Deaf", (Component,), {"toggle": Service(SetBool)})
    with pytest.raises(TypeError, match=r"service 'ask' has the topic 'a b', which is no name"):
        type("Odd", (Component,), {"ask": Service(SetBool, "a b"), "on_ask": print})
