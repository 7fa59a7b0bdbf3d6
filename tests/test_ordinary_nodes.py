"""Ordinary rclpy nodes, unmodified, in direct runs: nothing is lost, times are exact, and the same
inputs give the same bytes, however busy the machine is."""

import functools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest
from ament_index_python import get_resource
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import codec
from lockstep.component import contract_of
from lockstep.errors import Crash, Hang, RunError
from lockstep.message.definitions import definition, type_hash
from lockstep.run.inputs import RunInputs
from lockstep.run.model import Implementation, Run
from lockstep.run.nodes import world
from lockstep.run.nodes.run_node import run_node
from lockstep.run.nodes.world import LIBRARY, MIDDLEWARE
from lockstep.run.processes import Processes
from lockstep.run.request import RunRequest
from machine_load import load
from ordinary_contracts import Relay, Watcher
from sensor_msgs.msg import Imu
from stranger import ROOT
from verifications import CPP

IMU, STRING = "sensor_msgs/msg/Imu", "std_msgs/msg/String"
NODES = Path(__file__).with_name("ordinary_nodes.py")
MS, S = 10**6, 10**9
START_NS = 1_700_000_000 * S
EVERY_NS = 10 * MS


def imu_bag(path, count=300, start_ns=START_NS):
    """Imu at 100 Hz."""
    encode = codec(IMU, definition(IMU)).encode
    imu = Imu()
    with BagWriter(path) as writer:
        writer.add_topic("/imu", IMU, definition(IMU), type_hash(IMU))
        for number in range(count):
            imu.angular_velocity.x = float(number)
            writer.write("/imu", encode(imu), start_ns + number * EVERY_NS)
    return path


@pytest.fixture(scope="module")
def bag(tmp_path_factory):
    return imu_bag(tmp_path_factory.mktemp("imu") / "bag")


class Played:
    """What a run put out, and what was told of it."""

    def __init__(self, result, first_ns):
        self.result = result
        with Bag(result.bag) as bag:
            self.messages = [
                (message.log_time_ns - first_ns, message.topic, message.data)
                for message in bag.messages(list(result.recorded))
            ]

    @property
    def said(self):
        """(ns since the first input, text) of each message on /events."""
        decode = codec(STRING, definition(STRING)).decode
        return [(at, decode(data).data) for at, topic, data in self.messages if topic == "/events"]


@pytest.fixture(scope="module")
def play(tmp_path_factory, bag):
    """Plays a bag to a style of the nodes."""

    def played(style, *, bag=bag, component=Watcher, parameters=None, start=(), **options):
        folder = tmp_path_factory.mktemp(style)
        command = [*start, sys.executable, str(NODES), style]
        with Bag(bag) as opened, Processes(dict(os.environ)) as processes:
            request = RunRequest(
                name="node",
                implementation=Implementation(command=command),
                contract=contract_of(component),
                inputs=RunInputs(opened, {"/imu": "/imu"}),
                parameters=parameters or {},
                options=Run(mode="direct", **options),
                folder=folder,
            )
            first_ns = opened.start_ns
            return Played(run_node(request, processes), first_ns)

    return played


@pytest.fixture(scope="module")
def once(play):
    """What a style puts out, played when it is first asked for."""
    return functools.cache(play)


def test_a_relay_loses_nothing_and_hands_on_every_byte(play, tmp_path):
    many = imu_bag(tmp_path / "many", count=3000)
    played = play("relay", bag=many, component=Relay)
    with Bag(many) as bag:
        given = [(m.log_time_ns - START_NS, m.data) for m in bag.messages(["/imu"])]
    assert [(at, data) for at, _, data in played.messages] == given


def test_that_memory_lies_somewhere_else_in_each_run_is_told(play, monkeypatch):
    """As in a container, whose system calls are filtered."""
    monkeypatch.setattr(world, "fixed_addresses", lambda: nullcontext(False))
    (told,) = play("relay", component=Relay).result.remarks
    assert told.startswith("node: this system does not let its memory lie at fixed addresses")


STYLES = (
    "clocks",
    "spin_once",
    "sleep",
    "rate",
    "event",
    "busy_poll",
    "takes_later",
    "executor",
    "asynchronous",
    "late",
    "latched",
    "leaves",
    "services",
    "world",
    "overflows",
    "kernel_timers",
)


@pytest.mark.parametrize("style", STYLES)
def test_the_same_inputs_give_the_same_bytes_on_a_busy_machine(play, once, style):
    with load():
        again = play(style, start=("taskset", "--cpu-list", "0"))
    assert once(style).messages
    assert again.messages == once(style).messages


