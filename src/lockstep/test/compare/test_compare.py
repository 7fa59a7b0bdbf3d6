import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.compare import (
    CompareError,
    Tolerance,
    Tolerances,
    align_times,
    compare,
    write_text_diffs,
)
from lockstep.compare.align import align_ticks, tolerance_ns
from lockstep.compare.meant import paired_columns
from lockstep.compare.result import comparison_as_data
from lockstep.compare.summary import summary_of_key
from lockstep.compare.text_diff import text_diff
from lockstep.compare.values import deviations
from lockstep.message.time import seconds
from made_bags import write_payloads


@dataclass
class Reading:
    value: float
    ranges: np.ndarray
    name: str = ""


def worst(a, b, **tolerance):
    tolerances = Tolerances({"*": Tolerance(**tolerance)} if tolerance else {})
    return list(deviations(a, b, tolerances))


def reading(value=0.0, ranges=(), name="", dtype=np.float32):
    return Reading(value, np.array(ranges, dtype), name)


def test_equal_messages_have_no_deviation():
    assert not worst(reading(1.5, [1, 2], "a"), reading(1.5, [1, 2], "a"))


def test_nan_equals_nan_and_infinities_equal_themselves():
    nan, inf = float("nan"), float("inf")
    assert not worst(reading(nan, [nan, inf, -inf]), reading(nan, [nan, inf, -inf]))


@pytest.mark.parametrize(
    ("a", "b"),
    [(float("nan"), 1.0), (float("inf"), 1.0), (1.0, float("-inf")), (1e300, float("inf"))],
)
def test_no_tolerance_makes_a_special_value_equal_to_a_number(a, b):
    for left, right in ((a, b), (b, a)):
        assert [d.passes for d in worst(reading(left), reading(right), abs=1e300, rel=1e300)] == [
            False
        ]
        arrays = (reading(0, [side], dtype=np.float64) for side in (left, right))
        found = worst(*arrays, abs=1e300, rel=1e300)
        assert [d.passes for d in found] == [False]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 10), st.floats(0, 0.1))
def test_scalars_pass_exactly_when_numpy_says_so(a, b, absolute, relative):
    found = worst(reading(a), reading(b), abs=absolute, rel=relative)
    expected = bool(np.isclose(b, a, rtol=relative, atol=absolute))
    assert all(d.passes for d in found) == expected


@given(st.lists(st.tuples(st.floats(width=32), st.floats(width=32)), min_size=1), st.floats(0, 10))
def test_arrays_pass_exactly_when_each_element_does(pairs, absolute):
    a, b = (np.array(side, np.float32) for side in zip(*pairs, strict=True))
    found = worst(Reading(0.0, a), Reading(0.0, b), abs=absolute)
    each = [
        worst(reading(float(x)), reading(float(y)), abs=absolute) for x, y in zip(a, b, strict=True)
    ]
    assert all(d.passes for d in found) == all(d.passes for ds in each for d in ds)


def test_an_array_names_its_worst_element_and_how_many_are_wrong():
    (found,) = worst(reading(0, [1, 2, 3]), reading(0, [1, 2.5, 9]))
    assert (found.field, found.a, found.error) == ("ranges[2]", "3.0", 6.0)
    assert found.b == "9.0 (2 of 3 elements)"


def test_a_different_length_is_a_finding_of_its_own():
    (found,) = worst(reading(0, [1, 2]), reading(0, [1, 2, 3]), abs=100)
    assert (found.field, found.a, found.b, found.passes) == (
        "ranges",
        "2 elements",
        "3 elements",
        False,
    )


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64])
def test_integers_do_not_wrap_around(dtype):
    info = np.iinfo(dtype)
    (found,) = worst(reading(0, [info.min], dtype=dtype), reading(0, [info.max], dtype=dtype))
    assert found.error == pytest.approx(float(info.max) - float(info.min))
    assert not found.passes


def test_text_differs_however_large_the_tolerance():
    (found,) = worst(reading(name="base"), reading(name="map"), abs=1e9)
    assert (found.field, found.a, found.b, found.error) == ("name", "'base'", "'map'", None)


