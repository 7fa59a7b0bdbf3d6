"""Several ordinary nodes as one system, each in a process of its own: whatever they say to each
other comes in one order and at one time, however busy the machine is."""

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest
import yaml
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import codec
from lockstep.component import Contract, QoS
from lockstep.component.contract import PortContract
from lockstep.errors import Crash, Hang, RunError, UsageError
from lockstep.message.definitions import definition, type_hash
from lockstep.run.inputs import RunInputs
from lockstep.run.model import Cost, Implementation, Run
from lockstep.run.nodes.run_node import run_node
from lockstep.run.processes import Processes
from lockstep.run.request import RunRequest
from lockstep.verify.model import load as load_verification
from lockstep.verify.verdict import findings, outcome
from lockstep.verify.verify import verify
from machine_load import load
from sensor_msgs.msg import Imu
from service_bags import write_with_requests

NODES = str(Path(__file__).with_name("system_nodes.py"))
IMU, STRING = "sensor_msgs/msg/Imu", "std_msgs/msg/String"
MS, S = 10**6, 10**9
START_NS = 1_700_000_000 * S
EVERY_NS = 10 * MS


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    """Imu at 100 Hz for 3 s."""
    path = tmp_path_factory.mktemp("imu") / "bag"
    encode = codec(IMU, definition(IMU)).encode
    imu = Imu()
    with BagWriter(path) as writer:
        writer.add_topic("/imu", IMU, definition(IMU), type_hash(IMU))
        for number in range(300):
            imu.angular_velocity.x = float(number)
            writer.write("/imu", encode(imu), START_NS + number * EVERY_NS)
    return path


def port(topic, kind):
    return PortContract(topic.strip("/"), topic, kind, type_hash(kind), QoS(depth=10))


class Played:
    """What a run of a system put out, and what was told of it."""

    def __init__(self, result):
        self.remarks = result.remarks
        self.resources = result.resources
        with Bag(result.bag) as bag:
            self.messages = [
                (message.log_time_ns - START_NS, message.topic, message.data)
                for message in bag.messages(list(result.recorded))
            ]

    def on(self, topic):
        """(ns since the first input, message in CDR) of each message on a topic."""
        return [(at, data) for at, name, data in self.messages if name == topic]

    def said(self, node):
        """(ns since the first input, text) of each message on /events of a node."""
        decode = codec(STRING, definition(STRING)).decode
        texts = [(at, decode(data).data) for at, data in self.on("/events")]
        return [
            (at, text.removeprefix(f"{node}: "))
            for at, text in texts
            if text.startswith(f"{node}: ")
        ]


@pytest.fixture(scope="module")
def play_once(tmp_path_factory, bag):
    """Plays the bag to an implementation."""

    def played(implementation, outputs=("/events",), **options):
        folder = tmp_path_factory.mktemp("system")
        kinds = {"/events": STRING, "/map": STRING, "/state": "std_msgs/msg/Float64"}
        contract = Contract(
            "system",
            (port("/imu", IMU),),
            tuple(port(topic, kinds.get(topic, IMU)) for topic in outputs),
            (),
            (),
        )
        with Bag(bag) as opened, Processes(dict(os.environ)) as processes:
            request = RunRequest(
                name="system",
                implementation=implementation,
                contract=contract,
                inputs=RunInputs(opened, {"/imu": "/imu"}),
                parameters={},
                options=Run(mode="direct", **options),
                folder=folder,
            )
            return Played(run_node(request, processes))

    return played


def system(*nodes, start=()):
    """An implementation of several of the nodes in system_nodes.py, as `NODE ARGUMENT…`."""
    return Implementation(
        nodes=[{"command": [*start, sys.executable, NODES, *node.split()]} for node in nodes]
    )


@pytest.fixture(scope="module")
def play(play_once):
    """The same twice, once on one busy processor, which must give the same bytes."""

    def played(*nodes, **options):
        first = play_once(system(*nodes), **options)
        with load():
            again = play_once(system(*nodes, start=["taskset", "--cpu-list", "0"]), **options)
        assert first.messages
        assert again.messages == first.messages
        assert again.remarks == first.remarks
        return first

    return played


def test_a_chain_of_processes_hands_on_every_byte_at_its_time(play, bag):
    played = play("third", "first", "second", outputs=("/a", "/b", "/c"))
    with Bag(bag) as opened:
        given = [(m.log_time_ns - START_NS, m.data) for m in opened.messages(["/imu"])]
    for topic in ("/a", "/b", "/c"):
        assert played.on(topic) == given
    assert [topic for _, topic, _ in played.messages[:3]] == ["/a", "/b", "/c"]
    assert not played.remarks
    assert played.resources.cpu_s > 0.01  # of three processes with 300 messages each
    assert played.resources.peak_bytes > 3 * 20e6


