"""Services of components, in Python and C++: a service is an input of requests and an output of
responses."""

import signal
import subprocess
import time

import pytest
import rclpy
import yaml
from geometry_msgs.msg import Vector3, Vector3Stamped
from lockstep.bag import Bag
from lockstep.cdr.codec import codec
from lockstep.errors import UsageError
from lockstep.message.definitions import definition
from lockstep.port import create_prompt
from lockstep.run.domain import isolated_domain
from lockstep.run.implementation import command_of
from lockstep.run.model import Implementation
from lockstep.run.nodes.registered import registered_contract
from lockstep.run.nodes.started import Start
from lockstep.run.nodes.stepped import SteppedNode
from lockstep.search.fuzz import Budget, fuzz
from lockstep.verify.model import load as load_verification
from lockstep.verify.verdict import outcome
from lockstep.verify.verify import verify
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from service_bags import write_with_requests
from std_srvs.srv import SetBool

PYTHON = {"component": "lockstep_examples:VectorGate"}
CPP = {"executable": "lockstep_examples_cpp/vector_gate"}
EVENT, VECTOR = "std_srvs/srv/SetBool_Event", "geometry_msgs/msg/Vector3Stamped"
EVENTS = "/gate/_service_event"
START_NS = 1_700_000_000 * 10**9
EVERY_NS = 10**7


@pytest.fixture
def bag(tmp_path):
    """100 vectors a second for 1 s, and ten requests, of which every second one closes the gate."""

    def steps():
        for number in range(100):
            at_ns = START_NS + number * EVERY_NS
            yield "/imu", at_ns, Vector3Stamped(vector=Vector3(x=float(number)))
            if number % 10 == 5:
                asked = {"data": number % 20 == 15}
                yield EVENTS, at_ns, (asked, {"success": False, "message": "of another robot"})

    def write(name="bag", **options):
        topics = {"/imu": VECTOR, EVENTS: EVENT}
        return write_with_requests(tmp_path / name, EVENT, steps(), topics, **options)

    return write


@pytest.fixture
def declared(tmp_path):
    """A verification of the twins by a bag."""

    def declare(bag, mode="direct", **sections):
        content = {
            "implementations": {"python": PYTHON, "cpp": CPP},
            "reference": "python",
            "inputs": {
                "bag": str(bag),
                "topics": {"vector": "/imu"},
                "services": {"/set_open": EVENTS},
            },
            "run": {"mode": mode, "repeat": 1},
            "compare": {"align": "cause"},
        } | sections
        file = tmp_path / "verify.yaml"
        file.write_text(yaml.safe_dump(content))
        return load_verification(file)

    return declare


def answers(run):
    """(ns since the first input, success, message) of each response."""
    with Bag(run.bag) as bag:
        decode = bag.codec("/set_open/_response").decode
        told = [
            (one.log_time_ns, decode(one.data)) for one in bag.messages(["/set_open/_response"])
        ]
    return [(at_ns - START_NS, answer.success, answer.message) for at_ns, answer in told]


@pytest.mark.parametrize("mode", ["direct", "live"])
def test_twins_answer_the_requests_of_a_bag_alike(declared, bag, tmp_path, mode):
    """Each request is given once, whoever told it, and what another robot answered counts
    nothing."""
    verdict = verify(declared(bag(), mode), tmp_path / "out")
    assert outcome(verdict, "cpp") == "match"
    for run in verdict.runs.values():
        assert run.sent == {"/vector": 100, "/set_open/_request": 10}
        assert run.recorded == {"/passed": 50, "/set_open/_response": 10}
        assert answers(run)[:3] == [
            (5 * EVERY_NS, True, "6 passed until now"),
            (15 * EVERY_NS, True, "6 passed until now"),
            (25 * EVERY_NS, True, "16 passed until now"),
        ]
    keys = verdict.comparisons["cpp"].keys
    assert keys["/set_open/_response"].aligned.count == 10


def test_a_response_that_differs_is_told_field_by_field(declared, bag, tmp_path):
    new = PYTHON | {"parameters": {"starts_open": False}}
    planned = declared(bag(), implementations={"python": PYTHON, "new": new})
    verdict = verify(planned, tmp_path / "out")
    assert outcome(verdict, "new") == "differs"
    fields = verdict.comparisons["new"].keys["/set_open/_response"].judged.fields
    assert {path for path, field in fields.items() if field.unequal} == {"message", "success"}


def test_events_without_contents_are_refused(declared, bag, tmp_path):
    with pytest.raises(UsageError, match="without their contents; record with service introspec"):
        verify(declared(bag(with_contents=False)), tmp_path / "out")


