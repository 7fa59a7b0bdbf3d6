import math

import pytest
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Vector3
from sensor_msgs.msg import Imu

pytestmark = pytest.mark.lockstep("../verify/imu_complementary_filter.yaml")

LEVEL = Vector3(z=9.81)


def imu(ms, rate_z=0.0, acceleration=LEVEL):
    message = Imu(linear_acceleration=acceleration, angular_velocity=Vector3(z=rate_z))
    message.header.stamp = Time(sec=ms // 1000, nanosec=ms % 1000 * 1_000_000)
    return message


def test_the_filter_starts_level_with_gravity(component):
    component.imu.send(imu(1000, acceleration=Vector3(y=9.81)))  # rolled by 90 degrees
    q = component.orientation.last.quaternion
    assert (q.w, q.x) == pytest.approx((math.sqrt(0.5), math.sqrt(0.5)))


def test_the_filter_integrates_the_gyroscope_about_the_vertical(component):
    for ms in range(1000, 2001):
        component.imu.send(imu(ms, rate_z=math.pi / 2))
    q = component.orientation.last.quaternion
    assert 2 * math.atan2(q.z, q.w) == pytest.approx(math.pi / 2, abs=1e-3)


def test_the_filter_leans_towards_the_accelerometer(component):
    component.imu.send(imu(1000))
    for ms in range(1010, 21_000, 10):
        component.imu.send(imu(ms, acceleration=Vector3(y=9.81, z=9.81)))
    q = component.orientation.last.quaternion
    assert 2 * math.atan2(q.x, q.w) == pytest.approx(math.pi / 4, abs=0.01)


def test_the_filter_skips_what_is_not_finite(component):
    component.imu.send(imu(1000, rate_z=math.nan))
    assert component.orientation.messages == []