THREE = ("averager", "first", "second")  # in the order of their names
OF_THE_HOUSE = (
    "averager",
    "first",
    "second",
    "server",
    "asker",
    "other_asker",
    "waits_for_nobody",
    "late",
    "latcher",
    "graph",
    "ids 1",
    "ids 2",
    "stranger",
    "namesake",
    "leaves",
    "managed",
    "manager",
)


@pytest.fixture(scope="module")
def house(play):
    """Seventeen processes, which may talk to each other."""
    outputs = ("/events", "/state", "/map", "/a", "/b", "/managed_imu")
    return play(*OF_THE_HOUSE, outputs=outputs)


def test_services_and_parameters_work_between_processes(house):
    said = house.said("asker")
    assert [text for _, text in said][:4] == [
        f"after 30 at {START_NS + 300 * MS} True heard at {START_NS + 300 * MS}",
        "gain is 1.0",
        f"after 60 at {START_NS + 600 * MS} True heard at {START_NS + 600 * MS}",
        "gain is 2.0",
    ]
    assert {at % (300 * MS) for at, _ in said} == {0}
    assert len(house.said("other_asker")) == 2 * 14
    assert len(house.on("/state")) == 300


def test_a_timer_comes_before_a_message_of_the_same_time(house):
    said = house.said("averager")
    assert said[0] == (250 * MS, f"timer {{'/a': 25, '/b': 25}} {START_NS + 250 * MS}")
    assert said[1][1].startswith("/a {'/a': 50, '/b': 49} at")
    assert [at for at, _ in said[:4]] == [250 * MS, 490 * MS, 490 * MS, 500 * MS]


def test_a_service_that_nobody_serves_is_waited_for_on_virtual_time(house):
    (found_at, found), (done_at, done) = house.said("patient")
    assert found.startswith("found False")
    assert 2 * S <= found_at <= 2 * S + 300 * MS
    assert (done_at - found_at, done[:10]) == (500 * MS, "done False")
    assert (
        "process 7 of system (/patient): 1 request to /nowhere, which nobody served then"
    ) in house.remarks


def test_who_comes_late_to_a_latched_topic_of_another_process_gets_the_last_message(house):
    assert house.said("late") == [(1 * S, f"new {START_NS + 1 * S}")]
    assert [at for at, _ in house.on("/map")] == [0, 0]


def test_nodes_see_the_graph_of_all_processes(house):
    said = house.said("graph")
    assert said[0][1] == (
        "['asker', 'averager', 'first', 'first', 'graph', 'ids1', 'ids2', 'latcher', 'late', "
        "'leaves', 'managed', 'manager', 'other_asker', 'patient', 'second', 'server', 'stranger'] "
        "1 3 ['first'] /first/describe_parameters"
    )


def test_what_is_random_is_unique_among_the_processes(house):
    texts = [text for node in ("ids1", "ids2") for _, text in house.said(node)]
    assert len(texts) == len(set(texts)) == 10


def test_a_lifecycle_node_is_managed_from_another_process(house):
    assert [text[:6] for _, text in house.said("manager")] == ["1 True", "3 True", "4 True"]
    times = [at for at, _ in house.on("/managed_imu")]
    assert (times[0], times[-1]) == (1 * S, 1500 * MS - EVERY_NS)


def test_what_cannot_meet_is_told(house):
    assert not house.said("stranger")
    told = [remark for remark in house.remarks if "called" in remark or "gets nothing" in remark]
    assert told == [
        f"system: /stranger gets nothing of /a from /first ({IMU} and {STRING})",
        (
            "system: /averager gets nothing of /b from /stranger (best_effort, volatile, but "
            "reliable, volatile is wanted)"
        ),
        "system: 2 nodes are called /first",
    ]


def test_a_node_that_ends_in_order_does_not_end_the_others(house):
    assert [text for _, text in house.said("leaves")] == ["bye"]
    assert len(house.on("/a")) == 300
    assert (
        "process 15 of system (/leaves) ended by itself, and the others went on without it"
    ) in house.remarks


