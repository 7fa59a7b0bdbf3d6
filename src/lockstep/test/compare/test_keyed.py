"""Arrays whose elements have names: matched by them, all arrays that belong together as one."""

import numpy as np
import pytest
from lockstep.compare import CompareError, compare, diffdiff
from lockstep.compare.text_diff import text_diff
from lockstep.message.definitions import definition
from made_bags import write_messages

JOINTS, STATUS = "sensor_msgs/msg/JointState", "diagnostic_msgs/msg/DiagnosticArray"
BOXES, MARKS = "pkg/msg/Boxes", "pkg/msg/Marks"
DEFINITIONS = {
    BOXES: f"pkg/Box[] objects\nstring[] labels\nfloat64[] scores\n{'=' * 80}\nMSG: pkg/Box\n"
    "uint32 id\nfloat64 x\nfloat64[] corners\n",
    MARKS: f"pkg/Mark[] markers\n{'=' * 80}\nMSG: pkg/Mark\nstring ns\nint32 id\nfloat64 x\n",
}
HEADER = {"stamp": {"sec": 1, "nanosec": 0}, "frame_id": ""}


def joints(**positions):
    names, values = list(positions), np.array(list(positions.values()), np.float64)
    return {
        "header": HEADER,
        "name": names,
        "position": values,
        "velocity": values * 10,
        "effort": np.zeros(0),
    }


def boxes(*objects, labels=(), scores=()):
    each = [{"id": key, "x": x, "corners": np.array(corners)} for key, x, corners in objects]
    return {"objects": each, "labels": list(labels), "scores": np.array(scores, np.float64)}


def status(*each):
    levels = [
        {"level": level, "name": name, "message": "", "hardware_id": "", "values": []}
        for name, level in each
    ]
    return {"header": HEADER, "status": levels}


def compared(tmp_path, kind, a, b, **tolerance):
    described = DEFINITIONS.get(kind) or definition(kind)
    for name, messages in (("a", a), ("b", b)):
        messages = messages if isinstance(messages, list) else [messages]
        write_messages(tmp_path / name, kind, described, messages, topic="/out")
    found = compare(tmp_path / "a", tmp_path / "b", tolerance=tolerance)
    key = found.keys["/out"]
    return found, key, "\n".join([found.summary(), *text_diff(found, key)])


def test_joints_belong_together_by_their_names(tmp_path):
    a, b = joints(shoulder=1, elbow=2, wrist=3), joints(wrist=3, shoulder=1, elbow=2)
    found, key, told = compared(tmp_path, JOINTS, a, b)
    assert (found.all_match, found.grade) == (True, "within tolerance")
    assert key.judged.fields["name"].moved == 1
    assert "name: in another order in 1 messages" in told
    assert diffdiff(a, b).all_match


def test_a_joint_that_is_off_is_told_by_its_name(tmp_path):
    a, b = joints(shoulder=1, elbow=2, wrist=3), joints(wrist=3, shoulder=1, elbow=2.5)
    _, key, told = compared(tmp_path, JOINTS, a, b)
    assert key.judged.fields["position"].wrong == 1
    assert key.judged.fields["position"].max_error == 0.5
    assert "position[elbow] is 2.5, expected 2.0" in told
    assert "velocity[elbow]" in told and "position[shoulder]" not in told


def test_values_that_went_to_another_name_differ(tmp_path):
    a, b = joints(shoulder=1, elbow=2), joints(elbow=1, shoulder=2)
    found, key, _ = compared(tmp_path, JOINTS, a, b)
    assert not found.all_match and key.judged.fields["position"].wrong == 2


def test_names_that_only_one_side_has_are_told_and_the_others_compared(tmp_path):
    a, b = joints(shoulder=1, elbow=2, wrist=3), joints(wrist=3.5, tool=9, shoulder=1)
    _, key, told = compared(tmp_path, JOINTS, a, b)
    assert key.judged.fields["name"].alone == (1, 1)
    assert (key.judged.fields["position"].compared, key.judged.fields["position"].wrong) == (2, 1)
    assert "name is 3 elements, without 'elbow'; beside 'tool', expected 3 elements" in told
    assert "name: 2 of 4 wrong, 1 missing, 1 extra" in told
    assert "position[wrist]: 3.5" in told


