"""Messages of one epoch of a simulation are never compared with those of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.compare import compare
from lockstep.compare.epochs import epoch_starts, epochs_of, one_after_the_other

BAGS = Path(__file__).resolve().parents[4] / "bags"
MS = 1_000_000
S = 1_000 * MS
WALL_NS = 1_790_000_000 * S


def reset(folder: Path, *, without: set[int] = frozenset(), off: float = 0.0) -> Bag:
    """Two epochs of 100 messages of the Gazebo robot's odometry, the second over the stamps of the
    first: less some messages (by their number of 200), and with the second epoch's y shifted."""
    with Bag(BAGS / "gazebo_diff_drive") as bag, BagWriter(folder) as writer:
        about, codec = bag.topics["/odom"], bag.codec("/odom")
        writer.add_topic("/odom", about.type, about.definition, about.type_hash)
        messages = list(islice(bag.messages(["/odom"]), 100))
        later = list(islice(bag.messages(["/odom"], start_ns=10 * S), 100))
        for number, (stamped, held) in enumerate(zip(messages * 2, messages + later, strict=True)):
            value, stamp = codec.decode(held.data), codec.decode(stamped.data).header.stamp
            value.header.stamp = stamp
            value.pose.pose.position.y += off * (number >= 100)
            if number not in without:
                writer.write("/odom", codec.encode(value), stamped.log_time_ns)
    return Bag(folder)


def simulated(
    folder: Path,
    *spans_s: tuple[float, float],
    wall: bool = False,
    silent: float = 0.0,
    without: Collection[tuple[str, int]] = (),
) -> Bag:
    """Parts of the Gazebo run with its /clock, one after the other as a world that is reset records
    them: on wall time or on simulated time, /imu silent for so long in the later parts, and less
    some messages (topic and number)."""
    names = ["/clock", "/imu", "/odom", "/cmd_vel"]
    with Bag(BAGS / "gazebo_diff_drive") as bag, BagWriter(folder) as writer:
        for name in names:
            about = bag.topics[name]
            writer.add_topic(name, about.type, about.definition, about.type_hash)
        numbers: Counter[str] = Counter()
        wall_ns = 0
        for part, (begin_s, end_s) in enumerate(spans_s):
            start_ns, end_ns = round(begin_s * S), round(end_s * S)
            for message in bag.messages(names, start_ns=start_ns, end_ns=end_ns):
                wall_ns += MS
                is_silent = message.topic == "/imu" and part and message.log_time_ns < silent * S
                if is_silent or (message.topic, numbers[message.topic]) in without:
                    numbers[message.topic] += not is_silent
                    continue
                numbers[message.topic] += 1
                at_ns = WALL_NS + wall_ns if wall else message.log_time_ns
                writer.write(message.topic, message.data, at_ns)
    return Bag(folder)