def test_the_most_specific_pattern_wins():
    tolerances = Tolerances(
        {
            "*": Tolerance(abs=1),
            "pose.*": Tolerance(abs=2),
            "pose.position.x": Tolerance(abs=3),
            "ranges": Tolerance(abs=4),
        }
    )
    assert [
        tolerances.of(f).abs for f in ("a", "pose.position.y", "pose.position.x", "ranges[17]")
    ] == [1, 2, 3, 4]


def test_a_pattern_covers_what_is_below_its_field_and_nothing_beside_it():
    tolerances = Tolerances({"pose": Tolerance(ignore=True)})
    assert tolerances.of("pose.position.x").ignore
    assert not tolerances.of("pose_2").ignore


def test_rules_of_the_command_line():
    rules = Tolerances.parse(["a.*=1e-3", "b=1,0.5", "c=ignore"]).by_pattern
    assert rules == {
        "a.*": Tolerance(abs=1e-3),
        "b": Tolerance(abs=1, rel=0.5),
        "c": Tolerance(ignore=True),
    }


@pytest.mark.parametrize("rule", ["", "a", "a=", "=1", "a=x", "a=-1", "a=nan", "a=inf", "a=1,2,3"])
def test_a_rule_that_makes_no_sense_is_refused(rule):
    with pytest.raises(CompareError, match="is not PATTERN=ABS"):
        Tolerances.parse([rule])


def times(*values):
    return np.array(values, np.int64)


def test_a_missing_message_does_not_shift_its_neighbours():
    result = align_times(times(0, 10, 20, 30), times(0, 20, 30))
    assert (result.a.tolist(), result.b.tolist()) == ([0, 2, 3], [0, 1, 2])
    assert (result.only_a.tolist(), result.only_b.tolist()) == ([1], [])


def test_jitter_within_half_an_interval_still_pairs():
    result = align_times(times(0, 10, 20, 30), times(1, 8, 23, 30))
    assert result.a.tolist() == result.b.tolist() == [0, 1, 2, 3]


def test_nothing_pairs_beyond_the_tolerance():
    result = align_times(times(0, 10), times(4, 14), tolerance_ns=3)
    assert (len(result.a), result.only_a.tolist(), result.only_b.tolist()) == (0, [0, 1], [0, 1])


def test_equal_times_pair_in_order():
    result = align_times(times(5, 5, 5), times(5, 5))
    assert (result.a.tolist(), result.only_a.tolist()) == ([0, 1], [2])


def test_ticks_pair_by_count():
    result = align_ticks(3, 5)
    assert (result.a.tolist(), result.only_b.tolist()) == ([0, 1, 2], [3, 4])


@given(
    st.lists(st.integers(0, 10**6), max_size=50).map(sorted),
    st.lists(st.integers(0, 10**6), max_size=50).map(sorted),
    st.integers(0, 10**5),
)
def test_alignment_is_one_to_one_in_order_within_tolerance_and_loses_nothing(a, b, tolerance):
    result = align_times(times(*a), times(*b), tolerance)
    assert all(np.diff(result.a) > 0) and all(np.diff(result.b) > 0)
    assert all(abs(b[j] - a[i]) <= tolerance for i, j in zip(result.a, result.b, strict=True))
    assert sorted([*result.a, *result.only_a]) == list(range(len(a)))
    assert sorted([*result.b, *result.only_b]) == list(range(len(b)))


STRING = "string data\n"
PAIR = "float64 x\nint32[] n\n"


def pair(x: float, *numbers: int) -> bytes:
    head = np.array([x], "<f8").tobytes()
    return b"\0\1\0\0" + head + np.array([len(numbers), *numbers], "<i4").tobytes()


def write(folder, messages, topic="/out", type_name="test_msgs/msg/Pair", text=PAIR):
    return Bag(write_payloads(folder, type_name, text, messages, topic=topic))


def test_a_real_bag_matches_itself(bags):
    bag = Bag(bags / "husky_gps_imu_odom")
    comparison = compare(bag, bag)
    assert comparison.all_match
    assert {k.topic: k.judged.equal_bytes for k in comparison.keys.values()} == {
        t.name: t.count for t in bag.topics.values()
    }


