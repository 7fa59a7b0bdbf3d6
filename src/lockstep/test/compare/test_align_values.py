"""Messages without stamps that come with jitter: values say which belong together, in time."""

import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import codec
from lockstep.compare import CompareError, compare
from lockstep.compare.align import align_times, parse_align
from lockstep.compare.align_values import align_values, irregular_tolerance_ns

MS = 1_000_000
PERIOD = 20 * MS
TYPE, DEFINITION = "test_msgs/msg/Pose", "float64 x\nfloat64 y\nstring frame"


def write(path, times, values, start=1_700_000_000_000_000_000):
    """A bag of 50 Hz or so: `values` (n,) at `times` (n,) in ns."""
    encode = codec(TYPE, DEFINITION).encode
    with BagWriter(path) as writer:
        writer.add_topic("/pose", TYPE, DEFINITION)
        for time, value in zip(times, values, strict=True):
            message = {"x": float(value), "y": float(np.sin(value)), "frame": "map"}
            writer.write("/pose", encode(message), start + int(time))
    return path


def jittered(count, seed, jitter_ms=5.0):
    """Times of a sender of 50 Hz, which comes late by a random while but in order."""
    late = np.abs(np.random.default_rng(seed).normal(0, jitter_ms, count)) * MS
    return np.maximum.accumulate(np.arange(count) * PERIOD + late).astype(np.int64)


def values(count, seed=0):
    return np.cumsum(np.random.default_rng(seed).normal(0, 1, count))


def compared(tmp_path, a, b, **how):
    """Both as (times, values); the comparison of /pose, times counted from one origin."""
    bags = write(tmp_path / "a", *a), write(tmp_path / "b", *b)
    return compare(*bags, origin_ns=1_700_000_000_000_000_000, **how).keys["/pose"]


@pytest.mark.parametrize("jitter_ms", [5, 15, 25])
def test_the_same_with_jitter_matches(tmp_path, jitter_ms):
    truth = values(500)
    key = compared(
        tmp_path, (jittered(500, 1, jitter_ms), truth), (jittered(500, 2, jitter_ms), truth)
    )
    assert (key.grade, key.aligned.count, key.aligned.by) == ("identical bytes", 500, "value")


def test_a_dropped_message_is_missing_at_its_place(tmp_path):
    truth, there = values(500), np.arange(500) != 250
    key = compared(tmp_path, (jittered(500, 1), truth), (jittered(500, 2)[there], truth[there]))
    assert key.aligned.only_a[:, 0].tolist() == [250]
    assert (key.aligned.alone, key.judged.differing) == (1, 0)
    assert not key.matches


def test_noise_of_another_language_does_not_hide_who_belongs_to_whom(tmp_path):
    truth, there = values(500), ~np.isin(np.arange(500), (3, 250, 251))
    noise = np.random.default_rng(3).normal(0, 1e-9, 500)
    key = compared(
        tmp_path,
        (jittered(500, 1), truth),
        (jittered(500, 2)[there], (truth + noise)[there]),
        tolerance=1e-6,
    )
    assert key.aligned.only_a[:, 0].tolist() == [3, 250, 251]
    assert (key.aligned.alone, key.judged.differing) == (3, 0)


def test_a_wrong_value_is_a_difference_of_its_message(tmp_path):
    truth = values(500)
    wrong = truth + (np.arange(500) == 123) * 0.5
    key = compared(tmp_path, (jittered(500, 1), truth), (jittered(500, 2), wrong))
    assert (key.aligned.count, key.judged.differing, key.judged.first.tick_a) == (500, 1, 123)


def test_one_late_message_of_a_regular_sender_stands_alone(tmp_path):
    truth, regular = values(500), np.arange(500) * PERIOD
    late = regular + (np.arange(500) == 123) * 15 * MS
    key = compared(tmp_path, (regular, truth), (late, truth))
    assert not key.matches
    assert (key.better.align, key.better.wrong) == ("tick", 0)


@pytest.mark.parametrize("by", ["auto", "time"])
def test_a_lag_of_one_period_is_never_a_match(tmp_path, by):
    truth = values(501)
    a, b = (jittered(500, 1), truth[1:]), (jittered(500, 2), truth[:-1])
    assert compared(tmp_path, a, b, align=by).judged.differing > 450
    later = compared(tmp_path / "later", a, (jittered(500, 2) + PERIOD, truth[1:]), align=by)
    assert not later.matches


def test_the_first_message_of_one_side_lost_is_said_with_the_way_to_see_it(tmp_path):
    truth, regular = values(100), np.arange(100) * PERIOD
    a = write(tmp_path / "a", regular, truth)
    b = write(tmp_path / "b", regular[1:], truth[1:])
    comparison = compare(a, b)
    assert comparison.keys["/pose"].judged.differing == 99
    assert "aligned by value, 1 would be wrong: --align /pose:=value" in comparison.summary()
    asked = compare(a, b, align={"/pose": "value"}).keys["/pose"]
    assert (asked.aligned.only_a[:, 0].tolist(), asked.judged.differing) == ([0], 0)


