"""Point clouds compared as what they are: points with fields, that belong together."""

import math

import numpy as np
import pytest
from lockstep.cdr.codec import codec
from lockstep.compare import CompareError, Tolerances, compare, diffdiff
from lockstep.compare.meant import opened_in
from lockstep.compare.point_pairs import nearest_pairs
from lockstep.compare.text_diff import text_diff
from lockstep.message.definitions import definition
from made_clouds import CLOUD, TOPIC, XYZI, cloud, moved, some_points, write_clouds


def compared(tmp_path, a, b, **how):
    sides = [write_clouds(tmp_path / name, side) for name, side in (("a", a), ("b", b))]
    found = compare(*sides, **how)
    return found, found.keys[TOPIC]


def told(found):
    return "\n".join([found.summary(), *text_diff(found, found.keys[TOPIC])])


def test_a_field_of_the_points_that_differs_is_named_with_its_error(tmp_path):
    points = some_points()
    a, b = [cloud(points)], [cloud(moved(points, z=(7, 0.5)))]
    found, key = compared(tmp_path, a, b)
    field = key.judged.fields["data.z"]
    assert (field.wrong, field.compared, field.type) == (1, 20, "float32[]")
    assert field.max_error == pytest.approx(0.5)
    assert key.judged.fields["data.x"].matches and key.judged.fields["data"].matches
    assert "data.z[7] is" in told(found) and "off by 0.5" in told(found)


def test_each_field_of_the_points_has_a_tolerance(tmp_path):
    points = some_points()
    b = [cloud(moved(points, z=(7, 0.05), intensity=(3, 1)))]
    _, key = compared(tmp_path, [cloud(points)], b, tolerance={"data.z": 0.1})
    wrong = [path for path, field in key.judged.fields.items() if not field.matches]
    assert wrong == ["data.intensity"]
    rules = {"data.z": 0.1, "data.intensity": {"ignore": True}}
    found, key = compared(tmp_path / "2", [cloud(points)], b, tolerance=rules)
    assert found.grade == "within tolerance" and "data.intensity" in key.judged.ignored


def test_a_tolerance_of_a_field_that_points_have_not_is_refused(tmp_path):
    clouds = [cloud(some_points())]
    with pytest.raises(
        CompareError, match=r"'data\.w' matches no field.*data\.x, data\.y, data\.z"
    ):
        compared(tmp_path, clouds, clouds, tolerance={"data.w": 0.1})


def test_points_in_another_order_are_the_same_cloud(tmp_path):
    points = some_points()
    found, key = compared(tmp_path, [cloud(points)], [cloud(points[::-1])])
    assert found.all_match and found.grade == "within tolerance"
    assert key.judged.fields["data"].alone == (0, 0)
    by_index = {"data": {"pair": "index"}}
    found, key = compared(
        tmp_path / "2", [cloud(points)], [cloud(points[::-1])], tolerance=by_index
    )
    assert key.judged.fields["data.x"].wrong == 20


def test_points_of_several_rows_belong_together_by_their_index(tmp_path):
    points = some_points()
    b = points.copy()
    b[[3, 8]] = b[[8, 3]]
    found, key = compared(tmp_path, [cloud(points, rows=4)], [cloud(b, rows=4)])
    assert key.judged.fields["data.x"].wrong == 2
    assert "data.x[row " in told(found)
    worst = max((3, 8), key=lambda at: abs(float(b["x"][at]) - float(points["x"][at])))
    assert f"data.x[row {worst // 5}, column {worst % 5}] is" in told(found)


def test_missing_and_extra_points_are_counted(tmp_path):
    points = some_points(200)
    b = np.concatenate([np.delete(points, [5, 90]), some_points(1, seed=9)])
    b["x"][-1] += 100
    found, key = compared(tmp_path, [cloud(points)], [cloud(b)])
    field = key.judged.fields["data"]
    assert field.alone == (2, 1) and field.wrong == 3 and not found.all_match
    assert all(key.judged.fields[f"data.{name}"].matches for name in XYZI.names)
    assert "width" not in key.judged.fields
    at = f"({', '.join(str(points[name][5]) for name in 'xyz')})"
    assert f"199 points: 2 missing, first {at}; 1 extra" in told(found)
    assert "data: 3 of 201 wrong, 2 missing, 1 extra" in told(found)
    rules = {"data": {"unpaired": 0.015}}
    assert compared(tmp_path / "2", [cloud(points)], [cloud(b)], tolerance=rules)[0].all_match


def test_points_are_judged_by_their_distance(tmp_path):
    points = some_points()
    b = moved(points, x=(4, 0.03), y=(4, 0.04))[::-1]
    for limit, passes in ((0.051, True), (0.049, False)):
        rules = {"data": {"distance": limit, "reach": 1.0}}
        folder = tmp_path / str(limit)
        found, key = compared(folder, [cloud(points)], [cloud(b)], tolerance=rules)
        assert found.all_match == passes
        assert key.judged.fields["data"].max_error == pytest.approx(0.05, rel=1e-3)
        assert set(key.judged.fields) & {"data.x", "data.y", "data.z"} == set()
    assert "data[4] is (" in told(found) and "off by 0.0499998" in told(found)


