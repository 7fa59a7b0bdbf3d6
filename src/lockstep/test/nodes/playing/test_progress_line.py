"""What a terminal shows."""

from lockstep.nodes.playing.pace import Lateness, Pace
from lockstep.nodes.playing.progress_line import line, summary

SECOND = 1_000_000_000


class Wall:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def test_where_a_replay_is_and_what_it_was_like():
    wall, lateness = Wall(), Lateness()
    pace = Pace(10.0, now=wall)
    for second in range(11):
        pace.due_s(second * SECOND)
        pace.played(second * SECOND)
        lateness.add(0.01 * second)
        wall.now_s += 0.2
    pace.pause()
    assert line(pace, lateness, 11, 0, 20 * SECOND) == (
        "[paused] 20.0 of 20.0 s, rate 5 of 10, 11 messages, 10 late"
    )
    assert summary(pace, lateness, 11) == (
        "played 11 messages at rate 5 of 10, which could not be held; late by 50.5 ms (median), "
        "100 ms (99 %), 100 ms (most)"
    )


def test_single_messages_have_no_rate():
    assert summary(Pace(1.0), Lateness(), 1) == "played 1 message"