def test_a_changed_value_is_found_at_its_tick_with_both_values(tmp_path):
    a = write(tmp_path / "a", [(t * 10, pair(t, 1, 2)) for t in range(100, 150)])
    b = write(
        tmp_path / "b",
        [(t * 10, pair(t + (0.25 if t == 120 else 0), 1, 2)) for t in range(100, 150)],
    )
    key = compare(a, b).keys["/out"]
    assert (key.aligned.count, key.judged.differing, key.judged.equal_bytes) == (50, 1, 49)
    assert key.judged.first is not None
    assert (key.judged.first.tick_a, key.judged.first.time_ns) == (20, 200)
    assert (
        key.judged.first.fields[0].field,
        key.judged.first.fields[0].a,
        key.judged.first.fields[0].b,
    ) == (
        "x",
        "120.0",
        "120.25",
    )
    assert compare(a, b, tolerance=Tolerances({"x": Tolerance(abs=0.25)})).all_match


def test_bags_recorded_at_different_times_align_by_relative_time(tmp_path):
    a = write(tmp_path / "a", [(t * 10, pair(t)) for t in range(100, 150)])
    b = write(tmp_path / "b", [(t * 10 + 7_000_003, pair(t)) for t in range(100, 150)])
    assert compare(a, b).all_match
    assert not compare(a, b, origin_ns=0, align="time").all_match


def test_missing_and_extra_messages_are_findings(tmp_path):
    a = write(tmp_path / "a", [(t * 10, pair(t)) for t in range(10) if t != 7])
    b = write(tmp_path / "b", [(t * 10, pair(t)) for t in range(10) if t != 4])
    key = compare(a, b, origin_ns=0).keys["/out"]
    assert (key.aligned.count, key.judged.differing) == (8, 0)
    assert (key.aligned.only_a.tolist(), key.aligned.only_b.tolist()) == ([[4, 40]], [[6, 70]])
    assert not key.matches


def test_messages_out_of_order_are_findings_and_the_others_are_compared(tmp_path):
    a = write(tmp_path / "a", [(t * 10, pair(t)) for t in range(6)])
    b = write(tmp_path / "b", [(t * 10, pair(t)) for t in (0, 1, 4, 2, 3, 5)])
    comparison = compare(a, b, origin_ns=0)
    key = comparison.keys["/out"]
    assert (key.aligned.count, key.judged.differing, key.judged.equal_bytes) == (5, 0, 5)
    assert key.aligned.reordered.tolist() == [[4, 2]]
    assert (comparison.grade, comparison.all_match) == ("wrong messages", False)
    assert "1 out of order" in comparison.summary()
    assert "@@ tick 4 / 2 @@" in list(text_diff(comparison, key))


def test_time_that_runs_backwards_in_both_is_no_difference(tmp_path):
    times = [0, 10, 20, 0, 10, 20]
    a = write(tmp_path / "a", [(t, pair(tick)) for tick, t in enumerate(times)])
    b = write(tmp_path / "b", [(t + (t == 20), pair(tick)) for tick, t in enumerate(times)])
    key = compare(a, b, origin_ns=0).keys["/out"]
    assert (key.aligned.count, key.judged.equal_bytes, len(key.aligned.reordered)) == (6, 6, 0)


def test_messages_of_one_time_are_counted(tmp_path):
    a = write(tmp_path / "a", [(t * 10, pair(t)) for t in range(3)])
    b = write(tmp_path / "b", [(t * 10, pair(t)) for t in (0, 1, 1, 2)])
    comparison = compare(a, b, origin_ns=0)
    key = comparison.keys["/out"]
    assert key.aligned.duplicates == (0, 1)
    assert key.aligned.only_b.tolist() == [[2, 10]]
    assert "1 at the time of another in b" in comparison.summary()


def test_offset_and_drift_of_the_clocks_are_told(tmp_path):
    seconds_10 = [t * 10_000_000 for t in range(1000)]
    a = write(tmp_path / "a", [(t, pair(0)) for t in seconds_10])
    b = write(tmp_path / "b", [(round(t * 1.0001) + 500_000, pair(0)) for t in seconds_10])
    comparison = compare(a, b, origin_ns=0)
    key = comparison.keys["/out"]
    assert key.aligned.clock_offset_ns == pytest.approx(500_000, abs=1)
    assert key.aligned.clock_drift == pytest.approx(1e-4, rel=1e-3)
    assert "clock of b: +0.000500000 s, drifts by 100 ppm" in comparison.summary()