@pytest.mark.parametrize(
    ("node", "error", "sentence"),
    [
        ("fails", Crash, "process 2 of system (/fails) ended during the run (exit code 4)"),
        ("crashes", Crash, "process 2 of system (/crashes) ended during the run (SIGSEGV)"),
        ("hangs", Hang, "process 2 of system (/hangs) hangs: nothing came for 2 s"),
    ],
)
def test_a_process_that_fails_fails_the_run_and_is_named(play_once, node, error, sentence):
    with pytest.raises(error, match=re.escape(sentence)):
        play_once(system("first", node), outputs=("/a",), timeout=2)


def test_messages_that_go_round_at_one_time_are_a_hang(play_once):
    with pytest.raises(Hang, match=r"messages of /p[io]ng go round at one time for ever"):
        play_once(system("ping", "pong", "slow"), timeout=2)


def test_messages_that_take_time_go_round(play_once):
    """The same two nodes, with time for each message."""
    played = play_once(system("ping", "pong", "slow"), cost=Cost(fixed_us=20_000))
    assert played.said("slow")


def test_a_queue_overflows_alike_in_each_run_if_messages_take_time(play):
    played = play("slow", cost=Cost(fixed_us=35_000))
    said = played.said("slow")
    assert [at for at, _ in said[:4]] == [35 * MS, 70 * MS, 105 * MS, 140 * MS]
    assert [text for _, text in said[:4]] == ["0.0", "1.0", "4.0", "8.0"]
    (remark,) = played.remarks
    assert re.search(r"its own queue for /imu overflowed: it never took \d+ messages", remark)


def test_one_command_may_start_several_processes(play_once):
    """In whatever order they come up."""
    script = '"$0" "$1" second & sleep 0.3; "$0" "$1" averager & "$0" "$1" first; wait'
    command = ["bash", "-c", script, sys.executable, NODES]
    alone = play_once(system(*THREE), outputs=("/events", "/a", "/b"))
    with load():
        started = play_once(Implementation(command=command), outputs=("/events", "/a", "/b"))
    assert started.messages == alone.messages


def test_actions_work_between_processes(play):
    pytest.importorskip("example_interfaces.action", reason="no package with an action is there")
    said = play("first", "action_server", "action_client one", "action_client two").said("one")
    assert (said[0][1], said[1][1]) == ("4 accepted True", "40 accepted True")
    done = {text.partition(" ")[0]: (at, text) for at, text in said if "so far" not in text}
    assert done["4"] == (700 * MS, "4 4 [0, 1, 1, 2, 3]")
    assert done["40"] == (1300 * MS, "40 5 []")  # given up after 1.1 s, which is seen at 1.3 s
    so_far = [(at, text) for at, text in said if text.startswith("4 so far")]
    assert so_far[0] == (300 * MS, "4 so far [0, 1, 1]")


def test_transforms_go_from_process_to_process(play):
    pytest.importorskip("tf2_ros", reason="tf2_ros is not there")
    said = play("listener", "broadcaster").said("listener")
    assert said[:2] == [(300 * MS, "29.0 0.5"), (600 * MS, "59.0 0.5")]


def test_message_filters_join_topics_of_two_processes(play):
    pytest.importorskip("message_filters", reason="message_filters is not there")
    said = play("synchronizer", "first").said("synchronizer")
    assert [text for _, text in said][:2] == ["0.0 0.0", "1.0 1.0"]
    assert len(said) == 300


LAUNCH = """\
import sys
from launch import LaunchDescription
from launch.actions import ExecuteProcess

def generate_launch_description():
    return LaunchDescription([
        ExecuteProcess(cmd=[sys.executable, {nodes!r}, name])
        for name in ("second", "averager", "first")
    ])
"""


@pytest.mark.parametrize("how", ["command", "launch"])
def test_a_launch_file_is_a_system(play_once, tmp_path, how):
    pytest.importorskip("launch.actions", reason="launch is not there")
    file = tmp_path / "three.launch.py"
    file.write_text(LAUNCH.format(nodes=NODES))
    words = ["ros2", "launch", str(file)] if how == "command" else [str(file)]
    outputs = ("/events", "/a", "/b")
    with load():
        launched = play_once(Implementation(**{how: words}), outputs=outputs)
    assert launched.messages == play_once(system(*THREE), outputs=outputs).messages


def described(*nodes):
    """A system as a verify.yaml has it."""
    return {"nodes": [{"command": [sys.executable, NODES, node]} for node in nodes]}


