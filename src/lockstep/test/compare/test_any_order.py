"""Arrays in any order: what belongs together is permuted together, or it is a difference."""

import numpy as np
import pytest
from lockstep.compare import CompareError, Tolerance, Tolerances, compare, diffdiff
from lockstep.compare.model import Compare
from lockstep.message.definitions import definition
from made_bags import write_messages

JOINTS, TREE = "sensor_msgs/msg/JointState", "pkg/msg/Tree"
DEFINITIONS = {
    JOINTS: definition(JOINTS),
    TREE: f"pkg/Child[] transforms\n{'=' * 80}\nMSG: pkg/Child\nstring child_frame_id\nfloat64 x\n",
}
TOGETHER = {"name": {"unordered": ["position", "velocity", "effort"]}}
NAMES, POSITIONS = ["a", "b", "c"], [1.0, 2.0, 3.0]


def joints(names, positions):
    return {
        "header": {"stamp": {"sec": 1, "nanosec": 0}, "frame_id": ""},
        "name": names,
        "position": np.array(positions),
        "velocity": np.zeros(0),
        "effort": np.zeros(0),
    }


def transforms(*children):
    return {"transforms": [{"child_frame_id": name, "x": x} for name, x in children]}


def compared(tmp_path, kind, a, b, tolerance):
    for name, message in (("a", a), ("b", b)):
        write_messages(tmp_path / name, kind, DEFINITIONS[kind], [message], topic="/out")
    return compare(tmp_path / "a", tmp_path / "b", tolerance=tolerance).keys["/out"]


@pytest.mark.parametrize(
    ("names", "positions", "is_same"),
    [
        (["c", "a", "b"], [3.0, 1.0, 2.0], True),
        (["c", "a", "b"], [1.0, 2.0, 3.0], False),
        (["a", "b", "c"], [3.0, 1.0, 2.0], False),
        (["c", "a", "b"], [3.0, 1.0, 2.5], False),
    ],
)
def test_what_follows_a_name_is_permuted_with_it(tmp_path, names, positions, is_same):
    a, b = joints(NAMES, POSITIONS), joints(names, positions)
    key = compared(tmp_path, JOINTS, a, b, TOGETHER)
    assert key.matches == is_same
    assert bool(key.judged.kept and key.judged.kept[0].fields) != is_same
    assert diffdiff(a, b, TOGETHER).all_match == is_same


def test_arrays_that_may_belong_together_are_not_put_in_order_each_by_itself(tmp_path):
    each = {"name": {"unordered": True}, "position": {"unordered": True}}
    a, b = joints(NAMES, POSITIONS), joints(["c", "a", "b"], POSITIONS)
    sentence = r"say what stays together with one of them: name: \{unordered: \[position\]\}"
    with pytest.raises(CompareError, match=sentence):
        compared(tmp_path, JOINTS, a, b, each)
    with pytest.raises(CompareError, match=sentence):
        diffdiff(a, b, each)


@pytest.mark.parametrize("pattern", ["transforms", "transforms[].child_frame_id"])
def test_an_array_of_messages_holds_whole_messages_in_any_order(tmp_path, pattern):
    a = transforms(("base", 1.0), ("wheel", 2.0))
    moved = transforms(("wheel", 2.0), ("base", 1.0))
    swapped = transforms(("wheel", 1.0), ("base", 2.0))
    rule = {pattern: {"unordered": True}}
    assert compared(tmp_path / "moved", TREE, a, moved, rule).matches
    key = compared(tmp_path / "swapped", TREE, a, swapped, rule)
    assert (key.matches, key.judged.differing) == (False, 1)
    assert [found.field for found in key.judged.first.fields] == [
        "transforms[0].x",
        "transforms[1].x",
    ]


def test_only_arrays_beside_it_can_follow(tmp_path):
    a = joints(NAMES, POSITIONS)
    with pytest.raises(CompareError, match="name is unordered with speed, which is no other array"):
        compared(tmp_path, JOINTS, a, a, {"name": {"unordered": ["speed"]}})
    with pytest.raises(CompareError, match="names the arrays whose elements move"):
        compare(tmp_path / "a", tmp_path / "b", tolerance={"name": {"unordered": []}})


def test_a_command_line_and_a_file_say_it_alike():
    rule = Tolerance(unordered=("position", "velocity"))
    assert Tolerances.parse(["name=unordered:position+velocity"]).of("name") == rule
    model = Compare.model_validate({"tolerance": {"name": {"unordered": ["position", "velocity"]}}})
    assert model.tolerances().of("name") == rule
    assert str(rule) == "exact, unordered with position, velocity"
