"""Ordinary rclpy nodes that are a system only together: `python3 system_nodes.py NODE`.

Nothing here knows Lockstep.
"""

import os
import sys
import threading
import time
import uuid
from contextlib import suppress

import rclpy
from lifecycle_msgs.msg import State as LifecycleState
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import ExternalShutdownException, MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Imu
from std_msgs.msg import Float64, String
from std_srvs.srv import SetBool

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
UNRELIABLE = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


class Says(Node):
    """Tells on /events what it sees."""

    def __init__(self, name):
        super().__init__(name)
        self.events = self.create_publisher(String, "/events", 100)

    def say(self, what):
        self.events.publish(String(data=f"{self.get_name()}: {what}"))


def relay(name, source, target, kind=Imu):
    node = Node(name)
    publisher = node.create_publisher(kind, target, 10)
    node.create_subscription(kind, source, publisher.publish, 10)
    rclpy.spin(node)


def first():
    relay("first", "/imu", "/a")


def second():
    relay("second", "/a", "/b")


def third():
    relay("third", "/b", "/c")


def doubler():
    """What it publishes on /a has twice the rate of turn."""
    node = Node("doubler")
    publisher = node.create_publisher(Imu, "/a", 10)

    def on_imu(msg):
        msg.angular_velocity.x *= 2
        publisher.publish(msg)

    node.create_subscription(Imu, "/imu", on_imu, 10)
    rclpy.spin(node)


def averager():
    """Two inputs from two processes, a timer, and a clock of its own."""
    node = Says("averager")
    counts = {"/a": 0, "/b": 0}

    def count(topic):
        counts[topic] += 1
        if counts[topic] % 50 == 0:
            node.say(f"{topic} {counts} at {time.time_ns()}")

    for topic in counts:
        node.create_subscription(Imu, topic, lambda msg, topic=topic: count(topic), 10)
    node.create_timer(
        0.25, lambda: node.say(f"timer {counts} {node.get_clock().now().nanoseconds}")
    )
    rclpy.spin(node)


def server():
    """Serves /switch, and counts what it sees of the inputs."""
    node = Says("server")
    state = {"n": 0, "on": False}
    node.declare_parameter("gain", 1.0)
    publisher = node.create_publisher(Float64, "/state", 10)

    def switch(request, response):
        state["on"] = request.data
        response.success, response.message = True, f"after {state['n']} at {time.time_ns()}"
        return response

    def on_imu(msg):
        state["n"] += 1
        gain = node.get_parameter("gain").value
        publisher.publish(Float64(data=gain * state["n"] * state["on"]))

    node.create_service(SetBool, "/switch", switch)
    node.create_subscription(Imu, "/imu", on_imu, 10)
    rclpy.spin(node)


def asker(name="asker", every_s=0.3):
    """Asks /switch again and again, and sets parameters of who serves it."""
    node = Says(name)
    client = node.create_client(SetBool, "/switch")
    setter = node.create_client(SetParameters, "/server/set_parameters")
    getter = node.create_client(GetParameters, "/server/get_parameters")
    asked = {"n": 0}

    def answered(future):
        node.say(f"{future.result().message} {future.result().success} heard at {time.time_ns()}")

    def on_timer():
        if not client.service_is_ready():
            node.say("nobody there")
            return
        asked["n"] += 1
        client.call_async(SetBool.Request(data=asked["n"] % 3 > 0)).add_done_callback(answered)
        value = ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=float(asked["n"]))
        setter.call_async(SetParameters.Request(parameters=[Parameter(name="gain", value=value)]))
        getter.call_async(GetParameters.Request(names=["gain"])).add_done_callback(
            lambda f: node.say(f"gain is {f.result().values[0].double_value}")
        )

    node.create_timer(every_s, on_timer)
    rclpy.spin(node)


def other_asker():
    asker("other_asker", 0.2)


def waits_for_nobody():
    """Waits two seconds for a service that nobody serves, then goes on."""
    node = Says("patient")
    client = node.create_client(SetBool, "/nowhere")
    threading.Thread(target=rclpy.spin, args=(node,), daemon=True).start()
    found = client.wait_for_service(2.0)
    node.say(f"found {found} at {time.time_ns()}")
    future = client.call_async(SetBool.Request())
    time.sleep(0.5)
    node.say(f"done {future.done()} at {time.time_ns()}")
    while rclpy.ok():
        time.sleep(0.1)


