"""A tolerance can be that of one topic's fields, and wins over those of all topics."""

from __future__ import annotations

import pytest
from lockstep.bag import BagWriter
from lockstep.cdr.codec import codec
from lockstep.compare import CompareError, Tolerance, Tolerances, compare
from lockstep.compare.model import Compare

POINT = "float64 x\nfloat64 y"


def bags(tmp_path, off):
    """Two bags whose /left and /right are so far apart."""
    kind = codec("pkg/msg/P", POINT, "ros2msg")
    for name, apart in (("a", 0.0), ("b", off)):
        with BagWriter(tmp_path / name) as writer:
            for topic in ("/left", "/right"):
                writer.add_topic(topic, "pkg/msg/P", POINT)
                writer.write(topic, kind.encode({"x": 1.0 + apart, "y": 2.0 + apart}), 0)
    return tmp_path / "a", tmp_path / "b"


def matching(comparison):
    return [topic for topic, key in comparison.keys.items() if key.matches]


@pytest.mark.parametrize(
    ("rules", "matches"),
    [
        (["/left:*=0.2"], ["/left"]),
        (["/left:*=0.2", "*=0.01"], ["/left"]),
        (["/left:*=0.01", "x=0.2", "y=0.2"], ["/right"]),
        (["/left:x=ignore", "/left:y=0.2", "/right:x=0.2"], ["/left"]),
        (["/*t:*=0.2"], ["/left", "/right"]),
        (["/*t:*=0.2", "/right:x=0"], ["/left"]),
        (["*:x=0.2", "y=0.2"], ["/left", "/right"]),
    ],
)
def test_a_tolerance_of_a_topic_holds_there_alone_and_wins(tmp_path, rules, matches):
    found = compare(*bags(tmp_path, 0.1), tolerance=Tolerances.parse(rules))
    assert matching(found) == matches


@pytest.mark.parametrize("rule", ["/lfet:x=0.1", "/left:z=0.1"])
def test_a_tolerance_of_no_topic_or_of_no_field_of_it_is_refused(tmp_path, rule):
    with pytest.raises(CompareError, match="the topics are /left, /right, with the fields x, y"):
        compare(*bags(tmp_path, 0.1), tolerance=Tolerances.parse([rule]))


def test_a_tolerance_of_a_topic_of_transforms_holds_for_its_pairs_of_frames():
    rules = Tolerances.parse(["/tf:*translation=distance:0.1", "/tf map→odom:*=distance:1"])
    path = "transforms[].transform.translation"
    assert rules.at("/tf odom→base").of(path) == Tolerance(distance=0.1)
    assert rules.at("/tf map→odom").of(path) == Tolerance(distance=0.1)  # names its field
    assert rules.at("/tf_static odom→base").of(path) == Tolerance(distance=0.0)


def test_a_verification_names_its_outputs():
    options = Compare.model_validate({"tolerance": {"out:x": {"abs": 0.5}, "x": {"abs": 0.1}}})
    assert options.tolerances().at("out").of("x").abs == 0.5
    assert options.tolerances().at("other").of("x").abs == 0.1
    by_topic = options.tolerances({"out": "/robot/out", "other": "/other"})
    assert by_topic.at("/robot/out").of("x").abs == 0.5
    assert by_topic.at("/other").of("x").abs == 0.1