@pytest.mark.parametrize(
    ("x", "tolerance", "grade"),
    [
        (0.0, {}, "identical bytes"),
        (-0.0, {}, "equal values"),
        (1e-9, {"*": Tolerance(abs=1e-6)}, "within tolerance"),
        (1e-9, {"x": Tolerance(ignore=True)}, "within tolerance"),
        (1e-9, {}, "wrong values"),
    ],
)
def test_the_verdict_is_graded(tmp_path, x, tolerance, grade):
    a = write(tmp_path / "a", [(t, pair(0.0)) for t in range(3)])
    b = write(tmp_path / "b", [(t, pair(x)) for t in range(3)])
    comparison = compare(a, b, tolerance=Tolerances(tolerance))
    assert comparison.grade == grade
    assert comparison.all_match == (grade != "wrong values")


def test_a_match_says_what_so_many_samples_prove(tmp_path):
    a = write(tmp_path / "a", [(t, pair(0)) for t in range(300)])
    summary = compare(a, a).summary()
    assert "identical bytes in 300 messages: with 95 % confidence fewer than 1 % differ" in summary


def test_auto_takes_stamps_where_both_have_them_and_says_so(bags):
    with Bag(bags / "husky_gps_imu_odom") as bag:
        comparison = compare(bag, bag, align="auto", topics=["/imu/data"])
    assert comparison.keys["/imu/data"].aligned.by == "stamp"
    assert "aligned by stamp" in comparison.summary()


def test_auto_takes_time_or_else_ticks_where_there_are_no_stamps(tmp_path):
    a = write(tmp_path / "a", [(t * 1000, pair(t)) for t in range(20)])
    near = write(tmp_path / "near", [(t * 1000 + 5, pair(t)) for t in range(20)])
    other = write(tmp_path / "other", [(t * t, pair(t)) for t in range(20)])
    assert compare(a, near, align="auto").keys["/out"].aligned.by == "time"
    assert compare(a, other, align="auto").keys["/out"].aligned.by == "tick"
    assert compare(a, other, align="auto").all_match


def test_a_topic_of_one_side_only_is_a_finding(tmp_path):
    a = write(tmp_path / "a", [(0, pair(0))])
    b = write(tmp_path / "b", [(0, pair(0))], topic="/other")
    comparison = compare(a, b)
    assert {k.topic: k.problem for k in comparison.keys.values()} == {
        "/other": "not in a",
        "/out": "not in b",
    }


def test_another_type_is_a_finding(tmp_path):
    a = write(tmp_path / "a", [(0, pair(0))])
    b = write(
        tmp_path / "b",
        [(0, b"\0\1\0\0\1\0\0\0\0")],
        type_name="std_msgs/msg/String",
        text=STRING,
    )
    assert "std_msgs/msg/String" in (compare(a, b).keys["/out"].problem or "")


@pytest.mark.parametrize(
    ("text", "difference"),
    [
        ("float64 x\nuint32[] n\n", "n is int32[] against uint32[]"),
        ("float64 x\nint32[2] n\n", "n is int32[] against int32[2]"),
        ("float64[] x\nint32[] n\n", "x is float64 against float64[]"),
        ("float64 x\nint32[] n\nbool b\n", "b is missing against bool"),
    ],
)
def test_another_definition_of_a_type_is_a_finding(tmp_path, text, difference):
    a = write(tmp_path / "a", [(0, pair(0, 1, 2))])
    b = write(tmp_path / "b", [(0, pair(0, 1, 2))], text=text)
    key = compare(a, b).keys["/out"]
    assert not key.matches
    assert key.problem == f"the definition of test_msgs/msg/Pair differs: {difference}"


TIME = "int32 sec\nuint32 nanosec\n"
STAMP = f"builtin_interfaces/Time stamp\n{'=' * 80}\nMSG: builtin_interfaces/Time\n{TIME}"