def test_the_first_node_of_a_graph_that_differs_is_named(tmp_path, bag):
    """Its contract is read from all its processes; inner topics are compared, too."""
    file = tmp_path / "verify.yaml"
    declared = {
        "implementations": {
            "old": described("third", "first", "second"),
            "same": described("second", "third", "first"),
            "new": described("third", "doubler", "second"),
        },
        "reference": "old",
        "inputs": {"bag": str(bag), "topics": {"imu": "/imu"}},
        "run": {"mode": "direct"},
        "compare": {},
    }
    file.write_text(yaml.safe_dump(declared))
    verdict = verify(load_verification(file), tmp_path / "out")
    assert [port.topic for port in verdict.contract.inputs] == ["/imu"]
    assert {port.topic for port in verdict.contract.outputs} == {"/a", "/b", "/c"}
    assert outcome(verdict, "same") == "match"
    assert outcome(verdict, "new") == "differs"
    (found,) = [one for one in findings(verdict) if not one.is_match]
    assert found.lines[-1] == (
        "first in the graph: /doubler, where old has /first, by /a at 0.010000000 s; what it hears "
        "is the same until then"
    )


EVENT = "std_srvs/srv/SetBool_Event"


@pytest.fixture
def service_bag(tmp_path):
    """Imu as ever, and requests to /switch, ten a second."""

    def steps():
        for number in range(100):
            at_ns = START_NS + number * EVERY_NS
            yield "/imu", at_ns, Imu()
            if number % 10 == 5:
                answer = {"success": False, "message": ""}
                yield "/switch/_service_event", at_ns, ({"data": number % 20 == 5}, answer)

    topics = {"/imu": IMU, "/switch/_service_event": EVENT}
    return write_with_requests(tmp_path / "bag", EVENT, steps(), topics)


def test_a_service_is_verified_by_the_requests_of_a_bag(service_bag, tmp_path):
    """Each request is given once, whoever told it; responses are outputs."""
    node = {"command": [sys.executable, NODES, "server"]}
    verification = {
        "implementations": {"old": node, "new": {"nodes": [node]}},
        "reference": "old",
        "inputs": {
            "bag": str(service_bag),
            "topics": {"imu": "/imu"},
            "services": {"/switch": "/switch/_service_event"},
        },
        "run": {"mode": "direct"},
        "compare": {"silent": ["events"]},
    }
    file = tmp_path / "verify.yaml"
    file.write_text(yaml.safe_dump(verification))
    verdict = verify(load_verification(file), tmp_path / "out")
    assert outcome(verdict, "new") == "match"
    run = verdict.runs["old"]
    assert run.sent == {"/imu": 100, "/switch/_request": 10}
    assert (run.recorded["/switch/_response"], run.recorded["/state"]) == (10, 100)
    with Bag(run.bag) as bag:
        first, *_ = bag.messages(["/switch/_response"])
        told = bag.codec("/switch/_response").decode(first.data)
    assert first.log_time_ns == START_NS + 50 * MS
    assert told.message == f"after 6 at {START_NS + 50 * MS}"


def test_services_that_nobody_can_be_asked_for_are_refused(service_bag, tmp_path):
    declared = {
        "implementations": {name: {"command": [sys.executable, NODES, "first"]} for name in "ab"},
        "reference": "a",
        "inputs": {
            "bag": str(service_bag),
            "topics": {"imu": "/imu"},
            "services": {"/switch": "/switch/_service_event"},
        },
        "run": {"mode": "direct"},
        "compare": {},
    }
    file = tmp_path / "verify.yaml"
    file.write_text(yaml.safe_dump(declared))
    with pytest.raises(RunError, match="a does not keep the contract: it does not serve /switch"):
        verify(load_verification(file), tmp_path / "out")
    declared["inputs"]["services"] = {"/switch": "/imu"}
    file.write_text(yaml.safe_dump(declared))
    with pytest.raises(
        UsageError, match=r"topic /imu of .* is sensor_msgs/msg/Imu, which tells no"
    ):
        verify(load_verification(file), tmp_path / "again")


def test_a_harness_that_is_killed_leaves_no_process_of_a_system(stranger, write_verification, bag):
    verification = write_verification(
        {"old": described("first", "hangs")},
        contract="ordinary_contracts:Watcher",
        inputs={"bag": str(bag), "topics": {"imu": "/imu"}},
        run={"mode": "direct", "timeout": 100.0},
        compare={},
    )
    running = stranger.start("run", verification, "old")
    running.wait_until(lambda: stranger.processes(f"{NODES} hangs"))
    time.sleep(1)
    running.signal(signal.SIGKILL)
    running.end()
    stranger.assert_nothing_left(within_s=10)