def test_timers_fire_when_they_are_due_and_all_clocks_agree(once):
    said = once("clocks").said
    assert [at for at, text in said if text.startswith("steady")] == [
        number * 100 * MS for number in range(1, 30)
    ]
    period = int(S / 7)
    assert [at for at, text in said if text.startswith("ros")] == [
        number * period for number in range(1, 21)
    ]
    for at, text in said:
        read = dict(word.split("=") for word in text.split()[1:])
        assert 0 <= int(read["system"]) - (START_NS + at) < 20_000  # a little later each time
        assert 0 <= int(read["ros"]) - (START_NS + at) < 20_000
        assert int(read["time"]) > int(read["ros"])
        assert 0 <= int(read["steady"]) - 1000 * S - at < 20_000
        assert int(read["monotonic"]) > int(read["steady"])


def test_a_callback_reads_the_time_of_what_called_it(play):
    said = play("first_reading").said
    assert len(said) == 300 + 11
    before_ns = -1
    for at, text in said:  # what comes at the same time reads a little more
        assert int(text.split()[2]) == START_NS + at + (1000 if at == before_ns else 0)
        before_ns = at


def test_with_use_sim_time_ros_time_is_that_of_the_inputs(play):
    said = play("clocks", parameters={"use_sim_time": True}).said
    ros = [(at, text) for at, text in said if text.startswith("ros")]
    period = int(S / 7)
    due = range(START_NS // period * period + period, START_NS + 299 * EVERY_NS + 1, period)
    clocks = [-(-(at - START_NS) // EVERY_NS) * EVERY_NS for at in due]
    assert [at for at, _ in ros] == [0, *clocks]  # time jumps to the first one
    assert all(f"ros={START_NS + at} " in text for at, text in ros)


def test_simultaneous_timers_fire_in_one_order_under_four_threads(once):
    said = once("executor").said
    assert [text[0] for at, text in said if at % (100 * MS) == 0][:4] == ["d", "e"] * 2


def test_a_poll_takes_time_so_that_a_busy_loop_goes_on(once):
    said = once("busy_poll").said
    assert 28 <= len(said) <= 30


def test_who_waits_for_what_it_does_not_take_lets_time_pass(once):
    said = once("takes_later").said
    assert said == [(1 * S, "taken n=100"), (2 * S, "taken n=200")]


def test_messages_before_a_late_subscription_are_told(once):
    played = once("late")
    assert played.said[0][1] == "got n=1"
    assert played.said[0][0] == 1 * S
    assert len(played.said) == 200
    assert "node: 100 messages of /imu came before it subscribed" in played.result.remarks


def test_who_comes_late_to_a_latched_topic_gets_the_last_message(once):
    assert [text.split()[0] for _, text in once("latched").said] == ["last"]


def test_nothing_is_lost_of_a_node_that_ends_by_itself(once):
    played = once("leaves")
    assert [text for _, text in played.said] == [f"bye {number} n=20" for number in range(5)]
    assert any("ended by itself" in remark for remark in played.result.remarks)


def test_what_a_nodes_own_queue_has_no_room_for_is_told(once):
    played = once("overflows")
    assert [int(text.partition("=")[2]) for _, text in played.said][:3] == [2, 4, 6]
    (remark,) = played.result.remarks
    assert "its own queue for /imu overflowed" in remark


def test_stamps_near_1970_are_times_as_any_other(play, tmp_path):
    early = imu_bag(tmp_path / "early", start_ns=2 * S)
    assert [at for at, _ in play("event", bag=early).said][:3] == [70 * MS, 140 * MS, 210 * MS]


@pytest.mark.parametrize(
    ("style", "error", "sentence"),
    [
        ("crashes", Crash, "node ended during the run (SIGSEGV)"),
        ("raises", Crash, "ZeroDivisionError: division by zero"),
        ("is_no_node", Crash, "node ended without being a node (exit code 0)"),
    ],
)
def test_a_node_that_fails_fails_the_run(play, style, error, sentence):
    with pytest.raises(error, match=re.escape(sentence)):
        play(style)


def test_a_callback_that_never_returns_is_a_hang(play):
    with pytest.raises(Hang, match=r"node hangs: nothing came for 2 s"):
        play("hangs", timeout=2)


def test_a_node_that_does_not_end_is_ended(play):
    assert play("stays").said
    left = subprocess.run(["pgrep", "-f", f"{NODES} stays"], capture_output=True, check=False)
    assert not left.stdout


@pytest.mark.parametrize(
    ("style", "sentence"),
    [
        ("starts_children", "the node starts other processes and waits for them"),
        ("listens", "a thread reads what comes from outside"),
        ("alarms", "a timer of the kernel sends signals"),
    ],
)
def test_what_is_not_under_control_is_told(play, style, sentence):
    with pytest.raises(RunError, match=f"node is not deterministic: .*{sentence}"):
        play(style)
    allowed = play(style, allow_uncontrolled=True)
    assert allowed.said
    assert any(sentence in remark for remark in allowed.result.remarks)


def test_timers_of_the_kernel_and_barriers_go_by_the_time_of_the_run(once):
    said = once("kernel_timers").said
    assert [(at, text) for at, text in said if text.startswith("met")] == [
        (at, f"met n={n}") for at, n in ((300 * MS, 30), (600 * MS, 60), (900 * MS, 90))
    ]
    fired = [(at, text.split()[1]) for at, text in said if text.startswith("fired")]
    assert fired[:3] == [(900 * MS, "10"), (950 * MS, "1"), (1020 * MS, "1")]


def test_a_node_that_closes_what_it_does_not_know_leaves_what_is_ours(play):
    assert [at for at, _ in play("closes_all").said] == [500 * MS * n for n in range(1, 6)]


def test_endpoints_that_are_made_later_are_told_by_who_reads_the_contract(stranger, bag):
    node = ["--", "python3", str(NODES), "makes_later"]
    done = stranger.run("node", "--bag", bag, "-o", "out", *node)
    assert done.code == 0, done
    told = "only later than at its start, so nothing of it was"
    assert f"node publishes /late {told} kept" in done.out
    assert f"node subscribes to /later {told} given" in done.out


def test_a_node_without_the_middleware_is_refused_with_its_last_words(play):
    with pytest.raises(Crash, match=r"node ended without being a node .*LD_PRELOAD"):
        play("clocks", start=("env", "--unset=LD_PRELOAD"))


INTERRUPTED = {
    "starting": ("bash -c 'sleep 100'", lambda s, out: s.processes("sleep 100")),
    "running": (f"python3 {NODES} hangs", lambda s, out: (out / "bag").exists()),
    "ending": (f"python3 {NODES} stays", lambda s, out: "staying" in written(out / "node.log")),
}


def written(file):
    return file.read_text("utf-8") if file.exists() else ""


@pytest.mark.parametrize("contract", [{}, {"contract": "ordinary_contracts:Watcher"}])
@pytest.mark.parametrize("phase", INTERRUPTED)
def test_sigint_leaves_no_node_in_any_phase(stranger, write_verification, bag, phase, contract):
    """Without a contract it is asked for first: that is a phase of the start."""
    if not contract and phase != "starting":
        pytest.skip("the contract is there by then")
    command, has_come = INTERRUPTED[phase]
    verification = write_verification(
        {"old": {"command": shlex.split(command)}},
        inputs={"bag": str(bag), "topics": {"imu": "/imu"}},
        run={"mode": "direct", "timeout": 100.0},
        compare={},
        **contract,
    )
    out = stranger.cwd / "out"
    running = stranger.start("run", verification, "old", "-o", out)
    running.wait_until(lambda: has_come(stranger, out))
    running.signal(signal.SIGINT)
    done = running.end()
    assert done.code == 130, done
    assert done.err.strip().splitlines()[-1] == "interrupted; all processes ended"
    stranger.assert_nothing_left()


def test_a_node_is_verified_against_the_component_that_it_became(stranger, write_verification):
    """Started as it is, by a shell, and as a class; the reference knows nothing of Lockstep."""
    node = str(ROOT / "tests/black_box_node.py")
    wrapper = f'echo starting; sleep 0.1; python3 {node} "$@"'
    box = {"remap": {"vector": "acceleration", "normalized": "direction"}}
    verification = write_verification(
        {
            "old": {"command": ["python3", node], **box},
            "wrapped": {"command": ["bash", "-c", wrapper, "wrapper"], **box},
            "class": {"node": "ordinary_nodes:Normalizer"},
            "new": CPP,
            "careless": {"command": ["python3", node, "drop"], **box},
        },
        duration=10.0,
        run={"mode": "direct"},
        compare={},
    )
    done = stranger.run("verify", verification)
    assert done.code == 1, done
    for name in ("wrapped", "class", "new"):
        assert f"MATCH: {name} does what old does" in done.out, done
    assert "DIFFERENT: careless does not do what old does" in done.out
    stranger.assert_nothing_left()


def test_a_harness_that_is_killed_leaves_no_node(stranger, write_verification, bag):
    verification = write_verification(
        {"old": {"command": ["python3", str(NODES), "hangs"]}},
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


def test_a_node_without_a_contract_is_refused(stranger, write_verification):
    verification = write_verification(
        {"old": {"command": ["true"]}, "new": {"command": ["true"]}}, run={"rtf": 1.0}, compare={}
    )
    done = stranger.run("verify", verification)
    assert done.code == 2
    assert "all implementations are nodes, which tell no contract in mode live" in done.error


def test_two_nodes_are_verified_by_what_they_register(stranger, write_verification):
    node = {"command": ["python3", str(ROOT / "tests/black_box_node.py")]}
    verification = write_verification(
        {
            "old": node,
            "new": {
                "node": "ordinary_nodes:Normalizer",
                "remap": {"acceleration": "vector", "direction": "normalized"},
            },
        },
        inputs={
            "bag": str(ROOT / "bags/husky_acceleration"),
            "topics": {"acceleration": "/imu/acceleration"},
            "duration": 5.0,
        },
        parameters={"epsilon": 1e-12},
        run={"mode": "direct"},
        compare={},
    )
    done = stranger.run("verify", verification)
    assert done.code == 0, done
    assert "MATCH: new does what old does" in done.out


def test_a_node_alone_tells_its_contract_and_does_the_same_again(stranger):
    node = ["--", "python3", str(ROOT / "tests/black_box_node.py")]
    told = json.loads(stranger.run("node", *node).out)
    assert [port["topic"] for port in told["inputs"]] == ["/acceleration"]
    assert [port["topic"] for port in told["outputs"]] == ["/direction"]
    assert [(p["name"], p["default"]) for p in told["parameters"]] == [("epsilon", 1e-12)]
    nowhere = stranger.run("node", "--bag", "nowhere", *node)
    assert (nowhere.code, nowhere.error.startswith("error: nowhere does not exist")) == (2, True)
    bag = ["--bag", ROOT / "bags/husky_acceleration"]
    refused = stranger.run("node", *bag, *node)
    assert (refused.code, "(/acceleration); give --topic" in refused.error) == (2, True)
    for out in ("a", "b"):
        given = ["--topic", "/imu/acceleration:=/acceleration", "-o", out]
        done = stranger.run("node", *bag, *given, *node)
        assert done.code == 0, done
    with Bag(stranger.cwd / "a/bag") as a, Bag(stranger.cwd / "b/bag") as b:
        assert list(a.messages()) == list(b.messages())
    stranger.assert_nothing_left()


def test_a_node_that_hears_only_itself_is_given_the_time_of_the_bag(stranger):
    bag = ["--bag", ROOT / "bags/husky_acceleration"]
    node = ["--", "python3", str(NODES), "hears_itself"]
    done = stranger.run("node", *bag, "-o", "out", *node)
    assert done.code == 0, done
    assert "in " not in done.out
    assert {line.split()[-1]: int(line.split()[1]) for line in done.out.splitlines()[:2]} == {
        "/events": 99,
        "/ticks": 99,
    }


def middleware():
    """Its library, and what the ament index says that it is."""
    supported, prefix = get_resource("rmw_typesupport", MIDDLEWARE)
    return Path(prefix, "lib", LIBRARY), supported.split(";")


def test_ros_may_select_the_middleware_which_has_every_function_of_one():
    library, supported = middleware()
    assert {"rosidl_typesupport_c", "rosidl_typesupport_cpp"} <= set(supported)
    _, prefix = get_resource("rmw_typesupport", "rmw_fastrtps_cpp")
    other = Path(prefix, "lib/librmw_fastrtps_cpp.so")

    def functions(path):
        told = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, check=True)
        return set(re.findall(rb" T (rmw_\w+)", told.stdout))

    assert len(functions(other)) > 90
    assert functions(library) >= functions(other)


@pytest.mark.parametrize(
    ("socket", "sentence"),
    [
        ("", "LOCKSTEP_SOCKET is not set: nodes on this middleware are started by lockstep"),
        ("nowhere", "something between lockstep and this node has unset LD_PRELOAD"),
    ],
)
def test_the_middleware_is_no_use_without_lockstep_and_says_so(socket, sentence):
    """Loaded by name, as RMW_IMPLEMENTATION has it."""
    start = f"import ctypes; ctypes.CDLL({str(middleware()[0])!r}).rmw_init(None, None)"
    environment = {**os.environ, "LOCKSTEP_SOCKET": socket}
    done = subprocess.run(
        [sys.executable, "-c", start], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith(f"rmw_lockstep: {sentence}")


@pytest.mark.skipif(
    not any(
        Path(folder, "librmw_implementation.so").exists()
        for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":")
    )
    or shutil.which("ros2") is None,
    reason="RMW_IMPLEMENTATION selects a middleware in a ROS 2 distro only",
)
def test_ros2_run_starts_a_node_on_the_middleware_that_is_selected(stranger):
    node = ["ros2", "run", "lockstep_examples_cpp", "vector_normalizer"]
    topic = ["--topic", "/imu/acceleration:=/vector"]
    bag = ["--bag", ROOT / "bags/husky_acceleration"]
    done = stranger.run("node", *bag, *topic, "-o", "out", "--", *node)
    assert done.code == 0, done
    assert "out      3000  /normalized" in done.out
    done = stranger.run("node", "--", "env", "-u", "LD_PRELOAD", *node)
    assert (done.code, "has unset LD_PRELOAD" in done.err) == (3, True), done
    stranger.assert_nothing_left()