def test_what_asks_no_service_is_refused_before_a_run(declared, bag, tmp_path):
    recorded = {"bag": str(bag())}
    for inputs, sentence in (
        (
            {"topics": {"vector": "/imu", "set_open": EVENTS}},
            r"takes std_srvs/srv/SetBool_Request; add the events of its service as inputs",
        ),
        (
            {"topics": {"vector": "/imu"}},
            r"input 'set_open' gets no topic; add the events of its service as inputs: {services:",
        ),
        (
            {"topics": {"vector": "/imu"}, "services": {"/set_open": "/imu"}},
            r"topic /imu of .* is geometry_msgs/msg/Vector3Stamped, which tells no requests",
        ),
    ):
        with pytest.raises(UsageError, match=sentence):
            verify(declared("", inputs=recorded | inputs), tmp_path / "out")


@pytest.fixture
def client():
    """A client on a domain of its own, and what it asks by."""
    with isolated_domain() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        context = Context()
        rclpy.init(context=context)
        node = rclpy.create_node("client", context=context)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        yield node, executor
        node.destroy_node()
        rclpy.shutdown(context=context)


@pytest.mark.parametrize("twin", [PYTHON, CPP], ids=["python", "cpp"])
def test_a_free_node_offers_a_real_service(client, twin):
    node, executor = client
    command = command_of("gate", Implementation(**twin))
    arguments = ["--ros-args", "-r", "set_open:=/door/open"]
    process = subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True)
    try:
        asked = node.create_client(SetBool, "/door/open")
        assert asked.wait_for_service(timeout_sec=60.0)
        told = []
        for data in (False, False, True):
            future = None
            until_s = time.monotonic() + 60.0
            while future is None or not future.done():
                assert time.monotonic() < until_s
                future = future or asked.call_async(SetBool.Request(data=data))
                executor.spin_once(timeout_sec=0.1)
            told.append((future.result().success, future.result().message))
        assert told == [
            (True, "0 passed until now"),
            (False, "0 passed until now"),
            (True, "0 passed until now"),
        ]
        topics = {name for name, _ in node.get_topic_names_and_types()}
        assert not {name for name in topics if "_request" in name or "_response" in name}
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
    assert process.returncode == 0, process.stderr.read()


GATE = {"node": "plain_nodes:Gate"}
DRAWN = {
    "n": 200,
    "dist": {
        "vector": {
            "header": {"stamp": {"timestamps": {"rate_hz": 100}}, "frame_id": {"frame_id": ["a"]}},
            "vector": {"normal": [0, 1]},
        },
        "set_open": {"data": {"choice": [False, True]}},
    },
}


def test_a_node_and_its_port_answer_the_requests_that_are_drawn_alike(declared, tmp_path):
    planned = declared(
        "", implementations={"node": GATE, "cpp": CPP}, reference="node", inputs={"sample": DRAWN}
    )
    verdict = verify(planned, tmp_path / "out")
    assert outcome(verdict, "cpp") == "match"
    for run in verdict.runs.values():
        assert (run.sent["/set_open/_request"], run.recorded["/set_open/_response"]) == (100, 100)


def test_fuzzing_asks_the_services_of_nodes(declared, tmp_path):
    new = {"node": "plain_nodes:ForgetfulGate"}
    planned = declared(
        "", implementations={"old": GATE, "new": new}, reference="old", inputs={"sample": DRAWN}
    )
    found = fuzz(planned, tmp_path / "found", budget=Budget(runs=3)).finding
    contract = registered_contract("gate", Implementation(**GATE))
    asked = [contract.inputs[step.port].name for step in found.steps]
    assert asked == ["set_open", "set_open"]  # to close what is closed


def test_the_services_of_a_node_that_nobody_asks_are_in_no_verification(declared, bag, tmp_path):
    inputs = {"bag": str(bag()), "topics": {"vector": "/imu"}}
    planned = declared(
        "", implementations={"old": GATE, "new": GATE}, reference="old", inputs=inputs
    )
    verdict = verify(planned, tmp_path / "out")
    assert outcome(verdict, "new") == "match"
    assert {port.name for port in verdict.contract.outputs} == {"passed"}


def test_a_node_is_asked_step_by_step_and_its_prompt_tells_of_its_services(tmp_path):
    implementation = Implementation(**GATE)
    contract = registered_contract("gate", implementation)
    assert [port.name for port in contract.inputs] == ["vector", "set_open"]
    assert [port.name for port in contract.outputs] == ["passed", "set_open_response"]
    asked, answered = (
        codec(f"std_srvs/srv/SetBool_{part}", definition(f"std_srvs/srv/SetBool_{part}"))
        for part in ("Request", "Response")
    )
    published = []
    start = Start("gate", implementation, contract, {}, tmp_path, 30.0)
    with SteppedNode(start, lambda *one: published.append(one)) as node:
        node.deliver(1, START_NS, asked.encode({"data": False}))
        ((output, time_ns, data),) = published
        node.end()
    assert (output, time_ns) == (1, START_NS)
    assert answered.decode(data).message == "0 passed until now"
    text = create_prompt("plain_nodes:Gate", "cpp").to_markdown()
    assert "* the service /set_open: `on_set_open` returns its response" in text
    assert "Service<SetBool> set_open{this" in text