def test_a_relative_tolerance_does_not_loosen_stamps(tmp_path):
    a, b = (
        write(
            tmp_path / name,
            [(0, b"\0\1\0\0" + np.array([sec, 0], "<i4").tobytes())],
            type_name="test_msgs/msg/Stamp",
            text=STAMP,
        )
        for name, sec in (("a", 1_700_000_000), ("b", 1_700_000_001))
    )
    assert not compare(a, b, tolerance=Tolerances({"*": Tolerance(rel=0.1)})).all_match
    assert compare(a, b, tolerance=Tolerances({"*": Tolerance(abs=1)})).all_match


def test_no_tolerance_makes_true_false():
    found = worst(
        reading(0, [True, False], dtype=bool), reading(0, [True, True], dtype=bool), abs=9
    )
    assert [d.passes for d in found] == [False]


def test_how_far_apart_aligned_messages_are_is_said(tmp_path):
    a = write(tmp_path / "a", [(t * 1_000_000_000, pair(t)) for t in range(10)])
    b = write(tmp_path / "b", [(t * 1_000_000_000 + t * 10_000_000, pair(t)) for t in range(10)])
    comparison = compare(a, b, names=("a", "b"))
    write_text_diffs(comparison, tmp_path / "diffs")
    assert comparison.keys["/out"].aligned.largest_shift_ns == 90_000_000
    assert "up to 0.090000000 s apart" in (tmp_path / "diffs/summary.txt").read_text()
    assert not compare(a, b, time_tolerance_ns=0).all_match


def test_every_topic_has_a_diff_of_its_own(tmp_path):
    bags = []
    for name in "ab":
        with BagWriter(tmp_path / name) as writer:
            for topic in ("/a/b", "/a__b", "/../x\0y"):
                writer.add_topic(topic, "test_msgs/msg/Pair", PAIR)
                writer.write(topic, pair(ord(name)), 0)
        bags.append(Bag(tmp_path / name))
    files = write_text_diffs(compare(*bags), tmp_path / "diffs")
    assert len(set(files.values())) == 3
    assert {path.parent for path in files.values()} == {tmp_path / "diffs"}


@pytest.mark.parametrize("seconds", [-1.0, float("nan"), float("inf"), 1e300])
def test_a_time_tolerance_that_makes_no_sense_is_refused(seconds):
    with pytest.raises(CompareError, match="makes no sense"):
        tolerance_ns(seconds)


def test_bags_without_a_message_cannot_match(tmp_path):
    a, b = (write(tmp_path / name, []) for name in "ab")
    with pytest.raises(CompareError, match="no messages to compare"):
        compare(a, b)


def test_a_tolerance_for_no_field_is_refused(bags):
    bag = Bag(bags / "husky_acceleration")
    with pytest.raises(
        CompareError, match=r"tolerance 'vectr\.\*' matches no field; the fields are header"
    ):
        compare(bag, bag, tolerance=Tolerances({"vectr.*": Tolerance(abs=1)}))


def test_a_truncated_bag_is_never_compared(bags, tmp_path):
    whole = bags / "husky_acceleration/husky_acceleration_0.mcap"
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole.read_bytes()[:-3000])
    with pytest.raises(BagError, match="cut off"):
        compare(Bag(whole), Bag(cut))


def test_aligning_by_stamp_needs_a_header(tmp_path):
    bag = write(tmp_path / "a", [(0, pair(0))])
    with pytest.raises(CompareError, match="/out has no header to align by"):
        compare(bag, bag, align="stamp")


def test_a_real_bag_aligns_by_stamp(bags):
    bag = Bag(bags / "husky_acceleration")
    assert compare(bag, bag, align="stamp").all_match


