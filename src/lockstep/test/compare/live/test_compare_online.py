"""Comparing live topics, without a graph: what comes when, and that the
outcome is that of the offline comparison.
"""

import itertools
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import Codec
from lockstep.compare import (
    CompareError,
    Tolerance,
    Tolerances,
    align_times,
    compare,
    write_text_diffs,
)
from lockstep.compare.comparison import Comparison
from lockstep.compare.key_comparison import KEPT_TICKS
from lockstep.compare.live.online import OnlineComparison, OnlineOptions
from lockstep.compare.live.status import no_verdict, status_of
from lockstep.nodes.limit import Limit
from lockstep.nodes.sequences import Sequences

TYPE = "test_msgs/msg/Reading"
DEFINITION = """\
std_msgs/Header header
float64 x
float32[] ranges
string name
================================================================================
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
================================================================================
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""
PLAIN = "test_msgs/msg/Plain", "float64 x\n"
CODEC = Codec(TYPE, DEFINITION)
SECOND = 1_000_000_000
A, B = 0, 1


def reading(stamp, x=0.0, ranges=(), name=""):
    header = {"stamp": {"sec": stamp, "nanosec": 0}, "frame_id": ""}
    return CODEC.encode({"header": header, "x": x, "ranges": list(ranges), "name": name})


class Live:
    """Two topics whose clock is set by hand."""

    def __init__(self, codec=CODEC, tolerance=None, **options):
        self.about = Comparison("node", "shadow", "auto", Tolerances(tolerance))
        self.online = OnlineComparison(
            "/x", codec, self.about.tolerances, OnlineOptions(**{"from_start": True, **options})
        )
        self.now_s = 0.0

    def send(self, side, stamp, x=0.0, sent_s=None):
        time_ns = int((stamp if sent_s is None else sent_s) * SECOND)
        self.online.take(side, reading(stamp, x), time_ns, self.now_s)

    def wait(self, seconds=0.0, show=0):
        self.now_s += seconds
        return self.online.step(self.now_s, show=show)

    @property
    def status(self):
        return status_of(self.online, self.about, self.now_s)

    @property
    def counts(self):
        values = self.status.values
        return tuple(int(values[key]) for key in ("aligned", "differing", "missing", "extra"))


def test_messages_of_equal_stamps_meet_whichever_comes_first():
    live = Live()
    for stamp in range(5):
        live.send(A, stamp)
    for stamp in range(7):
        live.send(B, stamp)
    for stamp in (5, 6):
        live.send(A, stamp)
    live.wait()
    assert live.counts == (7, 0, 0, 0)
    assert live.status.level == "ok"
    assert live.status.message == "7 aligned, 0 differ, 7 with identical bytes"
    assert live.status.values["pending"] == "0"


def test_a_message_whose_partner_does_not_come_in_time_is_missing():
    live = Live(patience_s=2.0)
    for stamp in range(3):
        live.send(A, stamp)
    for stamp in (0, 2):
        live.send(B, stamp)
    live.wait(1.0)
    assert live.counts == (1, 0, 0, 0), "the pair after it may still turn out to be out of order"
    assert live.status.level == "ok"
    live.wait(0.5)
    assert (live.status.level, live.status.values["pending"]) == ("warn", "3")
    assert live.status.message.endswith("a message is late")
    live.wait(0.5)
    assert live.counts == (2, 0, 1, 0)
    assert live.status.level == "error"
    assert live.status.message.startswith("2 aligned, 0 differ, 1 only in node")


def test_a_message_that_comes_after_its_time_is_extra_as_well():
    live = Live(patience_s=2.0)
    live.send(A, 0)
    live.wait(3.0)
    live.send(B, 0)
    live.wait(3.0)
    assert live.counts == (0, 0, 1, 1)


def test_ticks_meet_by_their_number_and_times_by_the_nearest():
    by_tick = Live(align="tick")
    for side, stamps in ((A, [10, 20, 30]), (B, [11, 25, 39])):
        for stamp in stamps:
            by_tick.send(side, stamp)
    by_tick.wait()
    assert by_tick.counts == (3, 3, 0, 0)

    by_time = Live(
        align="time", time_tolerance_ns=2 * SECOND, tolerance={"*": Tolerance(ignore=True)}
    )
    for side, stamps in ((A, [10, 20, 30, 40]), (B, [11, 25, 29, 41])):
        for stamp in stamps:
            by_time.send(side, stamp)
    by_time.wait()
    assert by_time.counts == (2, 0, 1, 1), "40 may still belong to what comes next"
    by_time.wait(2.0)
    assert by_time.counts == (3, 0, 1, 1)
    assert by_time.status.values["aligned by"] == "time"


def test_a_type_without_header_is_aligned_by_time_unless_told():
    plain = Codec(*PLAIN)
    assert Live(plain).status.values["aligned by"] == "time"
    assert Live().status.values["aligned by"] == "stamp"
    with pytest.raises(CompareError, match="/x has no header to align by"):
        Live(plain, align="stamp")


def test_a_difference_is_given_when_it_is_found_and_told_in_the_words_of_the_summary():
    live = Live(tolerance={"x": Tolerance(abs=0.1)})
    for stamp, error in enumerate([0.0, 0.05, 0.5, 2.0]):
        live.send(A, stamp, 1.0)
        live.send(B, stamp, 1.0 + error)
    (found,) = live.wait(show=1)
    assert (found.tick_a, found.tick_b, found.time_ns) == (2, 2, 2 * SECOND)
    (deviation,) = found.fields
    assert (deviation.field, deviation.a, deviation.b, deviation.error) == ("x", "1.0", "1.5", 0.5)
    assert live.status.level == "error"
    assert live.status.message.startswith(
        "4 aligned, 2 differ, 1 with identical bytes; "
        "first at tick 2, t = 2.000000000 s: x is 1.5, expected 1.0"
    )
    values = live.status.values
    assert (values["worst field"], values["max error"]) == ("x", "2")
    assert values["first difference"].startswith("tick 2: x is 1.5, expected 1.0    # off by 0.5")


def test_a_full_queue_drops_the_oldest_and_says_so():
    live = Live(pending=10)
    for stamp in range(15):
        live.send(A, stamp)
        live.wait()
    assert live.status.values["dropped"] == "5"
    assert live.status.level == "warn"
    assert "5 messages from node were dropped" in live.status.message
    for stamp in range(15):
        live.send(B, stamp)
    live.wait(5.0)
    assert live.counts == (10, 0, 0, 5)
    assert no_verdict(live.online, live.about) == "of /x, 5 messages from node were dropped"
    assert live.status.level == "warn", "who lost messages cannot know that others are extra"


def test_messages_that_were_lost_on_the_way_leave_no_verdict():
    live = Live()
    live.send(A, 0)
    live.send(B, 0)
    live.online.lose(B, 3)
    live.wait()
    assert no_verdict(live.online, live.about) == "of /x, 3 messages from shadow were dropped"


@pytest.mark.parametrize("side", [A, B])
def test_a_silent_side_leaves_no_verdict(side):
    live = Live()
    live.send(side, 0)
    live.wait(3.0)
    name = ("shadow", "node")[side]
    assert no_verdict(live.online, live.about) == f"nothing was received on /x from {name}"
    assert f"nothing received yet from {name}" in live.status.message


def test_memory_is_bounded_while_one_message_is_missing():
    live = Live(pending=20, patience_s=1e9)
    live.send(A, 0)
    for stamp in range(1, 1000):
        live.send(A, stamp)
        live.send(B, stamp)
        live.wait()
        assert live.online.pending <= 2 * 20 + 1
    live.online.finish()
    assert live.counts == (999, 0, 1, 0), "it was given up, nothing was dropped"
    assert live.status.values["dropped"] == "0"


def test_only_the_first_of_many_lone_messages_are_listed_but_all_are_counted(tmp_path):
    live = Live()
    for stamp in range(3 * KEPT_TICKS):
        live.send(A, stamp)
        live.wait(10.0)
    live.online.finish()
    result = live.online.result()
    assert len(result.aligned.only_a) == KEPT_TICKS
    assert live.counts == (0, 0, 3 * KEPT_TICKS, 0)
    about = replace(live.about, keys={"/x": result})
    files = write_text_diffs(about, tmp_path)
    assert files["/x"].read_text().endswith(f"… {2 * KEPT_TICKS} more like this\n")
    assert f"{3 * KEPT_TICKS} only in node" in (tmp_path / "summary.txt").read_text()


def test_bytes_that_are_no_message_are_told_of_and_end_the_comparison():
    live = Live()
    live.online.take(B, b"\0\1\0\0", 0, 0.0)
    live.wait()
    live.send(A, 1)
    live.send(B, 1)
    live.wait()
    assert live.status.level == "error"
    assert live.status.message.startswith("message 0 of /x of b ")
    assert live.online.pending == 0
    assert no_verdict(live.online, live.about) is None


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.sampled_from(["stamp", "time"]))
def test_who_joins_two_running_topics_in_the_middle_finds_no_difference(a, b, lag, align):
    live = Live(from_start=False, align=align, time_tolerance_ns=SECOND // 3)
    for stamp in range(40):
        if a <= stamp:
            live.send(A, stamp)
        if b <= stamp - lag and stamp - lag >= 0:
            live.send(B, stamp - lag)
        live.wait(0.1)
    live.online.finish(came_until_s=live.now_s - 0.1 * (lag + 2))
    assert no_verdict(live.online, live.about) is None
    assert live.counts == (40 - lag - max(a, b), 0, 0, 0)


def test_from_the_start_on_every_message_counts():
    for from_start, missing in ((True, 3), (False, 0)):
        live = Live(from_start=from_start)
        for stamp in range(5):
            live.send(A, stamp)
        for stamp in (3, 4):
            live.send(B, stamp)
        live.wait(3.0)
        assert live.counts == (2, 0, missing, 0)


def test_messages_that_came_after_the_end_need_no_partner():
    live = Live()
    live.send(A, 0)
    live.send(B, 0)
    live.now_s = 1.0
    live.send(A, 1)
    live.online.finish(came_until_s=0.5)
    assert live.counts == (1, 0, 0, 0)
    assert live.online.counts[A].at_end == 1


def test_statistics_over_all_messages_are_judged_as_offline():
    live = Live(tolerance={"x": Tolerance(abs=0.5, by="mean")})
    for stamp in range(10):
        live.send(A, stamp)
        live.send(B, stamp, 3.0 if stamp == 0 else 0.0)
        live.wait()
        assert live.status.level == ("error" if stamp < 5 else "ok")


reading_of_b = st.tuples(
    st.sampled_from(["same", "same", "same", "gone", "late", "twice", "other", "close", "long"]),
    st.integers(-2, 2),
)


def streams(changes, align):
    """Bytes and times of both sides, and what each message of B was made of."""
    stamps = [10 * (tick // 2 if align == "stamp" and tick > 6 else tick) for tick in range(25)]
    a = [(100 + 10 * tick, reading(stamps[tick], 1.0)) for tick in range(len(changes))]
    b = []
    for tick, (change, shift) in enumerate(changes):
        time_ns, data = a[tick]
        stamp = CODEC.decode(data).header.stamp.sec
        changed = {
            "other": reading(stamp, 1.5, [float(tick)]),
            "close": reading(stamp, 1.0 + 1e-9),
            "long": reading(stamp, 1.0, [1.0] * (tick % 3)),
        }.get(change, data)
        b += [(time_ns + shift, changed)] * {"gone": 0, "twice": 2}.get(change, 1)
        if change == "late" and len(b) > 1:
            b[-1], b[-2] = b[-2], b[-1]
    times = sorted(time_ns for time_ns, _ in b)
    return a, [(time_ns, data) for time_ns, (_, data) in zip(times, b, strict=True)]


def known(key):
    """What offline and online must agree on."""
    fields = {
        name: (
            *(f.compared, f.unequal, f.wrong, f.wrong_ticks, f.other_lengths, f.max_error),
            *(f.max_tick, f.first_tick, f.matches),
        )
        for name, f in key.judged.fields.items()
    }
    lone = [
        ticks.tolist() for ticks in (key.aligned.only_a, key.aligned.only_b, key.aligned.reordered)
    ]
    counts = (
        key.aligned.count_a,
        key.aligned.count_b,
        key.aligned.count,
        key.judged.equal_bytes,
        key.judged.differing,
    )
    return (
        key.grade,
        key.aligned.by,
        counts,
        lone,
        key.aligned.largest_shift_ns,
        key.judged.first,
        key.judged.kept,
        fields,
    )


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(reading_of_b, min_size=1, max_size=25),
    st.sampled_from(["stamp", "tick", "time"]),
    st.sampled_from(["element", "rmse"]),
    st.randoms(use_true_random=False),
)
def test_any_interleaving_gives_what_the_offline_comparison_gives(changes, align, by, random):
    sides = streams(changes, align)
    tolerances = Tolerances({"x": Tolerance(abs=1e-6, by=by)})
    tolerance = 4
    with tempfile.TemporaryDirectory() as folder:
        for name, messages in zip("ab", sides, strict=True):
            with BagWriter(Path(folder, name)) as writer:
                writer.add_topic("/x", TYPE, DEFINITION)
                for time_ns, data in messages:
                    writer.write("/x", data, time_ns)
        offline = compare(
            Bag(Path(folder, "a")),
            Bag(Path(folder, "b")),
            align=align,
            origin_ns=min(messages[0][0] for messages in sides if messages),
            time_tolerance_ns=tolerance,
            tolerance=tolerances,
        )
    options = OnlineOptions(
        align=align, time_tolerance_ns=tolerance, patience_s=10.0, from_start=True
    )
    online = OnlineComparison("/x", CODEC, tolerances, options)
    order = [A] * len(sides[A]) + [B] * len(sides[B])
    random.shuffle(order)
    left = [iter(messages) for messages in sides]
    for now_s, side in enumerate(order):
        time_ns, data = next(left[side])
        online.take(side, data, time_ns, now_s * 1e-3)
        if random.random() < 0.3:
            online.step(now_s * 1e-3)
    online.finish()
    assert known(online.result()) == known(offline.keys["/x"])


@given(st.permutations(range(8)), st.permutations(range(8)), st.randoms(use_true_random=False))
def test_stamps_in_any_order_give_what_the_offline_comparison_gives(a, b, random):
    live = Live()
    order = [A] * 8 + [B] * 8
    random.shuffle(order)
    left = [iter(a), iter(b)]
    for side in order:
        live.send(side, next(left[side]))
        live.wait()
    live.online.finish()
    aligned = align_times(np.array(a) * SECOND, np.array(b) * SECOND, 0)
    result = live.online.result()
    assert result.aligned.count == len(aligned.a)
    assert result.aligned.reordered.tolist() == aligned.reordered.tolist()


def test_gaps_in_sequence_numbers_are_lost_messages():
    sequences = Sequences()
    lost = [sequences.lost_before(number, lambda: 1) for number in (7, 8, 9, 12, 13, 20)]
    assert lost == [0, 0, 0, 2, 0, 6]


def test_a_publisher_that_starts_anew_has_lost_nothing():
    sequences = Sequences()
    assert [sequences.lost_before(n, lambda: 1) for n in (50, 51, 1, 2, 4, 5)] == [0, 0, 0, 0, 1, 0]


@given(st.lists(st.integers(0, 2), max_size=60))
def test_several_publishers_of_a_topic_lose_nothing_by_taking_turns(turns):
    numbers = [itertools.count(1), itertools.count(100), itertools.count(50)]
    sequences = Sequences()
    assert not any(sequences.lost_before(next(numbers[turn]), lambda: 3) for turn in turns)


def test_the_limit_allows_a_seconds_worth_in_any_second():
    limit = Limit(3.0)
    allowed = []
    for tenth in range(40):
        if limit.free(tenth / 10):
            limit.count(tenth / 10)
            allowed.append(tenth)
    assert allowed == [0, 1, 2, 10, 11, 12, 20, 21, 22, 30, 31, 32]
    assert Limit(0.0).free(0.0) == 0
    slow = Limit(0.5)
    slow.count(0.0)
    assert (slow.free(1.9), slow.free(2.0)) == (0, 1)


TRANSFORMS = Codec(
    "test_msgs/msg/Transforms",
    "Transform[] transforms\n"
    + "=" * 80
    + "\nMSG: test_msgs/Transform\nstd_msgs/Header header\nfloat64 x\n"
    + DEFINITION[DEFINITION.index("=" * 80) :],
)


def transforms(stamp_ns, x):
    stamp = {"sec": stamp_ns // SECOND, "nanosec": stamp_ns % SECOND}
    header = {"stamp": stamp, "frame_id": "base"}
    return TRANSFORMS.encode({"transforms": [{"header": header, "x": x}]})


def compared_live(stamps_of_b, *, delay_s):
    """Sixty transforms, those of B `delay_s` later; gives the outcome by `auto`."""
    online = OnlineComparison("/tf", TRANSFORMS, Tolerances({}), OnlineOptions(from_start=True))
    period_ns = SECOND // 50
    for tick in range(60):
        now_s = tick * 0.02
        sent_ns = tick * period_ns
        online.take(A, transforms(sent_ns, float(tick)), sent_ns, now_s)
        late_ns = sent_ns + int(delay_s * SECOND)
        online.take(B, transforms(stamps_of_b(sent_ns), float(tick)), late_ns, now_s)
        online.step(now_s)
    online.finish()
    return online.result()


def test_transforms_are_aligned_by_the_stamps_inside_that_both_sides_share():
    result = compared_live(lambda stamp: stamp, delay_s=0.03)  # nearer to the next by time
    assert (result.aligned.by, result.aligned.count, result.judged.differing) == ("stamp", 60, 0)


def test_stamps_inside_that_are_not_shared_leave_the_time():
    result = compared_live(lambda stamp: stamp + 7, delay_s=0.0)
    assert (result.aligned.by, result.aligned.count) == ("time", 60)


def test_few_messages_are_aligned_when_the_first_have_been_waited_for():
    options = OnlineOptions(from_start=True, patience_s=1.0)
    online = OnlineComparison("/tf", TRANSFORMS, Tolerances({}), options)
    for tick in range(3):
        for side in (A, B):
            online.take(side, transforms(tick * SECOND, 0.0), tick * SECOND, tick * 0.1)
    online.step(0.5)
    assert online.pending == 6
    online.step(1.1)
    assert (online.pending, online.result().aligned.count) == (0, 3)