def latcher():
    """Says its map once, at its start."""
    node = Node("latcher")
    publisher = node.create_publisher(String, "/map", LATCHED)
    publisher.publish(String(data="old"))
    publisher.publish(String(data="new"))
    rclpy.spin(node)


def late():
    """Subscribes to the map after a second."""
    node = Says("late")

    def begin():
        timer.cancel()
        node.create_subscription(
            String, "/map", lambda m: node.say(f"{m.data} {time.time_ns()}"), LATCHED
        )

    timer = node.create_timer(1.0, begin)
    rclpy.spin(node)


def namesake():
    relay("first", "/imu", "/d")


def stranger():
    """Subscribes to /a as another type, and publishes so that nobody who is reliable hears it."""
    node = Says("stranger")
    node.create_subscription(String, "/a", lambda m: node.say("heard"), 10)
    publisher = node.create_publisher(Imu, "/b", UNRELIABLE)
    node.create_subscription(Imu, "/imu", publisher.publish, 10)
    rclpy.spin(node)


def graph():
    """Tells what it sees of the others."""
    node = Says("graph")

    def look():
        names = sorted(name for name, _ in node.get_node_names_and_namespaces())
        node.say(
            f"{names} {node.count_publishers('/a')} {node.count_subscribers('/a')} "
            f"{[info.node_name for info in node.get_publishers_info_by_topic('/a')]} "
            f"{node.get_service_names_and_types_by_node('first', '/')[0][0]}"
        )

    node.create_timer(0.5, look)
    rclpy.spin(node)


def ids():
    """Makes names that are to be unique."""
    node = Says(f"ids{sys.argv[2]}")
    node.create_timer(0.5, lambda: node.say(f"{uuid.uuid4()} {os.urandom(4).hex()}"))
    rclpy.spin(node)


def leaves():
    """Ends by itself after a second, in order."""
    node = Says("leaves")
    end = node.get_clock().now().nanoseconds + 10**9
    while node.get_clock().now().nanoseconds < end:
        rclpy.spin_once(node, timeout_sec=0.1)
    node.say("bye")
    rclpy.shutdown()


def fails():
    """Ends by itself after a second, with an exit code."""
    node = Says("fails")
    node.create_timer(1.0, lambda: sys.exit(4))
    rclpy.spin(node)


def crashes():
    node = Says("crashes")
    node.create_timer(1.0, lambda: os.kill(os.getpid(), 11))
    rclpy.spin(node)


def hangs():
    node = Says("hangs")

    def loop():
        while True:
            pass

    node.create_timer(1.0, loop)
    rclpy.spin(node)


def ping():
    relay("ping", "/ping", "/pong", String)


def pong():
    node = Node("pong")
    publisher = node.create_publisher(String, "/ping", 10)
    node.create_subscription(String, "/pong", publisher.publish, 10)
    node.create_timer(1.0, lambda: publisher.publish(String(data="go")))
    rclpy.spin(node)


def managed():
    """A lifecycle node that relays while it is active."""

    class Managed(LifecycleNode):
        def __init__(self):
            super().__init__("managed")
            self.said = self.create_lifecycle_publisher(Imu, "/managed_imu", 10)
            self.create_subscription(Imu, "/imu", lambda m: self.said.publish(m), 10)

        def on_configure(self, state):
            return TransitionCallbackReturn.SUCCESS

    rclpy.spin(Managed())


def manager():
    """Brings /managed up step by step, and down again."""
    node = Says("manager")
    client = node.create_client(ChangeState, "/managed/change_state")
    steps = [
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_ACTIVATE,
        Transition.TRANSITION_DEACTIVATE,
    ]

    def go():
        if steps:
            step = steps.pop(0)
            request = ChangeState.Request(transition=Transition(id=step))
            client.call_async(request).add_done_callback(
                lambda f: node.say(f"{step} {f.result().success} {time.time_ns()}")
            )

    node.create_timer(0.5, go)
    assert LifecycleState.PRIMARY_STATE_ACTIVE == 3
    rclpy.spin(node)


def cost_of_many_threads():
    """Four threads, each of which takes a message at a time."""
    node = Says("threads")
    group = ReentrantCallbackGroup()
    node.create_subscription(
        Imu, "/imu", lambda m: node.say(time.time_ns()), 3, callback_group=group
    )
    executor = MultiThreadedExecutor(4)
    executor.add_node(node)
    executor.spin()


