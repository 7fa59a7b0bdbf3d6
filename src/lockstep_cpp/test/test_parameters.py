"""The parameters of a component's node, from outside: its command line, files and services."""

import re

import pytest
import rclpy
from live_graph import LATCHED, Inbox, call, connect, wait_until
from rcl_interfaces.msg import Parameter, ParameterEvent, ParameterType, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    GetParameterTypes,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from rclpy.parameter_client import AsyncParameterClient
from std_msgs.msg import String


def double(name, value):
    return Parameter(
        name=name, value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
    )


def string(name, value):
    return Parameter(
        name=name, value=ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=value)
    )


def doubles(name, value):
    return Parameter(
        name=name,
        value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE_ARRAY, double_array_value=value),
    )


def integer(name, value):
    return Parameter(
        name=name, value=ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=value)
    )


def test_parameters_are_listed_described_and_read(start, node):
    start("--ros-args", "-p", "gain:=2.5")
    listed = call(node, ListParameters, "/probe/list_parameters").result
    assert listed.names == [
        "use_sim_time",
        "start_type_description_service",
        "flag",
        "whole",
        "gain",
        "name",
        "lists.flags",
        "lists.wholes",
        "lists.gains",
        "lists.names",
        "share",
        "size",
        "weights",
        "frame",
    ]
    assert listed.prefixes == ["lists"]

    shallow = call(node, ListParameters, "/probe/list_parameters", depth=1).result
    assert "gain" in shallow.names
    assert "lists.gains" not in shallow.names
    below = call(node, ListParameters, "/probe/list_parameters", prefixes=["lists"]).result
    assert below.names == ["lists.flags", "lists.wholes", "lists.gains", "lists.names"]

    names = ["whole", "start_type_description_service"]
    described = call(node, DescribeParameters, "/probe/describe_parameters", names=names)
    assert [(d.name, d.type, d.read_only) for d in described.descriptors] == [
        ("whole", ParameterType.PARAMETER_INTEGER, False),
        ("start_type_description_service", ParameterType.PARAMETER_BOOL, True),
    ]
    assert described.descriptors[0].description == "a whole number"

    names = ["gain", "whole", "lists.names", "use_sim_time"]
    values = call(node, GetParameters, "/probe/get_parameters", names=names).values
    assert values[0].double_value == 2.5
    assert values[1].integer_value == 3
    assert values[2].string_array_value == ["a", "b"]
    assert values[3] == ParameterValue(type=ParameterType.PARAMETER_BOOL)
    types = call(node, GetParameterTypes, "/probe/get_parameter_types", names=names).types
    assert list(types) == [3, 2, 9, 1]


def test_ranges_and_read_only_parameters_are_described(start, node):
    start()
    names = ["share", "size", "weights", "frame", "gain"]
    share, size, weights, frame, gain = call(
        node, DescribeParameters, "/probe/describe_parameters", names=names
    ).descriptors
    assert (share.floating_point_range[0].from_value, share.floating_point_range[0].to_value) == (
        0.0,
        1.0,
    )
    assert share.floating_point_range[0].step == 0.0
    assert (size.integer_range[0].from_value, size.integer_range[0].to_value) == (1, 2**63 - 1)
    assert size.integer_range[0].step == 0
    assert weights.additional_constraints == "at least 0.0 in every element"
    assert [len(d.floating_point_range) for d in (size, weights, frame, gain)] == [0, 0, 0, 0]
    assert [d.read_only for d in (share, size, weights, frame, gain)] == [
        False,
        False,
        False,
        True,
        False,
    ]
    assert [d.type for d in (share, size, weights, frame)] == [3, 2, 8, 4]
    assert frame.description == "of the header"


def test_unknown_parameters_are_answered_with_nothing(start, node):
    start()
    names = ["gain", "unknown"]
    assert call(node, GetParameters, "/probe/get_parameters", names=names).values == []
    assert (
        list(call(node, GetParameterTypes, "/probe/get_parameter_types", names=names).types) == []
    )
    assert (
        call(node, DescribeParameters, "/probe/describe_parameters", names=names).descriptors == []
    )


