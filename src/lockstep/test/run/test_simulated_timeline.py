"""Replays keep what a simulation means: its clock, what came before it, pauses and resets."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.nodes.playing.clock import ClockOptions, ClockTicks
from lockstep.run.timeline import Timeline

BAGS = Path(__file__).resolve().parents[4] / "bags"
MS = 1_000_000
S = 1000 * MS


def write_again(path: Path, *spans_s: tuple[float, float], repeats: int = 0) -> Path:
    """Parts of the Gazebo run one after the other, as a world that is reset records them, and then
    the last /clock so many times, as one that is paused."""
    with Bag(BAGS / "gazebo_diff_drive") as bag, BagWriter(path) as writer:
        for name in ("/clock", "/imu"):
            topic = bag.topics[name]
            writer.add_topic(name, topic.type, topic.definition, topic.type_hash)
        for begin_s, end_s in spans_s:
            start_ns, end_ns = round(begin_s * S), round(end_s * S)
            for message in bag.messages(["/clock", "/imu"], start_ns=start_ns, end_ns=end_ns):
                writer.write(message.topic, message.data, message.log_time_ns)
        *_, clock = bag.messages(["/clock"], end_ns=end_ns)
        for _ in range(repeats):
            writer.write("/clock", clock.data, clock.log_time_ns)
    return path


def replayed(path: Path, rtf: float, **options) -> tuple[list[int], float]:
    """What a player publishes as /clock, in ns, and how long that takes in s of wall time."""
    published: list[int] = []
    wall_s = 0.0
    with Bag(path) as bag:
        timeline = Timeline(bag, ["/imu"], clock="bag")
        ticks = ClockTicks(
            ClockOptions("bag", **options),
            published.append,
            recorded=timeline.clock_topic is not None and not options,
            in_lockstep=False,
            now=lambda: wall_s,
        )
        last_ns = 0
        for event in timeline.events():
            wall_s += max(0, event.time_ns - last_ns) / S / rtf
            last_ns = event.time_ns
            ticks.before(event.time_ns, event.topic)
    return published, wall_s


def test_what_came_before_the_first_clock_is_played_first_and_at_no_time():
    with Bag(BAGS / "gazebo_diff_drive_wall") as bag:
        events = list(Timeline(bag, ["/odom", "/joint_states", "/imu"], clock="bag").events())
        count = sum(bag.topics[name].count for name in ("/odom", "/joint_states", "/imu", "/clock"))
    assert len(events) == count
    before = [event for event in events if not event.time_ns]
    first_clock = next(index for index, event in enumerate(events) if not event.topic)
    assert before == events[:first_clock]


def test_a_reset_is_replayed_in_file_order_one_epoch_after_the_other(tmp_path):
    path = write_again(tmp_path / "bag", (0.0, 5.0), (0.0, 3.0))
    with Bag(path) as bag:
        times = [event.time_ns for event in Timeline(bag, ["/imu"], clock="bag").events()]
    back = [index for index, (a, b) in enumerate(pairwise(times)) if b < a]
    assert len(back) == 1
    assert max(times[: back[0]]) <= times[back[0]] == 4995 * MS
    assert (times[back[0] + 1], times[-1]) == (20 * MS, 2995 * MS)
    published, _ = replayed(path, 1.0)
    assert published == [*range(20 * MS, 5 * S, 5 * MS), *range(20 * MS, 3 * S, 5 * MS)]


@pytest.mark.parametrize("rtf", [0.5, 1.0, 10.0])
@pytest.mark.parametrize("repeats", [0, 2000])
def test_a_clock_is_never_faster_than_asked(tmp_path, rtf, repeats):
    path = write_again(tmp_path / "bag", (0.0, 20.0), (0.0, 2.0), repeats=repeats)
    published, wall_s = replayed(path, rtf, rate_hz=50.0)
    assert 0.8 * wall_s * 50 < len(published) <= wall_s * 50 + 2  # the first, and the jump back
    assert sum(b < a for a, b in pairwise(published)) == 1


def test_a_pause_is_replayed_as_it_was(tmp_path):
    published, _ = replayed(write_again(tmp_path / "bag", (0.0, 1.0), repeats=500), 1.0)
    assert published[-501:] == [S] * 501
