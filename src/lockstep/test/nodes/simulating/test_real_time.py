"""The real-time factor that the driver of a simulation tells."""

from __future__ import annotations

import pytest
from lockstep.nodes.simulating.real_time import RealTime


def test_the_factor_is_told_of_the_whole_and_by_second():
    found = RealTime()
    for tick in range(401):  # two seconds at half speed, then two at full
        wall_s = 100.0 + tick * 0.01
        found.see(max(0.5 * (wall_s - 100.0), wall_s - 101.0), wall_s)
    assert found.factor == pytest.approx(3 / 4)
    assert found.by_second == pytest.approx([0.5, 0.5, 1.0, 1.0], abs=0.02)
    assert (found.simulated_s, found.wall_s) == pytest.approx((3.0, 4.0))
    assert str(found).startswith("simulated 3 s in 4 s of wall time, RTF 0.75 (0.5")


def test_what_has_not_begun_has_no_factor():
    found = RealTime()
    assert (found.factor, found.simulated_s, found.by_second) == (0.0, 0.0, [])
    found.see(0.0, 5.0)
    assert found.factor == 0.0