def test_parameters_are_set_in_the_running_component(start, node):
    start()
    echoes = Inbox(node, String, "echo", LATCHED)
    events = Inbox(node, ParameterEvent, "/parameter_events", 100)
    texts = node.create_publisher(String, "text", 10)
    connect(node, texts)
    parameters = AsyncParameterClient(node, "probe")
    assert parameters.wait_for_services(20.0)
    wait_until(lambda: node.count_publishers("/parameter_events") == 2, node)

    future = parameters.set_parameters([rclpy.Parameter("gain", value=4.0)])
    wait_until(future.done, node)
    assert [result.successful for result in future.result().results] == [True]
    wait_until(lambda: any(event.changed_parameters for event in events), node)
    event = events[-1]
    assert event.node == "/probe"
    assert event.stamp.sec > 0
    assert [p.value.double_value for p in event.changed_parameters] == [4.0]

    texts.publish(String(data="text"))
    wait_until(lambda: echoes and "with gain 4.0" in echoes[-1].data, node)


def test_impossible_parameters_are_refused_with_a_reason(start, node):
    start()
    results = call(
        node,
        SetParameters,
        "/probe/set_parameters",
        parameters=[
            string("gain", "much"),
            double("unknown", 1.0),
            Parameter(
                name="start_type_description_service",
                value=ParameterValue(type=ParameterType.PARAMETER_BOOL),
            ),
            Parameter(name="gain"),
            double("gain", 3.0),
            double("share", 1.0),
            double("share", -0.5),
            double("share", float("nan")),
            integer("size", 0),
            doubles("weights", [1.0, 2.0, -1.0]),
            doubles("weights", []),
            string("frame", "base"),
        ],
    ).results
    assert [(result.successful, result.reason) for result in results] == [
        (False, "parameter 'gain' must be of type double, not string"),
        (False, "parameter 'unknown' is not declared"),
        (False, "parameter 'start_type_description_service' is read-only"),
        (False, "parameter 'gain' must be of type double, not no value"),
        (True, ""),
        (True, ""),
        (False, "parameter 'share' must be from 0.0 to 1.0, not -0.5"),
        (False, "parameter 'share' must be from 0.0 to 1.0, not NaN"),
        (False, "parameter 'size' must be at least 1, not 0"),
        (False, "parameter 'weights' must be at least 0.0 in every element, not -1.0"),
        (True, ""),
        (False, "parameter 'frame' is read-only"),
    ]
    gain = call(node, GetParameters, "/probe/get_parameters", names=["gain"]).values[0]
    assert gain.double_value == 3.0


def test_parameters_are_set_atomically_or_not_at_all(start, node):
    start()
    service = (SetParametersAtomically, "/probe/set_parameters_atomically")
    parameters = [double("gain", 9.0), double("name", 1.0)]
    assert not call(node, *service, parameters=parameters).result.successful
    gain = call(node, GetParameters, "/probe/get_parameters", names=["gain"]).values[0]
    assert gain.double_value == 0.5
    parameters = [double("gain", 9.0), string("name", "x")]
    assert call(node, *service, parameters=parameters).result.successful
    gain = call(node, GetParameters, "/probe/get_parameters", names=["gain"]).values[0]
    assert gain.double_value == 9.0


def test_a_component_hears_once_of_parameters_that_are_set_together(start, node):
    start()
    echoes = Inbox(node, String, "echo", LATCHED)
    wait_until(lambda: echoes, node)
    service = (SetParametersAtomically, "/probe/set_parameters_atomically")
    parameters = [double("gain", 9.0), double("share", 0.25)]
    assert call(node, *service, parameters=parameters).result.successful
    wait_until(lambda: len(echoes) > 1, node)
    # Neither of one that is refused, nor of one that every node has.
    assert not call(node, *service, parameters=[double("share", 2.0)]).result.successful
    on = ParameterValue(type=ParameterType.PARAMETER_BOOL, bool_value=True)
    use_sim_time = [Parameter(name="use_sim_time", value=on)]
    assert call(node, *service, parameters=use_sim_time).result.successful
    assert call(node, *service, parameters=[double("gain", 8.0)]).result.successful
    wait_until(lambda: any("gain 8.0" in echo.data for echo in echoes), node)
    assert [echo.data for echo in echoes] == [
        "started with gain 0.500000",
        "changed to gain 9.000000 and share 0.250000",
        "changed to gain 8.000000 and share 0.250000",
    ]