def test_a_text_diff_reads_like_diff_u(tmp_path):
    a = write(tmp_path / "a", [(t * 1_000_000_000, pair(t, 5)) for t in range(3)])
    b = write(tmp_path / "b", [(0, pair(0, 5)), (1_000_000_000, pair(1.5, 5))])
    comparison = compare(
        a, b, tolerance=Tolerances({"x": Tolerance(abs=0.125)}), names=("old", "new")
    )
    files = write_text_diffs(comparison, tmp_path / "diffs")
    assert files["/out"].read_text().splitlines() == [
        "--- old\t/out\ttest_msgs/msg/Pair\t3 messages",
        "+++ new\t/out\ttest_msgs/msg/Pair\t2 messages",
        "@@ tick 1, t = 1.000000000 s @@",
        "-x: 1.0",
        "+x: 1.5    # off by 0.5, tolerance abs 0.125",
        "@@ tick 2, t = 2.000000000 s @@",
        "-only in old",
    ]
    assert (tmp_path / "diffs/summary.txt").read_text().splitlines() == [
        "DIFFERENT: new does not do what old does",
        "/out (test_msgs/msg/Pair): 2 aligned, 1 differ, 1 only in old, 1 with identical bytes",
        (
            "  first at tick 1, t = 1.000000000 s: x is 1.5, expected 1.0    # off by "
            "0.5, tolerance abs 0.125"
        ),
        "  largest error at tick 1: x is 1.5, expected 1.0    # off by 0.5, tolerance abs 0.125",
        "  x: 1 of 1 wrong, largest error 0.5, from tick 1 on",
        "  first only in old: tick 2, t = 2.000000000 s",
        "aligned by time; tolerances: x: abs 0.125",
    ]


def test_a_text_diff_is_bounded(tmp_path):
    a = write(tmp_path / "a", [(t, pair(0)) for t in range(5000)])
    b = write(tmp_path / "b", [(t, pair(1)) for t in range(5000)])
    comparison = compare(a, b)
    text = write_text_diffs(comparison, tmp_path / "diffs")["/out"].read_text()
    assert comparison.keys["/out"].judged.differing == 5000
    assert len(text.splitlines()) < 500
    assert text.endswith("… 4900 more like this\n")


@pytest.mark.parametrize(
    ("time_ns", "text"), [(0, "0.000000000"), (1_500_000_000, "1.500000000"), (-1, "-0.000000001")]
)
def test_seconds_are_exact(time_ns, text):
    assert seconds(time_ns) == text


WITHOUT_ROS = """
import sys
for name in ("rclpy", "builtin_interfaces", "std_msgs", "sensor_msgs", "lockstep_interfaces"):
    sys.modules[name] = None  # importing it fails
from lockstep.bag import Bag
from lockstep.compare import compare
assert compare(Bag(sys.argv[1]), Bag(sys.argv[1])).all_match
"""


def test_bags_are_compared_without_any_ros(bags):
    subprocess.run([sys.executable, "-c", WITHOUT_ROS, bags / "husky_acceleration"], check=True)


class TestRoundingBeforeTheFirstError:
    """What differs by next to nothing does not hide where it first differs by more."""

    @staticmethod
    def compared(tmp_path, errors, x=1.0, **options):
        xs = x + np.zeros(len(errors))
        bags = [
            write(tmp_path / name, [(t * 10, pair(v, 7)) for t, v in enumerate(values.tolist())])
            for name, values in (("a", xs), ("b", xs + errors))
        ]
        return compare(*bags, **options)

    @pytest.mark.parametrize(("x", "tiny"), [(1.0, 2.3e-16), (0.0, 1e-19)])
    def test_both_are_named(self, tmp_path, x, tiny):
        errors = np.full(400, tiny)
        errors[321:] = 0.25
        comparison = self.compared(tmp_path, errors, x)
        judged = comparison.keys["/out"].judged
        assert (judged.first.tick_a, judged.beyond_rounding.tick_a) == (0, 321)
        lines = comparison.summary().splitlines()
        assert lines[2].startswith("  first at tick 0, ")
        assert lines[3].startswith("  first beyond rounding at tick 321, t = 0.000003210 s: x is ")
        assert any("tick 321" in line for line in text_diff(comparison, comparison.keys["/out"]))
        data = comparison_as_data(comparison)["keys"]["/out"]
        assert data["first_beyond_rounding"]["ticks"] == [321, 321]

    def test_rounding_alone_hides_nothing(self, tmp_path):
        comparison = self.compared(tmp_path, np.full(50, 2.3e-16))
        assert comparison.keys["/out"].judged.beyond_rounding is None
        assert "beyond rounding" not in comparison.summary()

    def test_small_errors_that_grow_are_errors_from_the_first_on(self, tmp_path):
        comparison = self.compared(tmp_path, 1e-9 * 1.05 ** np.arange(400))
        assert comparison.keys["/out"].judged.beyond_rounding.tick_a == 0
        assert "beyond rounding" not in comparison.summary()

    def test_what_is_within_tolerance_does_not_read_as_an_error(self, tmp_path):
        comparison = self.compared(tmp_path, np.full(50, 0.01), tolerance=0.1)
        assert comparison.all_match
        assert "error" not in comparison.summary() and "expected" not in comparison.summary()
        assert "  within tolerance abs 0.1, at most 0.01 apart: x at tick" in comparison.summary()
        largest = comparison_as_data(comparison)["keys"]["/out"]["largest_error"]
        assert largest["within_tolerance"]


