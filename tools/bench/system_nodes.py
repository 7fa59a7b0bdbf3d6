"""Ordinary rclpy nodes that are a system: three hand Imu on, one asks another for each of them."""

from __future__ import annotations

from rclpy.node import Node
from sensor_msgs.msg import Imu
from std_srvs.srv import Trigger


class First(Node):
    """/imu to /a."""

    def __init__(self) -> None:
        super().__init__("first")
        publisher = self.create_publisher(Imu, "a", 10)
        self.create_subscription(Imu, "imu", publisher.publish, 10)


class Second(Node):
    """/a to /b."""

    def __init__(self) -> None:
        super().__init__("second")
        publisher = self.create_publisher(Imu, "b", 10)
        self.create_subscription(Imu, "a", publisher.publish, 10)


class Asker(Node):
    """/b to /c, when the service /allowed has answered."""

    def __init__(self) -> None:
        super().__init__("asker")
        publisher = self.create_publisher(Imu, "c", 10)
        client = self.create_client(Trigger, "allowed")

        def on_imu(msg: Imu) -> None:
            answer = client.call_async(Trigger.Request())
            answer.add_done_callback(lambda _: publisher.publish(msg))

        self.create_subscription(Imu, "b", on_imu, 10)


class Server(Node):
    """Serves /allowed."""

    def __init__(self) -> None:
        super().__init__("server")
        self.create_service(Trigger, "allowed", lambda request, response: response)


class Last(Node):
    """/c to /out."""

    def __init__(self) -> None:
        super().__init__("last")
        publisher = self.create_publisher(Imu, "out", 10)
        self.create_subscription(Imu, "c", publisher.publish, 10)