def slow():
    """Has room for three messages."""
    node = Says("slow")
    node.create_subscription(Imu, "/imu", lambda m: node.say(m.angular_velocity.x), 3)
    rclpy.spin(node)


def action_server():
    """Counts up, once in 0.2 s, and tells how far it is."""
    from example_interfaces.action import Fibonacci
    from rclpy.action import ActionServer, CancelResponse

    node = Says("action_server")

    def execute(goal):
        numbers = [0, 1]
        while len(numbers) <= goal.request.order:
            time.sleep(0.2)
            numbers.append(numbers[-1] + numbers[-2])
            goal.publish_feedback(Fibonacci.Feedback(sequence=numbers))
            if goal.is_cancel_requested:
                goal.canceled()
                return Fibonacci.Result()
        goal.succeed()
        return Fibonacci.Result(sequence=numbers)

    group = ReentrantCallbackGroup()
    ActionServer(
        node,
        Fibonacci,
        "/fibonacci",
        execute,
        callback_group=group,
        cancel_callback=lambda request: CancelResponse.ACCEPT,
    )
    executor = MultiThreadedExecutor(4)
    executor.add_node(node)
    executor.spin()


def action_client():
    """Wants a short sequence, and a long one that it gives up."""
    from example_interfaces.action import Fibonacci
    from rclpy.action import ActionClient

    node = Says(sys.argv[2])
    client = ActionClient(node, Fibonacci, "/fibonacci")

    def want(order, give_up_s=None):
        def accepted(future):
            goal = future.result()
            node.say(f"{order} accepted {goal.accepted}")
            goal.get_result_async().add_done_callback(
                lambda f: node.say(
                    f"{order} {f.result().status} {list(f.result().result.sequence)}"
                )
            )
            if give_up_s is not None:
                timer = node.create_timer(
                    give_up_s, lambda: (timer.cancel(), goal.cancel_goal_async())
                )

        client.send_goal_async(
            Fibonacci.Goal(order=order),
            lambda m: node.say(f"{order} so far {list(m.feedback.sequence)}"),
        ).add_done_callback(accepted)

    def begin():
        timer.cancel()
        want(4)
        want(40, 1.1)

    timer = node.create_timer(0.1, begin)
    rclpy.spin(node)


def broadcaster():
    """Says where base is in map, and at the start where imu is on it."""
    from geometry_msgs.msg import TransformStamped
    from tf2_ros import StaticTransformBroadcaster, TransformBroadcaster

    node = Node("broadcaster")
    moving = TransformBroadcaster(node)
    fixed = TransformStamped(child_frame_id="imu")
    fixed.header.frame_id = "base"
    fixed.transform.translation.z, fixed.transform.rotation.w = 0.5, 1.0
    StaticTransformBroadcaster(node).sendTransform(fixed)

    def on_imu(msg):
        found = TransformStamped(child_frame_id="base")
        found.header.stamp = node.get_clock().now().to_msg()
        found.header.frame_id = "map"
        found.transform.translation.x = msg.angular_velocity.x
        found.transform.rotation.w = 1.0
        moving.sendTransform(found)

    node.create_subscription(Imu, "/imu", on_imu, 10)
    rclpy.spin(node)


def listener():
    """Looks up where imu is in map, three times a second."""
    from tf2_ros import Buffer, TransformListener

    node = Says("listener")
    buffer = Buffer()
    TransformListener(buffer, node)

    def look():
        at = buffer.lookup_transform("map", "imu", rclpy.time.Time()).transform.translation
        node.say(f"{at.x} {at.z}")

    node.create_timer(0.3, look)
    rclpy.spin(node)


def synchronizer():
    """Takes messages of two topics together by message_filters."""
    import message_filters

    node = Says("synchronizer")
    topics = [message_filters.Subscriber(node, Imu, topic) for topic in ("/a", "/imu")]
    both = message_filters.TimeSynchronizer(topics, 10)
    both.registerCallback(lambda a, b: node.say(f"{a.angular_velocity.x} {b.angular_velocity.x}"))
    rclpy.spin(node)


if __name__ == "__main__":
    rclpy.init()
    with suppress(KeyboardInterrupt, ExternalShutdownException):
        globals()[sys.argv[1]]()