def test_the_summary_says_why_each_field_differs(tmp_path):
    waves = [np.sin(t / 7) + t / 100 for t in range(500)]
    a = write(tmp_path / "a", [(t * 10, pair(x, 7)) for t, x in enumerate(waves)])
    b = write(tmp_path / "b", [(t * 10, pair(x + 0.25, 7)) for t, x in enumerate(waves)])
    comparison = compare(a, b)
    law = comparison.keys["/out"].explained.diagnoses["x"]
    assert (law.law, law.explains) == ("offset", pytest.approx(1))
    assert f"  why: {law.sentence}; explains 100 % of the difference" in comparison.summary()


@pytest.fixture(scope="module")
def long_key(tmp_path_factory):
    rng = np.random.default_rng(5)
    count, late = 26_000, rng.normal(size=26_000)
    x, n = rng.normal(size=count), rng.integers(0, 9, count)
    ticks = np.arange(count)
    other_x = np.where(ticks < 3210, x, np.where(ticks < 24_000, x + 0.5, late))
    other_n = np.where(ticks < 25_000, n, n + 2)
    bags = [
        write(
            tmp_path_factory.mktemp("long") / name,
            [
                (t * 10, pair(*values))
                for t, values in enumerate(zip(xs.tolist(), ns.tolist(), strict=True))
            ],
        )
        for name, xs, ns in (("a", x, n), ("b", other_x, other_n))
    ]
    return compare(*bags).keys["/out"]


class TestDifferencesBeyondWhatIsLookedAt:
    """Laws are sought in some thousand messages; what is said of them is said of these."""

    def test_the_ticks_are_those_of_the_recording(self, long_key):
        law = long_key.explained.diagnoses["x"]
        assert law.sentence == "equal until tick 3210, then b is a + 0.5"
        assert law.parameters["seconds"] == pytest.approx(32_100e-9)

    def test_it_is_said_what_part_of_all_differences_is_explained(self, long_key):
        where = "in 19000 of 22790 messages that differ (ticks 2210 … 22209)"
        told = list(summary_of_key(long_key, ("a", "b")))
        law = long_key.explained.diagnoses["x"].sentence
        assert f"    why: {law}; explains 100 % of the difference {where}" in told

    def test_a_field_that_differs_first_later_is_explained_too(self, long_key):
        law = long_key.explained.diagnoses["n"]
        assert law.sentence == "equal until tick 25000, then b is a + 2"
        assert long_key.explained.extents.keys() == {"x"}


def test_what_no_law_explains_is_said(tmp_path):
    rng = np.random.default_rng(0)
    a = write(tmp_path / "a", [(t * 10, pair(x)) for t, x in enumerate(rng.normal(size=500))])
    b = write(tmp_path / "b", [(t * 10, pair(x)) for t, x in enumerate(rng.normal(size=500))])
    comparison = compare(a, b)
    assert comparison.keys["/out"].explained.diagnoses == {"x": None}
    assert "  why: no simple explanation" in comparison.summary()


def test_fields_of_aligned_messages_come_side_by_side(tmp_path):
    a = write(tmp_path / "a", [(t * 10, pair(t)) for t in range(10) if t != 7])
    b = write(tmp_path / "b", [(t * 10, pair(-t)) for t in range(10) if t != 4])
    key = compare(a, b, origin_ns=0).keys["/out"]
    ((ticks, left, right),) = paired_columns(a, b, "/out", key.aligned.pairs, ["x"], Tolerances())
    assert ticks.tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert left["x"].tolist() == [0, 1, 2, 3, 5, 6, 8, 9]
    assert (right["x"] == -left["x"]).all()
    assert key.aligned.times_ns[0][ticks].tolist() == [0, 10, 20, 30, 50, 60, 80, 90]
