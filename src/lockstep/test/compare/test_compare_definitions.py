import pytest
from lockstep.bag import Bag
from lockstep.compare import CompareError, compare, write_text_diffs
from lockstep.compare.result import comparison_as_data
from lockstep.report.error_bag import write_error_bag
from lockstep.report.html import write_html
from lockstep.verify.model import load
from made_bags import write_messages

POINT = f"\n{'=' * 80}\nMSG: test_msgs/Point\nfloat64 x\nfloat64 y\n"
STATE = "float64 x\nint32[] n\nstring name\n"


def write(folder, text, messages, kind="test_msgs/msg/State"):
    return Bag(write_messages(folder, kind, text, messages, topic="/out", period_ns=10**7))


def states(count=20, **changed):
    return [{"x": float(t), "n": [t, 2], "name": "a"} | changed for t in range(count)]


def key_of(comparison):
    return comparison.keys["/out"]


def test_an_added_field_is_a_finding_and_the_others_are_compared(tmp_path):
    a = write(tmp_path / "a", STATE, states())
    b = write(tmp_path / "b", STATE + "bool valid\n", states(valid=True))
    assert key_of(compare(a, b)).aligned.count == 0
    comparison = compare(a, b, common_fields=True)
    key = key_of(comparison)
    assert (key.problem, key.aligned.count, key.judged.differing, key.grade) == (
        None,
        20,
        0,
        "wrong messages",
    )
    assert key.unlike == {"valid": ("missing", "bool")}
    assert set(key.judged.fields) == {"x", "n", "name"}
    assert "not compared: valid is missing against bool" in comparison.summary()
    data = comparison_as_data(comparison)["keys"]["/out"]
    assert data["unlike"] == {"valid": [None, "bool"]}
    assert (
        data["redefined"]
        == "the definition of test_msgs/msg/State differs: valid is missing against bool"
    )
    diff = write_text_diffs(comparison, tmp_path / "diffs")["/out"].read_text("utf-8").splitlines()
    assert "+bool valid" in diff and not any(line.startswith("-missing") for line in diff)


@pytest.mark.parametrize("common_fields", [False, True])
def test_equal_definitions_are_compared_the_same_with_or_without(tmp_path, common_fields):
    a = write(tmp_path / "a", STATE, states())
    b = write(tmp_path / "b", STATE, states())
    comparison = compare(a, b, common_fields=common_fields)
    assert (comparison.grade, key_of(comparison).redefined) == ("identical bytes", None)


def test_a_field_of_another_kind_that_is_ignored_leaves_a_match_within_tolerance(tmp_path):
    a = write(tmp_path / "a", STATE, states())
    b = write(tmp_path / "b", STATE.replace("float64 x", "float32 x"), states())
    assert compare(a, b, common_fields=True).grade == "wrong messages"
    comparison = compare(a, b, common_fields=True, tolerance={"x": {"ignore": True}})
    assert (comparison.all_match, comparison.grade) == (True, "within tolerance")
    assert key_of(comparison).judged.ignored == ("x",)
    assert "not compared: x is float64 against float32, which is ignored" in comparison.summary()
    assert not compare(a, b, tolerance={"x": {"ignore": True}}).all_match  # only if asked for


def test_a_wrong_value_of_a_common_field_is_found_explained_and_shown(tmp_path):
    a = write(tmp_path / "a", STATE, states())
    wrong = [{**message, "x": message["x"] + 0.5, "extra": 1} for message in states()]
    b = write(tmp_path / "b", "int8 extra\n" + STATE, wrong)
    comparison = compare(a, b, common_fields=True, tolerance={"extra": {"ignore": True}})
    key = key_of(comparison)
    assert (key.grade, key.judged.differing) == ("wrong values", 20)
    assert [d.field for d in key.judged.first.fields] == ["x"]
    assert key.explained.diagnoses["x"].law == "offset"
    write_error_bag(comparison, (a, b), tmp_path / "error")
    with Bag(tmp_path / "error") as found:
        assert set(found.columns("/error/out", ["x"])["x"]) == {0.5}
        assert "extra" not in found.codec("/error/out").fields()
    write_html(tmp_path / "report.html", {"b": comparison}, {"b": (a, b)}, title="b")
    assert "extra is missing against int8" in (tmp_path / "report.html").read_text("utf-8")


