from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import CompareError, Tolerance, compare, diffdiff
from lockstep.dataset import Dataset, DatasetError
from sensor_msgs.msg import LaserScan


@dataclass
class Pose:
    x: float
    name: str
    path: list


def test_equal_values_match_and_say_so():
    pose = Pose(1.0, "a", [1, {"b": np.arange(3)}])
    assert diffdiff(pose, Pose(1.0, "a", [1, {"b": np.arange(3)}])).all_match
    assert diffdiff(pose, pose).summary() == "MATCH"


def test_each_field_that_differs_is_named_with_both_values():
    a = Pose(1.0, "a", [1, {"b": np.array([1.0, 2.0])}])
    b = Pose(1.5, "b", [2, {"b": np.array([1.0, 2.5])}])
    found = diffdiff(a, b)
    assert [d.field for d in found.differences()] == ["x", "name", "path[0]", "path[1].b[1]"]
    assert found.summary().splitlines() == [
        "DIFFERENT: 4 fields",
        "  x is 1.5, expected 1.0    # off by 0.5, tolerance exact",
        "  name is 'b', expected 'a'",
        "  path[0] is 2, expected 1    # off by 1, tolerance exact",
        "  path[1].b[1] is 2.5, expected 2.0    # off by 0.5, tolerance exact",
    ]


@pytest.mark.parametrize(
    ("a", "b", "tol", "same"),
    [
        (1.0, 1.0 + 1e-9, 1e-6, True),
        (1.0, 1.1, 1e-6, False),
        (1, 1.0, None, True),
        (True, 1, None, False),
        (None, None, None, True),
        (None, 0, None, False),
        (float("nan"), float("nan"), None, True),
        (2**70, 2**70 + 1, 10, False),
        ({"a": 1}, {"b": 1}, None, False),
        ([1, 2], [1], None, False),
        (np.zeros((2, 2)), np.zeros(4), None, False),
        (np.float32([0.1]), np.float64([0.1]), 1e-7, True),
        ({"a": [1.0], "b": 3.0}, {"a": [1.2], "b": 3.0}, {"a": 0.5}, True),
        ({"a": [1.0], "b": 3.0}, {"a": [1.2], "b": 3.1}, {"a": {"abs": 0.5}}, False),
        ({"t": "x1"}, {"t": "x2"}, {"t": {"text": "x[0-9]"}}, True),
    ],
)
def test_plain_values_are_compared_as_what_they_are(a, b, tol, same):
    assert diffdiff(a, b, tol).all_match == same


def test_arrays_of_rclpys_messages_are_compared_number_by_number():
    a, b = LaserScan(ranges=[1.0, 2.0]), LaserScan(ranges=[1.0, 2.01])
    assert diffdiff(a, b, tol=0.1).all_match
    (wrong,) = diffdiff(a, b, tol=0.001).differences()
    assert (wrong.field, round(wrong.error, 6)) == ("ranges[1]", 0.01)


def test_datasets_bags_and_paths_are_compared_with_each_other(bags, tmp_path):
    path = bags / "husky_acceleration"
    with Bag(path) as bag, Dataset.load(path) as dataset:
        assert diffdiff(bag, dataset).all_match
        assert diffdiff(str(path), dataset.copy()).grade == "identical bytes"
        moved = dataset.shift(seconds=1)
        assert compare(path, moved).all_match
        assert not compare(path, moved, origin_ns=0, align="time").all_match


def one_key(*values: Any) -> Dataset:
    dataset = Dataset.create()
    for tick, value in enumerate(values):
        dataset.append("state", value, 1_700_000_000_000_000_000 + tick * 10_000_000)
    return dataset


@pytest.mark.parametrize(
    ("a", "b", "wrong"),
    [
        ({"x": 1.0, "n": [1, None]}, {"x": 1.5, "n": [1, None]}, "x is 1.5, expected 1.0"),
        ({"x": np.arange(2.0)}, {"x": np.array([0.0, 1.5])}, "x[1] is 1.5, expected 1.0"),
        ({"x": LaserScan(ranges=[1.0])}, {"x": LaserScan(ranges=[1.5])}, "x.ranges[0] is 1.5"),
        (Pose(1.0, "a", [float("nan")]), Pose(1.0, "b", [float("nan")]), "name is 'b'"),
        ([1.0, float("inf")], [1.0, 2.0], "[1] is 2.0, expected inf"),
        ((1, 2), (1, 3), "[1] is 3, expected 2"),
        (None, 1, "is 1, expected None"),
        (b"a", b"b", "data[0] is 98, expected 97"),
    ],
)
def test_datasets_of_plain_values_are_compared_field_by_field(a, b, wrong):
    assert diffdiff(one_key(a, a, a), one_key(a, a, a)).all_match
    found = diffdiff(one_key(a, a, a), one_key(a, a, b))
    assert not found.all_match
    assert (found.keys["state"].samples, found.keys["state"].judged.differing) == (3, 1)
    assert wrong in found.summary()
    assert "tick 2" in found.summary()


