"""Places on earth in metres, vectors by length and direction, covariances by their norm."""

import math

import numpy as np
import pytest
from lockstep.compare import CompareError, Tolerance, compare, diffdiff
from lockstep.compare.kinds.place_on_earth import east_north_up, judge_places
from made_bags import write_messages

FIX = "float64 latitude\nfloat64 longitude\nfloat64 altitude\nfloat64[9] position_covariance\n"
MUNICH = {"latitude": 48.137, "longitude": 11.575, "altitude": 520.0}
VECTOR = f"pkg/Vector3 force\n{'=' * 80}\nMSG: pkg/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n"
ROUND = np.diag([1.0, 2.0, 3.0]).reshape(-1)


def compared(tmp_path, kind, a, b, **tolerance):
    sides = [
        write_messages(tmp_path / name, "pkg/msg/Odd", kind, [message], topic="/out")
        for name, message in (("a", a), ("b", b))
    ]
    found = compare(*sides, tolerance=tolerance)
    return found, found.keys["/out"].judged.fields, found.summary()


def fix(east=0.0, north=0.0, up=0.0, covariance=ROUND):
    """About so many metres away from Munich, by the radii of WGS 84 there."""
    latitude = MUNICH["latitude"] + math.degrees(north / 6370850.0)
    longitude = MUNICH["longitude"] + math.degrees(
        east / 6390012.0 / math.cos(math.radians(MUNICH["latitude"]))
    )
    place = {"latitude": latitude, "longitude": longitude, "altitude": 520.0 + up}
    return place | {"position_covariance": covariance}


def test_places_are_apart_in_metres(tmp_path):
    rule = {"*itude": {"distance": 0.5}}
    found, fields, told = compared(tmp_path, FIX, fix(), fix(3.0, 4.0), **rule)
    (place,) = [field for field in fields.values() if field.kind == "place on earth"]
    assert place.max_error == pytest.approx(5.0, rel=1e-3) and not found.all_match
    assert "m east, +" in told and "m north, " in told and "m up" in told
    assert compared(tmp_path / "2", FIX, fix(), fix(0.3, 0.3), **rule)[0].all_match


def test_east_north_and_up_are_those_of_the_ellipsoid():
    a = np.array([48.137, 11.575, 520.0])
    b = np.array([48.138, 11.577, 530.0])
    # 1e-3 degrees of latitude are 111.2 m there, 2e-3 of longitude 148.9 m.
    assert east_north_up(a, b) == pytest.approx([148.86, 111.21, 10.0], abs=0.05)
    line = np.array([[0.0, 179.9999, 0.0]]), np.array([[0.0, -179.9999, 0.0]])
    error, _ = judge_places(*line, Tolerance(distance=1.0))
    assert error[0] == pytest.approx(2e-4 * 111319.49, rel=1e-6)


def test_a_place_without_altitude_is_one():
    a = np.array([[48.0, 11.0, math.nan]])
    error, wrong = judge_places(a, a + np.array([0.0, 1e-5, 0.0]), Tolerance(distance=1.0))
    assert error[0] == pytest.approx(0.746, rel=1e-2) and not wrong[0]
    assert judge_places(a, np.array([[48.0, 11.0, 5.0]]), Tolerance(distance=1.0))[1][0]


@pytest.mark.parametrize(
    ("b", "rule", "passes"),
    [
        ((0.0, 2.05, 0.0), {"norm": 0.1}, True),
        ((0.0, 2.05, 0.0), {"norm": 0.1, "direction": 0.1}, False),
        ((2.0, 0.0, 0.1), {"direction": 0.06}, True),
        ((2.0, 0.0, 0.1), {"direction": 0.04}, False),
        ((2.2, 0.0, 0.0), {"direction": 0.01}, True),
        ((2.2, 0.0, 0.0), {"direction": 0.01, "norm": 0.1}, False),
    ],
)
def test_vectors_are_judged_by_length_and_direction(tmp_path, b, rule, passes):
    sides = [{"force": dict(zip("xyz", v, strict=True))} for v in ((2.0, 0.0, 0.0), b)]
    found, fields, told = compared(tmp_path, VECTOR, *sides, force=rule)
    assert found.all_match == passes and list(fields) == ["force"]
    assert diffdiff(*sides, {"force": rule}).all_match == passes
    if not passes:
        assert "longer, turned by" in told


def test_the_direction_of_next_to_nothing_does_not_matter(tmp_path):
    sides = [{"force": dict(zip("xyz", v, strict=True))} for v in ((1e-9, 0, 0), (0, 1e-9, 0))]
    rule = {"norm": 1e-6, "direction": 0.1}
    assert compared(tmp_path, VECTOR, *sides, force=rule)[0].all_match


def test_covariances_are_judged_by_their_relative_norm(tmp_path):
    other = ROUND.copy()
    other[0] += 0.1
    share = 0.1 / math.sqrt(14)
    for limit, passes in ((share * 1.01, True), (share * 0.99, False)):
        rule = {"position_covariance": {"frobenius": limit}}
        found, fields, _ = compared(
            tmp_path / str(limit), FIX, fix(), fix(covariance=other), **rule
        )
        assert found.all_match == passes
        assert fields["position_covariance"].max_error == pytest.approx(share)


@pytest.mark.parametrize(
    ("index", "value", "sentence"),
    [(1, 0.01, "not symmetric"), (0, -0.01, "not positive semidefinite")],
)
def test_what_is_no_covariance_is_told(tmp_path, index, value, sentence):
    a = np.diag([0.001, 2.0, 3.0]).reshape(-1)
    b = a.copy()
    b[index] = value
    rule = {"position_covariance": {"frobenius": 0.5}}
    found, _, told = compared(tmp_path, FIX, fix(covariance=a), fix(covariance=b), **rule)
    assert not found.all_match and sentence in told


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"latitude": {"frobenius": 0.1}}, "'latitude' is no covariance"),
        ({"latitude": {"norm": 0.1}}, "'latitude' is no part of a vector.*norm or direction"),
        ({"latitude": {"norm": -1.0}}, "norm of a tolerance is -1.0"),
        ({"latitude": {"norm": 0.1, "abs": 1.0}}, "give it only norm, direction and nan"),
    ],
)
def test_limits_that_make_no_sense_are_refused(tmp_path, rule, sentence):
    with pytest.raises(CompareError, match=sentence):
        compared(tmp_path, FIX, fix(), fix(), **rule)