def test_values_of_the_command_line_are_no_change(start, node):
    start("--ros-args", "-p", "gain:=4.0", "-p", "frame:=map")
    echoes = Inbox(node, String, "echo", LATCHED)
    texts = node.create_publisher(String, "text", 10)
    connect(node, texts)
    texts.publish(String(data="text"))
    wait_until(lambda: len(echoes) >= 2, node)
    assert echoes[0].data == "started with gain 4.000000"
    assert echoes[1].data.startswith("text at ")
    frame = call(node, GetParameters, "/probe/get_parameters", names=["frame"]).values[0]
    assert frame.string_value == "map"


def test_exception_of_on_parameters_changed_ends_it_with_one_fatal_line(start, node):
    host = start("--ros-args", "-p", "use_sim_time:=true")
    client = node.create_client(SetParameters, "/probe/set_parameters")
    assert client.wait_for_service(timeout_sec=20.0)
    client.call_async(SetParameters.Request(parameters=[string("name", "throw")]))
    wait_until(lambda: host.process.poll() is not None, node)
    code, out, err = host.result()
    assert (code, out) == (3, "")
    where = r"( \(.*/probe\.py:\d+\))?"
    what = f"(RuntimeError: )?told to throw{where}\n"
    assert re.fullmatch(
        r"\[FATAL\] \[[0-9.]+\] \[probe\]: probe: "
        rf"on_parameters_changed failed at 0\.000000000 s: {what}",
        err,
    )


def test_parameter_files_apply_by_node_name(start, node, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text(
        "/**:\n  ros__parameters: {gain: 1.5, whole: 7}\n"
        "/robot/*:\n  ros__parameters: {gain: 2.5, lists: {gains: [1.0, 2.0, 3.0]}}\n"
        "/other/probe:\n  ros__parameters: {gain: 3.5}\n"
    )
    start("--ros-args", "-r", "__ns:=/robot", "--params-file", str(file), "-p", "name:=given")
    names = ["gain", "whole", "lists.gains", "name"]
    values = call(node, GetParameters, "/robot/probe/get_parameters", names=names).values
    assert values[0].double_value == 2.5
    assert values[1].integer_value == 7
    assert list(values[2].double_array_value) == [1.0, 2.0, 3.0]
    assert values[3].string_value == "given"


@pytest.mark.parametrize(
    ("pattern", "applies"),
    [
        ("/**", True),
        ("/robot/arm/probe", True),
        ("/robot/*/probe", True),
        ("/**/probe", True),
        ("/robot/**", True),
        ("/*/probe", False),
        ("/*", False),
        ("probe", False),
        ("/probe", False),
        ("/robot/arm/other", False),
    ],
)
def test_wildcards_of_parameter_files_stand_for_tokens(start, node, tmp_path, pattern, applies):
    file = tmp_path / "parameters.yaml"
    file.write_text(f"{pattern}:\n  ros__parameters: {{gain: 1.5}}\n")
    start("--ros-args", "-r", "__ns:=/robot/arm", "--params-file", str(file))
    values = call(node, GetParameters, "/robot/arm/probe/get_parameters", names=["gain"]).values
    assert values[0].double_value == (1.5 if applies else 0.5)


@pytest.mark.parametrize("pattern", ["probe", "/probe"])
def test_a_parameter_file_may_name_the_node_alone(start, node, tmp_path, pattern):
    file = tmp_path / "parameters.yaml"
    file.write_text(f"{pattern}:\n  ros__parameters:\n    lists:\n      gains: [1.5, 2.5]\n")
    start("--ros-args", "--params-file", str(file))
    values = call(node, GetParameters, "/probe/get_parameters", names=["lists.gains"]).values
    assert list(values[0].double_array_value) == [1.5, 2.5]


def test_a_parameter_file_out_of_range_ends_it_with_one_sentence(start, tmp_path):
    file = tmp_path / "parameters.yaml"
    file.write_text("probe:\n  ros__parameters: {share: 1.5}\n")
    code, out, err = start("--ros-args", "--params-file", str(file)).result()
    assert (code, out) == (2, "")
    assert err == "probe: parameter 'share' must be from 0.0 to 1.0, not 1.5\n"
