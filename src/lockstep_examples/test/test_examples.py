"""The components do what their documentation says, on messages made by hand."""

import math

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Twist, Vector3Stamped
from lockstep.run.direct import DirectRun
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image, Imu, LaserScan

from lockstep_examples import (
    ImageThreshold,
    ImuComplementaryFilter,
    PdController,
    ScanSectors,
    VectorNormalizer,
)

MS = 1_000_000


def test_a_vector_is_scaled_to_unit_length_and_keeps_its_header():
    run = DirectRun(VectorNormalizer())
    message = Vector3Stamped()
    message.header.frame_id = "imu"
    message.vector.x, message.vector.y = 3.0, -4.0
    run.send("vector", message, 1)
    answer = run.last("normalized")
    assert (answer.vector.x, answer.vector.y, answer.vector.z) == (0.6, -0.8, 0.0)
    assert answer.header.frame_id == "imu"


def test_a_vector_shorter_than_epsilon_becomes_zero():
    run = DirectRun(VectorNormalizer(), {"epsilon": 0.1})
    message = Vector3Stamped()
    message.vector.z = 0.05
    run.send("vector", message, 1)
    assert run.last("normalized").vector.z == 0.0


def imu(ms, rate_z=0.0, acceleration=(0.0, 0.0, 9.81)):
    message = Imu()
    message.header.stamp = Time(sec=ms // 1000, nanosec=ms % 1000 * MS)
    message.angular_velocity.z = rate_z
    a = message.linear_acceleration
    a.x, a.y, a.z = acceleration
    return message


def test_the_filter_starts_level_with_gravity():
    run = DirectRun(ImuComplementaryFilter())
    run.send("imu", imu(1000, acceleration=(0.0, 9.81, 0.0)), 1)  # rolled by 90 degrees
    q = run.last("orientation").quaternion
    assert (q.w, q.x) == pytest.approx((math.sqrt(0.5), math.sqrt(0.5)))


def test_the_filter_integrates_the_gyroscope_about_the_vertical():
    run = DirectRun(ImuComplementaryFilter())
    for step in range(1001):
        run.send("imu", imu(1000 + step, rate_z=math.pi / 2), step + 1)
    q = run.last("orientation").quaternion
    assert 2 * math.atan2(q.z, q.w) == pytest.approx(math.pi / 2, abs=1e-3)


def test_the_filter_leans_towards_the_accelerometer():
    run = DirectRun(ImuComplementaryFilter())
    run.send("imu", imu(1000), 1)
    for step in range(1, 2000):
        run.send("imu", imu(1000 + 10 * step, acceleration=(0.0, 9.81, 9.81)), step + 1)
    q = run.last("orientation").quaternion
    assert 2 * math.atan2(q.x, q.w) == pytest.approx(math.pi / 4, abs=0.01)


def test_the_filter_skips_what_is_not_finite():
    run = DirectRun(ImuComplementaryFilter())
    run.send("imu", imu(1000, rate_z=math.nan), 1)
    assert not run.outputs["orientation"]


def test_the_controller_answers_at_its_own_rate_and_within_its_limits():
    run = DirectRun(PdController(), {"max_force": 10.0})
    command = Twist()
    command.linear.x = 1.0
    run.send("command", command, 1_000 * MS)
    run.send("odometry", Odometry(child_frame_id="base"), 1_001 * MS)
    run.advance(1_100 * MS)
    times = [time_ns for time_ns, _ in run.outputs["wrench"]]
    assert times == [ms * MS for ms in (1_020, 1_040, 1_060, 1_080, 1_100)]
    answer = run.last("wrench")
    assert (answer.wrench.force.x, answer.header.frame_id) == (10.0, "base")
    assert answer.header.stamp.nanosec == 100 * MS


def test_each_sector_has_its_nearest_valid_range():
    run = DirectRun(ScanSectors(), {"count": 3})
    ranges = [2.0, math.nan, math.inf, 99.0, -math.inf, 4.0]
    run.send("scan", LaserScan(ranges=ranges, range_min=0.1, range_max=10.0, angle_max=3.0), 1)
    answer = run.last("sectors")
    assert list(answer.ranges) == [2.0, math.inf, -math.inf]
    assert answer.angle_increment == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("encoding", "pixel", "mask"),
    [
        ("mono8", [128], 255),
        ("mono8", [127], 0),
        ("rgb8", [255, 255, 255], 255),
        ("rgb8", [255, 0, 0], 0),  # red is 30 % of luma
        ("bgr8", [0, 255, 0], 255),  # green is 59 %
        ("mono16", [0, 200], 255),
    ],
)
def test_bright_pixels_are_white_in_the_mask(encoding, pixel, mask):
    run = DirectRun(ImageThreshold())
    data = bytes(pixel) + b"\xff"  # one byte of padding at the end of the row
    message = Image(width=1, height=1, step=len(data), encoding=encoding, data=data)
    run.send("image", message, 1)
    answer = run.last("mask")
    assert (answer.encoding, np.frombuffer(answer.data, np.uint8).tolist()) == ("mono8", [mask])