def test_names_that_are_not_unique_are_told_and_elements_compared_in_their_order(tmp_path):
    a = joints(shoulder=1, elbow=2) | {"name": ["arm", "arm"]}
    b = joints(shoulder=1, elbow=2) | {"name": ["arm", "leg"]}
    found, key, told = compared(tmp_path, JOINTS, a, b)
    assert not found.all_match and key.judged.fields["position"].matches
    assert "which cannot be told apart by it: arm is there 2 times" in told
    assert compared(tmp_path / "same", JOINTS, a, a | {"position": np.array([1, 3.0])})[2].count(
        "position[1]"
    )


@pytest.mark.parametrize("rule", [{"keyed": False}, {"text": ".*"}])
def test_joints_may_be_compared_by_their_index(tmp_path, rule):
    a, b = joints(shoulder=1, elbow=2), joints(elbow=2, shoulder=1)
    _, key, _ = compared(tmp_path, JOINTS, a, b, name=rule)
    assert key.judged.fields["position"].wrong == 2


def test_messages_of_an_array_belong_together_by_their_names(tmp_path):
    a, b = (
        status(("imu", 0), ("gps", 1), ("lidar", 2)),
        status(("lidar", 2), ("imu", 1), ("gps", 1)),
    )
    _, key, told = compared(tmp_path, STATUS, a, b)
    wrong = [path for path, field in key.judged.fields.items() if not field.matches]
    assert wrong == ["status[].level"] and key.judged.fields["status[].level"].wrong == 1
    assert "status[imu].level is 1, expected 0" in told
    assert key.judged.fields["status[].name"].moved == 1


def test_objects_with_arrays_of_their_own_move_as_a_whole(tmp_path):
    a = boxes((7, 1.0, [1.0, 2.0]), (3, 2.0, [4.0]), (5, 3.0, []))
    b = boxes((5, 3.0, []), (7, 1.0, [1.0, 2.5]), (3, 2.0, [4.0]))
    _, key, told = compared(tmp_path, BOXES, a, b)
    wrong = [path for path, field in key.judged.fields.items() if not field.matches]
    assert wrong == ["objects[].corners"]
    assert "objects[7].corners[1] is 2.5, expected 2.0" in told


def test_markers_belong_together_by_their_namespace_and_id(tmp_path):
    a, b = (
        {"markers": [{"ns": ns, "id": key, "x": x} for ns, key, x in side]}
        for side in (
            [("arm", 0, 1.0), ("arm", 1, 2.0), ("leg", 0, 3.0)],
            [("leg", 0, 3.0), ("arm", 0, 1.0), ("arm", 1, 2.5)],
        )
    )
    _, key, told = compared(tmp_path, MARKS, a, b)
    wrong = [path for path, field in key.judged.fields.items() if not field.matches]
    assert wrong == ["markers[].x"] and "markers[arm/1].x is 2.5, expected 2.0" in told


def test_objects_may_appear_and_vanish(tmp_path):
    a = [boxes((7, 1.0, [1.0]), (3, 2.0, [4.0])), boxes((7, 1.0, [1.0]))]
    b = [boxes((3, 2.0, [4.0])), boxes((9, 0.0, []), (7, 1.0, [1.0]))]
    _, key, told = compared(tmp_path, BOXES, a, b)
    field = key.judged.fields["objects[].id"]
    assert (field.alone, field.wrong, field.wrong_ticks) == ((1, 1), 2, 2)
    assert key.judged.fields["objects[].x"].matches
    assert "-objects: 2 elements\n+objects: 1 elements, without '7'" in told


def test_any_array_may_be_declared_to_belong_to_names(tmp_path):
    a = boxes(labels=["cat", "dog"], scores=[0.1, 0.2])
    b = boxes(labels=["dog", "cat"], scores=[0.2, 0.1])
    assert not compared(tmp_path / "1", BOXES, a, b)[0].all_match
    declared = {"labels": {"keyed": ["scores"]}}
    assert compared(tmp_path / "2", BOXES, a, b, **declared)[0].all_match
    with pytest.raises(CompareError, match="labels is keyed with size, which is no other array"):
        compared(tmp_path / "3", BOXES, a, b, labels={"keyed": ["size"]})
