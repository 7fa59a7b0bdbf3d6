"""When messages are due, without waiting for any."""

import math

import pytest
from lockstep.errors import UsageError
from lockstep.nodes.playing.pace import Behind, Lateness, Pace, checked_rtf, was_held

SECOND = 1_000_000_000


class Wall:
    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def wall():
    return Wall()


def test_deadlines_are_absolute_so_that_lateness_does_not_add_up(wall):
    pace = Pace(2.0, now=wall)
    assert pace.due_s(SECOND) == 100.0
    for step in range(1, 1000):
        wall.now_s = 100.0 + step * 0.5 + 0.3  # always late
        assert pace.due_s((1 + step) * SECOND) == 100.0 + step * 0.5


def test_a_pause_holds_the_time_of_the_bag(wall):
    pace = Pace(1.0, now=wall)
    pace.due_s(SECOND)
    wall.now_s += 3
    pace.pause()
    wall.now_s += 50
    assert pace.position_ns() == 4 * SECOND
    pace.resume()
    assert pace.due_s(6 * SECOND) == 155.0


def test_another_rate_goes_on_from_where_the_bag_is(wall):
    pace = Pace(1.0, now=wall)
    pace.due_s(0)
    wall.now_s += 4
    pace.rtf = 10.0
    assert pace.due_s(24 * SECOND) == 106.0


def test_a_jump_is_to_the_next_message_or_to_a_time(wall):
    pace = Pace(1.0, now=wall)
    pace.due_s(0)
    pace.jump(None)
    assert pace.due_s(77 * SECOND) == 100.0
    pace.jump(50 * SECOND)
    assert pace.due_s(52 * SECOND) == 102.0


def test_the_rate_that_was_achieved_leaves_pauses_out(wall):
    pace = Pace(4.0, now=wall)
    pace.due_s(0)
    pace.played(0)
    wall.now_s += 5
    pace.played(10 * SECOND)
    assert pace.achieved_rtf() == 2.0
    pace.pause()
    wall.now_s += 1000
    pace.played(11 * SECOND)  # a single one
    pace.resume()
    for seconds in (12, 14):
        pace.played(seconds * SECOND)
        wall.now_s += 1
    assert pace.achieved_rtf() == 2.0
    assert not was_held(4.0, pace.achieved_rtf())
    assert was_held(2.0, pace.achieved_rtf())


@pytest.mark.parametrize("rtf", [0.0, -1.0, math.nan])
def test_a_rate_that_is_none_is_refused(rtf):
    with pytest.raises(UsageError, match="is not greater than 0"):
        checked_rtf(rtf)


@pytest.mark.parametrize("rtf", [0.01, 1.0, 1000.0, math.inf])
def test_slow_and_fast_rates_can_be_played(rtf):
    assert checked_rtf(rtf) == rtf


def test_lateness_is_told_within_five_percent():
    lateness = Lateness()
    for index in range(1000):
        lateness.add((index + 1) * 1e-5)
    assert lateness.percentile_s(50) == pytest.approx(5e-3, rel=0.05)
    assert lateness.percentile_s(99) == pytest.approx(9.9e-3, rel=0.05)
    assert lateness.max_s == 1e-2
    assert lateness.late == 500
    assert lateness.jitter_s() == pytest.approx(1e-2 / math.sqrt(12), rel=0.01)


def test_no_messages_have_no_lateness():
    assert Lateness().report()["p99_s"] is None


def test_to_be_behind_is_told_once_each_time_and_only_if_it_lasts():
    behind = Behind()
    assert not behind.check(0.2, 1.0)
    assert not behind.check(0.2, 1.4)
    assert behind.check(0.2, 1.6)
    assert not behind.check(0.2, 9.0)
    assert not behind.check(0.0, 9.1)
    assert not behind.check(0.2, 9.2)
    assert behind.check(0.2, 9.8)


@pytest.mark.parametrize("rtf", [1.0, 0.3])
def test_an_hour_at_200_hz_does_not_drift(wall, rtf):
    pace = Pace(rtf, now=wall)
    epoch_ns = 1_764_500_000 * SECOND  # as bags have it, where a float counts quarters of 1 µs
    pace.due_s(epoch_ns)
    for step in range(0, 3600 * 200, 997):
        due_s = pace.due_s(epoch_ns + step * 5_000_000)
        wall.now_s = due_s + 0.002  # and late each time
        assert abs(due_s - 100.0 - step * 0.005 / rtf) < 1e-6
