import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.bag.survey import survey


def bag_of(folder, times_ns, publish_offset_ns=0):
    with BagWriter(folder) as writer:
        writer.add_topic("/x", "std_msgs/msg/String", "string data")
        for time_ns in times_ns:
            writer.write("/x", b"\0\1\0\0\1\0\0\0\0", time_ns, time_ns + publish_offset_ns)
    return Bag(folder)


def test_rates_gaps_and_sizes_of_a_real_bag(bags):
    found = survey(Bag(bags / "gazebo_diff_drive"))
    imu = found.topics["/imu"]
    assert (imu.count, imu.rate_hz, imu.gaps) == (1997, 100.0, 0)
    assert imu.bytes == 1997 * 332
    assert found.clock.startswith("simulation time")
    assert found.problems == []


def test_a_gap_is_an_interval_of_more_than_five_medians(tmp_path):
    start = 1_700_000_000_000_000_000
    times = np.concatenate([np.arange(50), np.arange(60, 100), [104]]) * 10**7 + start
    found = survey(bag_of(tmp_path / "b", times.tolist()))
    topic = found.topics["/x"]
    assert (topic.gaps, topic.largest_gap_ns) == (1, 11 * 10**7)
    assert found.clock == "wall time"


def test_time_that_runs_backwards_is_a_problem(tmp_path):
    found = survey(bag_of(tmp_path / "b", [0, 10**9, 2 * 10**9, 5 * 10**8, 10**9]))
    assert found.problems == ["log time runs backwards once, by up to 1.500 s"]


@pytest.mark.parametrize(
    ("start_ns", "offset_ns", "clock"),
    [
        (5 * 10**9, 0, "unknown"),
        (5 * 10**9, 17 * 10**17, "simulation time"),
        (17 * 10**17, 5, "wall"),
    ],
)
def test_the_clock_of_log_times_is_told(tmp_path, start_ns, offset_ns, clock):
    found = survey(bag_of(tmp_path / "b", [start_ns, start_ns + 5], offset_ns))
    assert found.clock.startswith(clock)


def test_an_empty_topic_is_told_and_an_empty_bag_has_no_clock(tmp_path):
    found = survey(bag_of(tmp_path / "b", []))
    assert found.problems == ["/x holds no message"]
    assert found.topics["/x"].rate_hz is None
    assert "no clock" in found.clock


def test_progress_ends_at_the_number_of_messages(bags):
    told = []
    survey(Bag(bags / "office_scan_odom_tf"), lambda done, total: told.append((done, total)))
    assert told[-1] == (3482, 3482)
