"""The recordings that faults are planted in: real ones of several robots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from lockstep.bag import Bag

Array = npt.NDArray[Any]
Columns = Mapping[str, Array]
BAGS = Path(__file__).resolve().parents[4] / "bags"
MOST_INPUTS = 40
"""Numbers of the inputs that a verification knows."""
# topic of a bag, first message and number of messages, all of which move
RECORDINGS: Mapping[str, tuple[str, str, int, int]] = {
    "husky imu": ("husky_gps_imu_odom", "/imu/data", 3000, 3000),
    "husky acceleration": ("husky_acceleration", "/imu/acceleration", 0, 3000),
    "husky odometry": ("husky_gps_imu_odom", "/husky_velocity_controller/odom", 500, 3000),
    "husky gps": ("husky_gps_imu_odom", "/fix", 0, 989),
    "office scan": ("office_scan_odom_tf", "/scan", 600, 400),
    "office odometry": ("office_scan_odom_tf", "/odom", 0, 1161),
    "gazebo imu": ("gazebo_diff_drive", "/imu", 0, 1997),
    "gazebo odometry": ("gazebo_diff_drive", "/odom", 0, 998),
    "wall imu": ("gazebo_diff_drive_wall", "/imu", 0, 2001),
    "wall odometry": ("gazebo_diff_drive_wall", "/odom", 0, 1000),
    "sick scan": ("sick_scan_cloud_radar", "/sick_lms_1xx/scan", 0, 89),
}
X, Y, Z = (f"linear_acceleration.{axis}" for axis in "xyz")
GYRO = tuple(f"angular_velocity.{axis}" for axis in "xyz")
QUATERNION = tuple(f"orientation.{axis}" for axis in "xyzw")
PLACE = tuple(f"pose.pose.position.{axis}" for axis in "xy")
SPEED, TURN = "twist.twist.linear.x", "twist.twist.angular.z"


@dataclass(frozen=True)
class Recording:
    """Columns (n,) or (n, k) of a topic by field, and the times (n,) of its messages."""

    columns: Columns
    time_ns: npt.NDArray[np.int64]

    def __getitem__(self, path: str) -> Array:
        return self.columns[path]

    @property
    def step_s(self) -> Array:
        """(n,) the time since the message before; that of the first is the median."""
        steps = np.diff(self.time_ns) * 1e-9
        return np.concatenate([[np.median(steps)], steps])

    def stack(self, paths: tuple[str, ...]) -> Array:
        """(n, k) several fields."""
        return np.stack([self[path] for path in paths], axis=1)

    @property
    def inputs(self) -> Columns:
        """What a verification knows of an input: its first fields that are single numbers."""
        single = {
            f"in.{path}": column.astype(np.float64)
            for path, column in self.columns.items()
            if column.ndim == 1 and not path.endswith("stamp")
        }
        return dict(list(single.items())[:MOST_INPUTS])


@cache
def recording(name: str) -> Recording:
    """A recording by its name."""
    folder, topic, first, count = RECORDINGS[name]
    with Bag(BAGS / folder) as bag:
        paths = [path for path in bag.codec(topic).fields() if not path.endswith("frame_id")]
        all_columns = bag.columns(topic, paths)
    columns = {
        path: column[first : first + count]
        for path, column in all_columns.items()
        if column.dtype != object
    }
    return Recording(columns, columns["header.stamp"])
