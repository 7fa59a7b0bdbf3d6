"""Which steps of a bag a run takes, and at what times."""

from pathlib import Path

import pytest
from lockstep.bag import Bag
from lockstep.run.timeline import Timeline

BAGS = Path(__file__).resolve().parents[4] / "bags"


@pytest.mark.parametrize("name", ["husky_gps_imu_odom", "gazebo_diff_drive"])
def test_without_topics_time_steps_as_the_messages_tell_it_and_nothing_is_given(name):
    with Bag(BAGS / name) as bag:
        steps = list(Timeline(bag, []).steps())
        told = (
            bag.topics["/clock"].count
            if "/clock" in bag.topics
            else sum(t.count for t in bag.topics.values())
        )
    assert not any(one.is_input.any() for one in steps)
    times = [time for one in steps for time in one.time_ns.tolist()]
    assert len(times) == told
    assert times == sorted(times)