def test_a_way_that_is_asked_for_is_taken_and_a_better_one_named(tmp_path):
    truth = values(300)
    key = compared(
        tmp_path, (jittered(300, 1, 15), truth), (jittered(300, 2, 15), truth), align="time"
    )
    assert (key.aligned.by, key.matches) == ("time", False)
    assert (key.better.align, key.better.wrong) == ("tick", 0)


def test_only_values_decide_and_only_within_the_tolerance_in_time():
    times, held = np.arange(6) * PERIOD, np.array([0, 1, 2, 3, 4, 5])
    swapped = np.array([0, 1, 3, 2, 4, 5])

    def unlike(rows_a, rows_b):
        return 0.9 * (held[rows_a] != swapped[rows_b])

    near = align_values(times, times, unlike, PERIOD)
    assert (len(near.a), len(near.only_a), len(near.only_b)) == (5, 1, 1)
    nearer = align_values(times, times, unlike, PERIOD // 2)
    assert (len(nearer.a), nearer.a.tolist()) == (6, nearer.b.tolist())


def test_without_any_difference_in_values_times_decide():
    a = np.arange(1000) * PERIOD
    b = np.delete(a, 400) + 3 * MS
    same = align_values(a, b, lambda rows_a, rows_b: np.zeros(len(rows_a)))
    assert same.only_a.tolist() == [400]
    assert same.a.tolist() == align_times(a, b).a.tolist()


def test_the_tolerance_is_as_wide_as_the_reference_is_irregular():
    regular = np.arange(100) * PERIOD
    paused = regular + (np.arange(100) >= 50) * 1000 * PERIOD
    hiccup = np.maximum.accumulate(regular + (np.arange(100) == 50) * 15 * MS)
    assert irregular_tolerance_ns(regular) == irregular_tolerance_ns(paused) == PERIOD // 2
    assert irregular_tolerance_ns(hiccup) == PERIOD // 2 + 15 * MS


def test_messages_without_a_header_align_by_a_stamp_inside(tmp_path, bags):
    """Log times that are a run at another factor of real time say nothing."""
    with Bag(bags / "office_scan_odom_tf") as bag:
        tf, rng = bag.topics["/tf"], np.random.default_rng(0)
        lost = rng.random(tf.count) < 0.01
        with BagWriter(tmp_path / "fast") as fast:
            fast.add_topic("/tf", tf.type, tf.definition, encoding=tf.encoding)
            for message, is_lost in zip(bag.messages(["/tf"]), lost.tolist(), strict=True):
                if not is_lost:
                    late = int(rng.exponential(0.2) * 1e9)
                    fast.write("/tf", message.data, message.log_time_ns // 4 + late)
        comparison = compare(bag, tmp_path / "fast", topics=["/tf"])
    keys = comparison.keys.values()
    how = {(key.aligned.by, key.aligned.stamp) for key in keys}
    assert how == {("stamp", "transforms[].header.stamp")}
    assert sum(key.judged.differing for key in keys) == 0
    assert sum(len(key.aligned.only_a) for key in keys) == np.count_nonzero(lost)
    assert "aligned by stamp (transforms[].header.stamp)" in comparison.summary()


def test_two_recordings_of_one_run_agree_in_all_that_both_have(bags):
    a, b = (bags / name for name in ("gazebo_diff_drive", "gazebo_diff_drive_wall"))
    for key in compare(a, b).keys.values():
        assert (key.judged.differing, key.judged.equal_bytes) == (0, key.aligned.count)


def test_each_topic_may_be_aligned_in_its_own_way(tmp_path):
    with BagWriter(tmp_path / "a") as a, BagWriter(tmp_path / "b") as b:
        for writer, factor in ((a, 1), (b, 3)):
            for topic in ("/by_tick", "/by_time"):
                writer.add_topic(topic, TYPE, DEFINITION)
                encode = codec(TYPE, DEFINITION).encode
                for tick in range(10):
                    message = {"x": float(tick), "y": 0.0, "frame": ""}
                    writer.write(topic, encode(message), tick * PERIOD * factor)
    align = parse_align(["time", "/by_tick:=tick"])
    keys = compare(tmp_path / "a", tmp_path / "b", align=align).keys
    assert {topic: key.aligned.by for topic, key in keys.items()} == {
        "/by_tick": "tick",
        "/by_time": "time",
    }
    assert [key.matches for key in keys.values()] == [True, False]
    with pytest.raises(CompareError, match="align names /other, which is not compared"):
        compare(tmp_path / "a", tmp_path / "b", align={"/other": "tick"})


@pytest.mark.parametrize("rule", ["clock", "/tf=tick", "/tf:="])
def test_a_way_to_align_that_is_none_is_refused(rule):
    with pytest.raises(CompareError, match="is not HOW or TOPIC:=HOW"):
        parse_align([rule])
