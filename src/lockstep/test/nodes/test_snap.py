"""`lockstep snap` beside publishers on a real, isolated graph."""

import subprocess
import sys

import pytest
from geometry_msgs.msg import Vector3Stamped
from lockstep.bag import Bag
from observed_graph import QUICK, vector
from rclpy.duration import Duration
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def snap(graph, *words, begin=("-m", "lockstep.cli.main")):
    process = subprocess.Popen(
        [sys.executable, *begin, "snap", *map(str, words)],
        env=graph.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    graph.processes.append(process)
    return process


def publish_often(graph, *publishers):
    """Each message has its index as x, from all publishers alike."""
    state = {"next": 0}

    def publish():
        for publisher in publishers:
            publisher.publish(vector(state["next"], state["next"]))
        state["next"] += 1

    graph.node.create_timer(0.005, publish)


def end_of(error):
    """What was told beside what was waited for, which depends on the machine."""
    lines = error.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("waiting for "))


def counts(bag):
    return {topic.name: topic.count for topic in Bag(bag).topics.values()}


def test_a_snap_holds_so_many_messages_of_each_topic_in_a_row(graph, tmp_path):
    publishers = [
        graph.node.create_publisher(Vector3Stamped, "/reliable", QUICK),
        graph.node.create_publisher(Vector3Stamped, "/best_effort", BEST_EFFORT),
    ]
    publish_often(graph, *publishers)
    latched = graph.node.create_publisher(Vector3Stamped, "/tf_static", LATCHED)
    latched.publish(vector(7, 7))
    words = ("reliable", "/best_effort", "-n", "20", "--beside", "/tf_static", "-o", tmp_path / "b")
    out, _ = graph.finish(snap(graph, *words))
    assert out == f"{tmp_path / 'b'}: 20 of /reliable, 20 of /best_effort, 1 of /tf_static\n"
    bag = Bag(tmp_path / "b")
    assert [topic.qos[0].reliability for topic in bag.topics.values()] == [
        "reliable", "best_effort", "reliable",
    ]  # fmt: skip
    ticks = bag.columns("/reliable", ["vector.x"])["vector.x"].tolist()
    assert ticks == list(range(int(ticks[0]), int(ticks[0]) + 20)), "none is left out"


def test_a_publisher_may_come_late_and_what_is_waited_for_is_told(graph, tmp_path):
    process = snap(graph, "/vector", "-n", "5", "-o", tmp_path / "b")
    assert process.stderr.readline() == "waiting for /vector (0 of 5: nobody publishes it)\n"
    publish_often(graph, graph.node.create_publisher(Vector3Stamped, "/vector", BEST_EFFORT))
    graph.finish(process)
    assert counts(tmp_path / "b") == {"/vector": 5}


def test_what_has_not_come_is_told_and_the_rest_is_in_the_bag(graph, tmp_path):
    publish_often(graph, graph.node.create_publisher(Vector3Stamped, "/vector", QUICK))
    latched = graph.node.create_publisher(Clock, "/latched", LATCHED)
    latched.publish(Clock())
    words = ("/vector", "/latched", "/nowhere", "-n", "3", "--timeout", "5", "-o", tmp_path / "b")
    _, error = graph.finish(snap(graph, *words), expected=3)
    assert end_of(error) == (
        f"{tmp_path / 'b'} holds 3 of /vector, 1 of /latched\n"
        "error: nothing came for 5 s of /latched (1 of 3: it is latched, give it by --beside), "
        "/nowhere (0 of 3: nobody publishes it) on ROS_DOMAIN_ID "
        f"{graph.environment['ROS_DOMAIN_ID']}\n"
    )
    assert counts(tmp_path / "b") == {"/vector": 3, "/latched": 1}


def test_where_nothing_came_there_is_no_bag_but_what_there_is_instead(graph, tmp_path):
    graph.node.create_publisher(Clock, "/scan", QUICK)
    words = ("/scam", "--timeout", "5", "-o", tmp_path / "b")
    _, error = graph.finish(snap(graph, *words), expected=3)
    assert end_of(error) == (
        "error: nothing came for 5 s of /scam (0 of 30: nobody publishes it); on ROS_DOMAIN_ID "
        f"{graph.environment['ROS_DOMAIN_ID']} there are /scan\n"
    )
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["bag", "bag.mcap"])
def test_ctrl_c_leaves_a_whole_bag(graph, tmp_path, name):
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    process = snap(graph, "/vector", "-n", "1000000", "-o", tmp_path / name)
    graph.spin_until(lambda: publisher.get_subscription_count() == 1)
    for index in range(50):
        publisher.publish(vector(index, index))
    assert publisher.wait_for_all_acked(Duration(seconds=30))
    while not process.stderr.readline().startswith("waiting for /vector (50 of 1000000"):
        pass
    process.send_signal(2)
    _, error = graph.finish(process, expected=130)
    assert (
        end_of(error)
        == f"{tmp_path / name} holds 50 of /vector\ninterrupted; all processes ended\n"
    )
    assert counts(tmp_path / name) == {"/vector": 50}
    assert not Bag(tmp_path / name).problem


def test_a_snap_replaces_nothing(graph, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").touch()
    _, error = graph.finish(snap(graph, "/vector", "-o", tmp_path / "b"), expected=2)
    assert (
        end_of(error)
        == f"error: {tmp_path / 'b'} exists already; choose another folder or delete it\n"
    )
    assert (tmp_path / "b" / "mine").exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["/a b"], "error: '/a b' is no topic: "),
        (["scan", "--beside", "/scan"], "error: /scan is given twice; give each topic once\n"),
    ],
)
def test_names_that_are_wrong_are_refused_at_once(graph, tmp_path, words, sentence):
    _, error = graph.finish(snap(graph, *words, "-o", tmp_path / "b"), expected=2)
    assert error.startswith(sentence)
    assert not (tmp_path / "b").exists()


def test_it_only_listens(graph, tmp_path):
    process = snap(graph, "/vector", "-o", tmp_path / "b")
    name = f"lockstep_snap_{process.pid}"
    graph.spin_until(lambda: name in graph.node.get_node_names())
    process.stderr.readline()
    published = graph.node.get_publisher_names_and_types_by_node(name, "/")
    assert [topic for topic, _ in published] == ["/parameter_events"]
    assert graph.node.get_service_names_and_types_by_node(name, "/") == []


def test_a_type_that_is_not_installed_is_refused_with_what_helps(graph, tmp_path):
    """As where the driver's workspace is not sourced in this shell."""
    publisher = graph.node.create_publisher(Vector3Stamped, "/vector", QUICK)
    code = "import sys; sys.modules['geometry_msgs.msg'] = None\n"
    code += "from lockstep.cli.main import main; main()"
    graph.environment = graph.environment | {"ROS_DISTRO": "jazzy"}
    process = snap(graph, "/vector", "-o", tmp_path / "b", begin=("-c", code))
    _, error = graph.finish(process, expected=2)
    assert publisher.get_subscription_count() == 0
    assert end_of(error) == (
        "error: cannot record /vector: its type geometry_msgs/msg/Vector3Stamped is not installed "
        "here; source the workspace of its publisher (. install/setup.bash), or: "
        "sudo apt install ros-jazzy-geometry-msgs\n"
    )
    assert not (tmp_path / "b").exists()
