"""When /clock is published."""

import pytest
from lockstep.nodes.playing.clock import ClockOptions, ClockTicks

MS = 1_000_000


class Wall:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def ticks():
    def made(recorded=False, in_lockstep=False, **options):
        published = []
        wall = Wall()
        ticks = ClockTicks(
            ClockOptions(**options),
            published.append,
            recorded=recorded,
            in_lockstep=in_lockstep,
            now=wall,
        )
        return ticks, published, wall

    return made


def test_each_message_finds_its_time_and_equal_times_are_told_once(ticks):
    clock, published, _ = ticks()
    for time_ms in (0, 1, 1, 1, 2):
        clock.before(time_ms * MS, "/x")
    assert published == [MS, 2 * MS]


def test_a_recorded_clock_is_played_as_it_is(ticks):
    clock, published, _ = ticks(recorded=True)
    for topic in ("", "/x", "/x", "", "/x", ""):
        clock.before(MS, topic)
    assert published == [MS] * 3


def test_between_sparse_messages_it_goes_on(ticks):
    clock, published, wall = ticks()
    clock.before(MS, "/x")
    assert clock.wait_s() == pytest.approx(0.01)
    clock.between(5 * MS)
    wall.now_s = 0.02
    clock.between(20 * MS)
    assert published == [MS, 20 * MS]


def test_a_rate_is_never_exceeded_and_keeps_its_phase(ticks):
    clock, published, wall = ticks(rate_hz=100.0)
    for step in range(1, 3001):  # 3 s at 1 kHz
        wall.now_s = step * 1e-3
        clock.before(step * MS, "/x")
        clock.between(step * MS)
    assert 298 <= len(published) <= 301


def test_chosen_topics_alone_bring_the_clock(ticks):
    clock, published, _ = ticks(by_topics=True, topics=["/x"])
    for time_ms, topic in enumerate(("/x", "/y", "/x", "/y"), 1):
        clock.before(time_ms * MS, topic)
    assert published == [MS, 3 * MS]


@pytest.mark.parametrize("options", [{}, {"rate_hz": 1.0}])
def test_a_jump_back_is_told_at_once_and_begins_an_epoch(ticks, options):
    clock, published, _ = ticks(**options)
    for time_ms in (5, 2):
        clock.before(time_ms * MS, "/x")
    assert published == [5 * MS, 2 * MS]
    assert clock.epochs == 2
