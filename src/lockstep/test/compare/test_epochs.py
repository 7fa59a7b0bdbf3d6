"""Messages of one epoch of a simulation are never compared with those of another."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.compare import compare
from lockstep.compare.epochs import epoch_starts, one_after_the_other

BAGS = Path(__file__).resolve().parents[4] / "bags"
S = 1_000_000_000


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
