"""ScanSectors: the nearest obstacle in each sector of a laser scan; arrays, NaN and infinities.

Special ranges as REP-117 defines them: NaN is an error, +inf no return, -inf an object too close to
measure.
"""

import numpy as np
from lockstep.component import Component, Input, Output, Parameter
from lockstep.distributions import Distribution, FrameId, Integers, Scan, Timestamps, Uniform
from sensor_msgs.msg import LaserScan

SCANS = Distribution(
    {
        "*": Scan(rays=Integers(0, 720), range=Uniform(0.0, 12.0), nan_rate=0.02, inf_rate=0.1),
        "header.stamp": Timestamps(rate_hz=10.0),
        "header.frame_id": FrameId("laser"),
    }
)


class ScanSectors(Component):
    """Reduce a scan to one range per sector; a sector without a valid return is +inf."""

    scan = Input(LaserScan, dist=SCANS)
    sectors = Output(LaserScan)
    count = Parameter(8, "number of sectors of equal width", minimum=1)

    def on_scan(self, msg: LaserScan) -> None:
        ranges = np.asarray(msg.ranges, dtype=np.float32)
        with np.errstate(invalid="ignore"):
            valid = (ranges >= msg.range_min) & (ranges <= msg.range_max)
        valid |= np.isneginf(ranges)
        nearest = np.full(self.count, np.inf, dtype=np.float32)
        sector = np.arange(len(ranges)) * self.count // max(len(ranges), 1)
        np.minimum.at(nearest, sector[valid], ranges[valid])

        width = (msg.angle_max - msg.angle_min) / self.count
        result = LaserScan(header=msg.header)
        result.angle_min = msg.angle_min + 0.5 * width
        result.angle_max = msg.angle_max - 0.5 * width
        result.angle_increment = width
        result.time_increment = msg.time_increment
        result.scan_time = msg.scan_time
        result.range_min = msg.range_min
        result.range_max = msg.range_max
        result.ranges = nearest.tolist()
        self.sectors.publish(result)


def main() -> None:
    from lockstep.nodes.host import host

    host(ScanSectors)
