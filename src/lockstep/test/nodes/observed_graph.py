"""An isolated ROS graph with a node of the test on it, and processes beside it."""

import signal
import subprocess
import sys
import time

import rclpy
from geometry_msgs.msg import Vector3Stamped
from lockstep.component import to_stamp
from rclpy.qos import QoSProfile
from rclpy.serialization import serialize_message

MS = 1_000_000
QUICK = QoSProfile(depth=1000)


class Graph:
    """An rclpy node of the test, and the processes beside it."""

    def __init__(self, environment):
        self.environment = environment
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=int(environment["ROS_DOMAIN_ID"]))
        self.node = rclpy.create_node("observer", context=self.context)
        self.executor = rclpy.executors.SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.processes = []

    def start(self, module, *arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", f"lockstep.nodes.{module}", *map(str, arguments)],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def listen(self, message_type, topic, qos=QUICK):
        received = []
        self.node.create_subscription(message_type, topic, received.append, qos)
        return received

    def spin_until(self, condition, limit_s=30):
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, "it did not happen"
            self.executor.spin_once(timeout_sec=0.02)

    def finish(self, process, expected=0):
        self.spin_until(lambda: process.poll() is not None)
        out, error = process.communicate()
        assert process.returncode == expected, error
        return out, error

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        return self.finish(process)

    def call(self, service_type, name, **fields):
        client = self.node.create_client(service_type, name)
        self.spin_until(client.service_is_ready)
        future = client.call_async(service_type.Request(**fields))
        self.spin_until(future.done)
        self.node.destroy_client(client)
        return future.result()

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.communicate()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


def vector(x: float, time_ns: int) -> bytes:
    message = Vector3Stamped()
    message.header.stamp = to_stamp(time_ns)
    message.vector.x = float(x)
    return serialize_message(message)