def test_points_that_are_nan_on_both_sides_are_the_same(tmp_path):
    points = some_points()
    for name in "xyz":
        points[name][[2, 11]] = np.nan
    points["intensity"][[2, 11]] = 0
    found, _ = compared(tmp_path, [cloud(points)], [cloud(points[::-1])])
    assert found.all_match
    b = points.copy()
    b["x"][2], b["y"][2], b["z"][2] = 1, 2, 3
    found, key = compared(tmp_path / "2", [cloud(points)], [cloud(b)])
    assert key.judged.fields["data"].alone == (1, 1)


def test_the_layout_of_points_is_not_what_they_are(tmp_path):
    points = some_points()
    padded = np.zeros(
        20,
        np.dtype(
            {
                "names": ["intensity", *"xyz"],
                "formats": ["u1", *["<f4"] * 3],
                "offsets": [0, 4, 8, 12],
                "itemsize": 32,
            }
        ),
    )
    for name in XYZI.names:
        padded[name] = points[name]
    b = cloud(padded)
    found, _ = compared(
        tmp_path,
        [cloud(points)],
        [b],
        tolerance={"fields": {"ignore": True}, "point_step": {"ignore": True}},
    )
    assert found.all_match, told(found)


BAD = [
    ({"point_step": 12}, "field 'intensity' of the point cloud ends beyond its points of 12 bytes"),
    ({"width": 21}, "has 260 bytes of data, which are not 1 × 21 points of 13 bytes"),
    ({"data": np.zeros(3, np.uint8)}, "has 3 bytes of data"),
]


@pytest.mark.parametrize(("changed", "sentence"), BAD)
def test_what_is_no_cloud_is_told_in_a_sentence(tmp_path, changed, sentence):
    points = some_points()
    for side in (0, 1):
        clouds = [[cloud(points)], [cloud(points, **changed)]]
        found, key = compared(tmp_path / str(side), clouds[side], clouds[1 - side])
        assert not found.all_match and sentence in told(found)
        assert key.judged.fields["data"].other_lengths == 1


def test_fields_that_overlap_make_no_cloud(tmp_path):
    b = cloud(some_points())
    b["fields"][1]["offset"] = 2
    found, _ = compared(tmp_path, [cloud(some_points())], [b])
    assert "no cloud: fields 'x' and 'y' of the point cloud overlap" in told(found)


def test_clouds_of_other_fields_are_told(tmp_path):
    points = some_points()
    wide = points.astype([("x", "<f8"), ("y", "<f4"), ("z", "<f4"), ("intensity", "u1")])
    rules = {"fields": {"ignore": True}, "point_step": {"ignore": True}}
    found, _ = compared(tmp_path, [cloud(points)], [cloud(wide)], tolerance=rules)
    assert not found.all_match
    assert "points of x float64, y float32" in told(found)


def test_why_the_points_differ_is_explained(tmp_path):
    clouds = [some_points(30, seed) for seed in range(20)]
    b = [cloud(moved(c, z=(slice(None), 0.25)), tick) for tick, c in enumerate(clouds)]
    a = [cloud(c, tick) for tick, c in enumerate(clouds)]
    _, key = compared(tmp_path, a, b, tolerance={"data": {"pair": "index"}})
    assert key.explained.diagnoses["data.z"].law == "offset"
    assert key.explained.diagnoses["data.z"].parameters["offset"] == pytest.approx(0.25, rel=1e-4)


def test_each_point_goes_to_the_nearest_and_the_closer_one_wins():
    a = np.array([[0.0, 0, 0], [1, 0, 0], [5, 0, 0]])
    b = np.array([[0.9, 0, 0], [0.4, 0, 0], [9, 0, 0]])
    rows_a, rows_b = nearest_pairs(a, b, 1.0)
    assert (rows_a.tolist(), rows_b.tolist()) == ([0, 1], [1, 0])
    rows_a, rows_b = nearest_pairs(a, b, math.inf)
    assert (rows_a.tolist(), rows_b.tolist()) == ([0, 1, 2], [1, 0, 2])


def test_many_points_at_one_place_are_paired_one_to_one():
    a, b = np.zeros((300, 3)), np.full((250, 3), 1e-9)
    rows_a, rows_b = nearest_pairs(a, b, 1.0)
    assert len(rows_a) == 250 and len(set(rows_a)) == len(set(rows_b)) == 250


def test_two_clouds_are_compared_as_messages_too():
    points = some_points()
    found = diffdiff(cloud(points), cloud(moved(points, z=(7, 0.5))), {"data.z": 0.1})
    assert [one.field for one in found.differences()] == ["data.z[7]"]


def test_a_tolerance_of_points_that_are_not_there_yet_is_no_spelling_mistake():
    fields = codec(CLOUD, definition(CLOUD)).fields()
    rules = Tolerances.parse(["data.z=0.1", "date.z=0.1", "header.stamp=1"])
    assert rules.unused({"/x": fields}, opened_in(fields)) == ["date.z"]
