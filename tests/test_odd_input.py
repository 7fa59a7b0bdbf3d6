"""The twins agree on what no recording in bags/ holds: NaN, infinities,
extremes, empty arrays, odd stamps.
"""

import itertools
import json

import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist, Vector3Stamped
from lockstep.bag import BagWriter
from lockstep.message.definitions import definition
from lockstep.message.rosidl import type_name
from nav_msgs.msg import Odometry
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, Imu, LaserScan
from stranger import Stranger

NAN, INF, TINY, HUGE = float("nan"), float("inf"), 5e-324, 1e200
ODD = [0.0, -0.0, 1.0, -1.0, TINY, 1e-12, HUGE, -HUGE, 1.7e308, INF, -INF, NAN]
MS = 1_000_000


def vectors():
    for x, y, z in itertools.product(ODD, ODD, (0.0, 1e-13, NAN)):
        message = Vector3Stamped()
        message.vector.x, message.vector.y, message.vector.z = x, y, z
        yield "vector", message


def imus():
    stamps = [5, 10, 10, 8, 0, 20, 4000, 4010, 4020, 4030]  # ms: repeated, back, zero, a gap
    for (rate, acceleration), ms in zip(itertools.product(ODD, ODD), itertools.cycle(stamps)):
        message = Imu()
        message.header.stamp = Time(sec=ms // 1000, nanosec=ms % 1000 * MS)
        message.angular_velocity.x, message.angular_velocity.z = rate, 0.1
        message.linear_acceleration.y, message.linear_acceleration.z = acceleration, 9.81
        yield "imu", message


def velocities():
    for value in ODD:
        command = Twist()
        command.linear.x, command.angular.z = value, -value
        yield "command", command
        odometry = Odometry(child_frame_id=f"base {value} äöü")
        odometry.twist.twist.linear.x, odometry.twist.twist.angular.z = -value, 0.5
        yield "odometry", odometry


def scans():
    ranges = [[], [1.0], [NAN] * 9, [INF, -INF, NAN, 0.5, 99.0, 0.0], [0.1 * i for i in range(37)]]
    for values, limits in itertools.product(ranges, [(0.0, 10.0), (5.0, 1.0), (NAN, INF)]):
        message = LaserScan(ranges=values, range_min=limits[0], range_max=limits[1])
        message.angle_min, message.angle_max = -3.1, NAN if limits[0] == 5.0 else 3.1
        yield "scan", message


def images():
    for encoding, (width, height) in itertools.product(
        ["mono8", "rgb8", "bgr8", "rgba8", "bgra8", "mono16", "16UC1", "32FC1", ""],
        [(0, 0), (3, 0), (0, 3), (1, 1), (5, 4)],
    ):
        for big, padding, missing in ((0, 0, 0), (1, 3, 0), (0, 0, 1)):
            size = {"mono8": 1, "rgb8": 3, "bgr8": 3, "mono16": 2, "16UC1": 2}.get(encoding, 4)
            step = width * size + padding
            data = bytes((7 * i) % 256 for i in range(max(0, step * height - missing)))
            yield (
                "image",
                Image(
                    width=width,
                    height=height,
                    step=step,
                    encoding=encoding,
                    is_bigendian=big,
                    data=data,
                ),
            )


@pytest.mark.parametrize(
    ("name", "component", "messages", "parameters"),
    [
        ("vector_normalizer", "VectorNormalizer", vectors, {"epsilon": 0.0}),
        ("imu_complementary_filter", "ImuComplementaryFilter", imus, {}),
        ("pd_controller", "PdController", velocities, {"filter_time": 0.0, "max_force": 0.0}),
        ("scan_sectors", "ScanSectors", scans, {"count": 5}),
        ("image_threshold", "ImageThreshold", images, {"threshold": 100}),
    ],
)
def test_the_twins_agree_on_odd_input(
    stranger: Stranger, write_verification, name, component, messages, parameters
):
    topics = set()
    with BagWriter(stranger.cwd / "odd") as writer:
        for index, (port, message) in enumerate(messages()):
            if port not in topics:
                kind = type_name(type(message))
                writer.add_topic(f"/{port}", kind, definition(kind))
                topics.add(port)
            writer.write(f"/{port}", serialize_message(message), 1_000_000_000 + index * 15 * MS)
    file = write_verification(
        {
            "python": {"component": f"lockstep_examples:{component}"},
            "cpp": {"executable": f"lockstep_examples_cpp/{name}"},
        },
        inputs={"bag": "odd", "topics": {port: f"/{port}" for port in topics}},
        parameters=parameters,
        compare={},
    )
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 0, done.out + done.err
    (key,) = json.loads(done.out)["comparisons"]["cpp"]["keys"].values()
    assert key["aligned"] >= 10
    assert (key["differing"], key["largest_error"]) == (0, None)


def test_a_live_run_waits_for_nobody_to_publish_an_input_that_stays_silent(
    stranger: Stranger, write_verification
):
    with BagWriter(stranger.cwd / "odometry") as writer:
        kind = type_name(Odometry)
        writer.add_topic("/odometry", kind, definition(kind))
        for index in range(20):
            payload = serialize_message(Odometry(child_frame_id="base"))
            writer.write("/odometry", payload, 1_000_000_000 + index * 15 * MS)
    file = write_verification(
        {
            "python": {"component": "lockstep_examples:PdController"},
            "cpp": {"executable": "lockstep_examples_cpp/pd_controller"},
        },
        inputs={"bag": "odometry", "topics": {"odometry": "/odometry"}, "silent": ["command"]},
        run={"mode": "live"},
        compare={},
    )
    done = stranger.run("verify", file, "-o", "out", "--json")
    assert done.code == 0, done.out + done.err
    (key,) = json.loads(done.out)["comparisons"]["cpp"]["keys"].values()
    assert key["aligned"] >= 10