def test_a_jump_back_that_lasts_is_an_epoch_and_a_late_message_is_none():
    times = np.arange(100) * S // 10
    again = np.concatenate([times, times[:50]])
    assert epoch_starts(again).tolist() == [100]
    late = times.copy()
    late[50:53] -= 5 * S
    assert epoch_starts(late).tolist() == []
    early = times.copy()
    early[50:53] += 50 * S
    assert epoch_starts(early).tolist() == []
    jitter = times + np.where(np.arange(100) % 2, 0, S // 20)
    assert epoch_starts(jitter).tolist() == []
    ends = np.concatenate([times, times[:4]])
    assert epoch_starts(ends).tolist() == []


def test_epochs_are_put_one_after_the_other_on_both_sides_alike():
    times = np.arange(10) * S
    a = np.concatenate([times, times])
    b = np.concatenate([times, times[:7]])
    later_a, later_b = one_after_the_other(a, b)
    assert (np.diff(later_a) > 0).all()
    assert (np.diff(later_b) > 0).all()
    assert np.array_equal(later_a[:17], later_b)
    assert one_after_the_other(times, times)[0] is times


@pytest.mark.parametrize("align", ["auto", "stamp", "time"])
def test_a_message_that_is_missing_in_one_epoch_is_not_found_in_the_other(tmp_path, align):
    with reset(tmp_path / "a") as a, reset(tmp_path / "b", without={7, 150}) as b:
        key = compare(a, b, align=align).keys["/odom"]
    assert key.aligned.only_a[:, 0].tolist() == [7, 150]
    assert (key.aligned.count, len(key.aligned.reordered), key.judged.differing) == (198, 0, 0)


def test_what_differs_is_told_with_its_epoch(tmp_path):
    with reset(tmp_path / "a") as a, reset(tmp_path / "b", without={3}, off=0.5) as b:
        found = compare(a, b, align="stamp")
    key = found.keys["/odom"]
    assert key.judged.differing == 100
    assert key.judged.first.tick_a == 100
    summary = "\n".join(found.summary().splitlines())
    assert "in 2 epochs" in summary
    assert "first at tick 100, epoch 2, t = 0.000000000 s" in summary


def test_a_side_that_was_never_reset_lacks_the_later_epoch(tmp_path):
    never = set(range(100, 200))
    with reset(tmp_path / "a") as a, reset(tmp_path / "b", without=never) as b:
        key = compare(a, b, align="stamp").keys["/odom"]
    assert key.aligned.count == 100
    assert key.aligned.only_a[:, 0].tolist() == sorted(never)
    assert key.judged.differing == 0


@pytest.mark.parametrize("wall", [False, True])
def test_epochs_of_all_topics_begin_where_the_clock_goes_back(tmp_path, wall):
    spans = (0.0, 3.0), (0.0, 2.0), (0.0, 0.5)
    with (
        simulated(tmp_path / "a", *spans, wall=wall) as a,
        simulated(tmp_path / "b", *spans, wall=wall, without={("/cmd_vel", 25)}) as b,
    ):
        keys = compare(a, b).keys
    begins = {"/imu": [296, 492], "/odom": [147, 244], "/cmd_vel": [20, 30]}
    assert {name: keys[name].aligned.epochs[0].tolist() for name in begins} == begins
    assert {len(keys[name].aligned.epochs[1]) for name in begins} == {2}
    assert keys["/cmd_vel"].aligned.only_a[:, 0].tolist() == [25]
    assert keys["/cmd_vel"].judged.differing == 0


def test_a_sensor_whose_stamps_never_go_back_has_the_epochs_of_the_clock(tmp_path):
    with simulated(tmp_path / "a", (0.0, 2.0), (0.0, 4.0), silent=2.0) as a:
        key = compare(a, a, topics=["/imu"]).keys["/imu"]
    assert (np.diff(key.aligned.times_ns[0]) > 0).all()
    assert key.aligned.epochs[0].tolist() == [196]


def test_epochs_of_a_few_messages_are_epochs_where_there_is_a_clock(tmp_path):
    spans = (0.0, 0.1), (0.0, 0.1), (0.0, 0.1)
    with simulated(tmp_path / "a", *spans) as a:
        key = compare(a, a).keys["/odom"]
        clockless = compare(a, a, topics=["/odom"]).keys["/odom"]
    assert key.aligned.count_a < 15
    assert key.aligned.epochs[0].tolist() == [
        key.aligned.count_a // 3,
        2 * key.aligned.count_a // 3,
    ]
    assert np.array_equal(clockless.aligned.epochs[0], key.aligned.epochs[0])


def test_what_comes_a_little_later_than_the_clock_belongs_to_the_epoch_of_its_time():
    times = np.concatenate([np.arange(10), np.arange(10)]) * S
    jumps = np.array([[8, 9 * S]])
    assert epoch_starts(times, jumps).tolist() == [10]
    assert epoch_starts(np.arange(20) * S, jumps).tolist() == [8]
    assert epoch_starts(times, np.empty((0, 2), np.int64)).tolist() == []
    both = np.array([[9, 9 * S], [9, 9 * S]])
    assert epochs_of(np.arange(20), epoch_starts(times, both)).tolist() == [0] * 10 + [2] * 10