def test_equal_bytes_of_fields_in_another_order_are_no_match(tmp_path):
    first, second = "int32 left\nint32 right\n", "int32 right\nint32 left\n"
    a = write(tmp_path / "a", first, [{"left": 1, "right": 2}] * 3)
    same_bytes = write(tmp_path / "bytes", second, [{"left": 2, "right": 1}] * 3)
    same_values = write(tmp_path / "values", second, [{"left": 1, "right": 2}] * 3)
    order = "the definition of test_msgs/msg/State differs: its fields are in another order"
    assert key_of(compare(a, same_bytes)).problem == order
    key = key_of(compare(a, same_bytes, common_fields=True))
    assert (key.grade, key.judged.differing, key.judged.equal_bytes) == ("wrong values", 3, 0)
    key = key_of(compare(a, same_values, common_fields=True))
    assert (key.grade, key.unlike) == ("within tolerance", {})


def test_another_bound_of_an_array_of_messages_is_another_definition(tmp_path):
    points = {"points": [{"x": 1.0, "y": 2.0}] * 2}
    a = write(tmp_path / "a", f"test_msgs/Point[2] points{POINT}", [points])
    b = write(tmp_path / "b", f"test_msgs/Point[] points{POINT}", [points])
    problem = key_of(compare(a, b)).problem
    assert problem is not None and "an array of messages has another bound" in problem
    assert compare(a, b, common_fields=True).grade == "within tolerance"


def test_a_message_that_became_an_array_is_left_out_with_all_that_is_below_it(tmp_path):
    point = {"x": 1.0, "y": 2.0}
    a = write(tmp_path / "a", f"int32 n\ntest_msgs/Point at{POINT}", [{"n": 1, "at": point}] * 3)
    b = write(
        tmp_path / "b", f"int32 n\ntest_msgs/Point[] at{POINT}", [{"n": 2, "at": [point]}] * 3
    )
    key = key_of(compare(a, b, common_fields=True))
    assert set(key.unlike) == {"at.x", "at.y", "at[].x", "at[].y"}
    assert [d.field for d in key.judged.first.fields] == ["n"]


def test_types_of_another_name_are_compared_too_but_are_never_equal(tmp_path):
    a = write(tmp_path / "a", STATE, states())
    b = write(tmp_path / "b", STATE, states(), kind="other_msgs/msg/State")
    assert not compare(a, b).all_match
    comparison = compare(a, b, common_fields=True)
    assert (comparison.all_match, comparison.grade) == (True, "within tolerance")
    assert "type test_msgs/msg/State against other_msgs/msg/State" in comparison.summary()


def test_types_without_a_common_field_are_not_compared(tmp_path):
    a = write(tmp_path / "a", STATE, states())
    b = write(tmp_path / "b", "string data\n", [{"data": "a"}] * 20, kind="std_msgs/msg/String")
    key = key_of(compare(a, b, common_fields=True))
    assert key.problem == "type test_msgs/msg/State against std_msgs/msg/String"


def test_distributions_are_compared_in_common_fields(tmp_path):
    a = write(tmp_path / "a", STATE, states())
    b = write(tmp_path / "b", "float64 x\nint64[] n\nstring name\n", states())
    key = key_of(compare(a, b, common_fields=True, align="none"))
    assert (set(key.judged.distributions), key.grade) == ({"x", "name"}, "wrong messages")
    key = key_of(compare(a, b, common_fields=True, align="none", tolerance={"n": {"ignore": True}}))
    assert key.grade == "within tolerance"


def test_verify_yaml_can_ask_for_common_fields(tmp_path):
    path = tmp_path / "verify.yaml"
    path.write_text(
        "implementations: {python: {component: 'my_pkg:MyNode'}}\nreference: python\n"
        "inputs: {bag: a, topics: {image: /image}}\ncompare: {common_fields: true}\n"
    )
    assert load(path).compare.common_fields


def test_a_quaternion_of_which_a_part_is_unlike_is_none(tmp_path):
    whole, part = (
        "float64 x\nfloat64 y\nfloat64 z\nfloat64 w\n",
        "float64 x\nfloat64 y\nfloat64 z\n",
    )
    a = write(tmp_path / "a", whole, [dict.fromkeys("xyzw", 1.0)])
    b = write(tmp_path / "b", part, [dict.fromkeys("xyz", 1.0)])
    with pytest.raises(CompareError, match="no part of a quaternion"):
        compare(a, b, common_fields=True, tolerance={"*": {"quaternion": 0.1}})