def test_a_tolerance_counts_for_fields_of_plain_values():
    a, b = one_key({"x": 1.0, "y": [1.0]}), one_key({"x": 1.1, "y": [1.1]})
    assert diffdiff(a, b, tol=0.2).all_match
    assert diffdiff(a, b, tol={"x": 0.2, "y": 0.2}).all_match
    assert not diffdiff(a, b, tol={"x": 0.2}).all_match


def test_dicts_kept_at_other_places_are_the_same_dicts(tmp_path):
    values = [{"x": 0.5, "n": 1}, {"n": 2, "x": 1.5}]
    for place in (tmp_path / "bag.mcap", tmp_path / "values.pkl"):
        with one_key(*values).save(place) as saved:
            assert diffdiff(one_key(*values), saved).all_match
            assert not diffdiff(one_key(values[0], {"n": 3, "x": 1.5}), saved).all_match


def test_what_has_no_parts_to_compare_is_told_in_a_sentence():
    with pytest.raises(DatasetError, match=r"it holds a set.*; make it of dicts"):
        diffdiff(one_key({"x": {1}}), one_key({"x": {1}}))


@pytest.mark.parametrize("tol", [-1, float("nan"), {"x": {"absolute": 1}}, Tolerance(quantile=2)])
def test_a_tolerance_that_makes_no_sense_is_refused(tol):
    with pytest.raises(CompareError):
        diffdiff(1.0, 2.0, tol)


def test_two_texts_are_texts_and_no_paths():
    assert diffdiff("abc", "abc").all_match
    (wrong,) = diffdiff("abc", "abd").differences()
    assert (wrong.a, wrong.b) == ("'abc'", "'abd'")


@pytest.mark.parametrize(
    ("a", "b", "tol", "first", "differing"),
    [
        ((1.0, None), (1.0, None), None, "", 0),
        ((1.0, None), (1.5, 2.0), None, "is 1.5, expected 1.0", 2),
        ((1.0, None), (1.0, 2.0), None, "is 2.0, expected None", 1),
        ((1.0, None), (1.25, None), 0.5, "", 0),
        ((1.0, 2.0), (1.0, None), None, "is None, expected 2.0", 1),
        ((None, 1), (None, 2), None, "is 2, expected 1", 1),
        ((1, 1.5), (1, 1.5), None, "", 0),
        ((1, "a"), (1, "b"), None, "is 'b', expected 'a'", 1),
        ((np.arange(2), 3), (np.arange(2), 4), None, "is 4, expected 3", 1),
        ((1.0, {"y": 2.0}), (1.0, {"y": 2.5}), None, "y is 2.5, expected 2.0", 1),
        (({"y": 1.0}, {"y": None}), ({"y": 1.0}, {"y": 0.0}), None, "y is 0.0, expected None", 1),
    ],
)
@pytest.mark.parametrize("place", [None, "side.pkl"])
def test_values_of_several_kinds_under_one_key_are_judged_one_by_one(
    tmp_path, a, b, tol, first, differing, place
):
    sides = one_key(*a), one_key(*b)
    found = diffdiff(sides[0], sides[1].save(tmp_path / place) if place else sides[1], tol)
    assert (found.all_match, found.keys["state"].judged.differing) == (not differing, differing)
    assert first in found.summary()


def test_a_number_that_is_none_in_the_next_dict_is_kept_on_every_backend(tmp_path):
    values = [{"y": 1.0}, {"y": None}, {"y": 2.0}]
    for place in ("bag", "values.pkl"):
        with one_key(*values).save(tmp_path / place) as saved:
            assert list(saved["state"]) == values
            assert diffdiff(one_key(*values), saved).all_match


def test_a_tolerance_for_no_field_of_plain_values_is_refused():
    a, b = one_key({"x": 1.0, "y": [{"z": 1.0}]}), one_key({"x": 1.0, "y": [{"z": 1.5}]})
    assert diffdiff(a, b, tol={"y.z": 0.5}).all_match
    assert diffdiff(a, b, tol={"x": 0.5, "*.z": 0.5}).all_match
    with pytest.raises(CompareError, match=r"'y\.w' matches no field; the fields are x, y, y\.z"):
        diffdiff(a, b, tol={"y.w": 0.5})
