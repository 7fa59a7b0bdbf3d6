import math

import pytest
from sensor_msgs.msg import LaserScan

pytestmark = pytest.mark.lockstep("../verify/scan_sectors.yaml")


@pytest.mark.parameters(count=3)
def test_each_sector_has_its_nearest_valid_range(component):
    ranges = [2.0, math.nan, math.inf, 99.0, -math.inf, 4.0]
    component.scan.send(LaserScan(ranges=ranges, range_min=0.1, range_max=10.0, angle_max=3.0))
    answer = component.sectors.last
    assert list(answer.ranges) == [2.0, math.inf, -math.inf]
    assert answer.angle_increment == pytest.approx(1.0)
