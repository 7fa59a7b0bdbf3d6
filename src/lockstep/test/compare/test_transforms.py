"""Transforms of TF, of which each pair of frames is a signal of its own."""

import math

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.compare.text_diff import text_diff
from lockstep.report.html import write_html
from made_bags import write_changed, write_messages

DEFINITION = f"""\
geometry_msgs/TransformStamped[] transforms
{"=" * 80}
MSG: geometry_msgs/TransformStamped
std_msgs/Header header
string child_frame_id
geometry_msgs/Transform transform
{"=" * 80}
MSG: std_msgs/Header
builtin_interfaces/Time stamp
string frame_id
{"=" * 80}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
{"=" * 80}
MSG: geometry_msgs/Transform
geometry_msgs/Vector3 translation
geometry_msgs/Quaternion rotation
{"=" * 80}
MSG: geometry_msgs/Vector3
float64 x
float64 y
float64 z
{"=" * 80}
MSG: geometry_msgs/Quaternion
float64 x
float64 y
float64 z
float64 w
"""
TF = "tf2_msgs/msg/TFMessage"
ODOM, WHEEL = "/tf odom→base", "/tf base→wheel"


def transform(parent, child, tick, x=0.0, yaw=0.0):
    return {
        "header": {"stamp": {"sec": tick, "nanosec": 0}, "frame_id": parent},
        "child_frame_id": child,
        "transform": {
            "translation": {"x": x, "y": 0.0, "z": 0.0},
            "rotation": {"x": 0.0, "y": 0.0, "z": math.sin(yaw / 2), "w": math.cos(yaw / 2)},
        },
    }


def odom(tick, **off):
    return transform("odom", "base", tick, **{"x": 0.1 * tick, "yaw": 0.01 * tick, **off})


def wheel(tick, **off):
    return transform("base", "wheel", tick, **off)


def write(path, messages):
    tf = ({"transforms": list(message)} for message in messages)
    return write_messages(path, TF, DEFINITION, tf, topic="/tf", period_ns=10**9)


def compared(tmp_path, a, b, **how):
    bags = [write(tmp_path / name, side) for name, side in (("a", a), ("b", b))]
    return compare(*bags, **how), bags


def test_it_does_not_matter_which_message_brings_a_transform(tmp_path):
    a = [[odom(tick), wheel(tick)] for tick in range(20)]
    b = [[one] for tick in range(20) for one in (wheel(tick), odom(tick))]
    found, _ = compared(tmp_path, a, b)
    assert found.all_match and sorted(found.keys) == [WHEEL, ODOM]
    assert found.keys[ODOM].aligned.count == 20
    assert found.keys[ODOM].aligned.stamp == "transforms[].header.stamp"


def test_the_error_of_a_transform_is_a_distance_and_an_angle(tmp_path):
    a = [[odom(tick), wheel(tick)] for tick in range(20)]
    b = [
        [odom(tick, x=0.1 * tick + 0.25, yaw=0.01 * tick + 0.1), wheel(tick)] for tick in range(20)
    ]
    found, _ = compared(tmp_path, a, b)
    fields = found.keys[ODOM].judged.fields
    assert fields["transforms[].transform.translation"].max_error == pytest.approx(0.25)
    assert fields["transforms[].transform.rotation"].max_error == pytest.approx(0.1)
    assert found.keys[WHEEL].matches
    told = "\n".join([found.summary(), *text_diff(found, found.keys[ODOM])])
    assert "/tf odom→base (tf2_msgs/msg/TFMessage): 20 aligned, 20 differ" in told
    assert "transforms[base].transform.translation: (0.25, 0.0, 0.0)    # off by 0.25" in told
    diagnosis = found.keys[ODOM].explained.diagnoses["transforms[].transform.translation.x"]
    assert diagnosis.law == "offset"


def test_tolerances_and_alignment_are_those_of_the_topic(tmp_path):
    a = [[odom(tick)] for tick in range(20)]
    b = [[odom(tick, x=0.1 * tick + 0.01)] for tick in range(20)]
    rules = {"transforms[].transform.translation": {"distance": 0.02}}
    found, _ = compared(tmp_path, a, b, tolerance=rules, align={"/tf": "tick"}, topics=["/tf"])
    assert found.all_match and found.keys[ODOM].aligned.by == "tick"
    by_index = {"transforms": {"keyed": False}}
    found, _ = compared(tmp_path / "2", a, b, tolerance=by_index)
    assert list(found.keys) == ["/tf"] and not found.all_match
    assert not compared(tmp_path / "3", a, b, exclude=["/clock"])[0].all_match


def test_a_frame_that_only_one_side_sends_is_named(tmp_path):
    a = [[odom(tick), wheel(tick)] for tick in range(5)]
    found, _ = compared(tmp_path, a, [[one] for one, _ in a])
    assert found.keys[WHEEL].problem == "not in b" and found.keys[ODOM].matches


def test_the_report_draws_each_pair_of_frames(tmp_path):
    a = [[odom(tick), wheel(tick)] for tick in range(20)]
    b = [[odom(tick, x=0.5), wheel(tick)] for tick in range(20)]
    found, bags = compared(tmp_path, a, b)
    write_html(tmp_path / "report.html", {"b": found}, {"b": tuple(bags)})
    text = (tmp_path / "report.html").read_text()
    assert "odom→base" in text and '"plots":{"0":{' in text


def test_transforms_of_a_real_bag_are_what_they_were(bags, tmp_path):
    with Bag(bags / "office_scan_odom_tf") as bag:
        topic = next(name for name, one in bag.topics.items() if one.type == TF)

        def shift(tick, message):
            message.transforms[0].transform.translation.x += 0.5

        b = write_changed(tmp_path / "b", bag, topic, shift)
        found = compare(bag, b, topics=[topic])
        count = sum(len(bag.codec(topic).decode(m.data).transforms) for m in bag.messages([topic]))
        assert compare(bag, bag, topics=[topic]).grade == "identical bytes"
    assert sum(key.aligned.count for key in found.keys.values()) == count
    wrong = [key for key in found.keys.values() if not key.matches]
    errors = [k.judged.fields["transforms[].transform.translation"].max_error for k in wrong]
    assert np.allclose(errors, 0.5)
