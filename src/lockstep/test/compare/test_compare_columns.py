import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lockstep.bag import Bag
from lockstep.cdr.codec import Codec
from lockstep.compare import CompareError, Tolerance, Tolerances, compare
from lockstep.compare.kinds.numbers_apart import judge_numbers, ulps
from lockstep.compare.kinds.rotation import judge_quaternions
from lockstep.compare.values import deviations
from made_bags import MIXED, plain_mixed, write_messages

CODEC = Codec("pkg/msg/Mixed", MIXED)
NAN = float("nan")

reals = st.sampled_from([0.0, -0.0, 1.0, 1.0 + 1e-9, 1.1, -1.0, NAN, float("inf"), 3.15, -3.15])
times = st.fixed_dictionaries({"sec": st.integers(0, 2), "nanosec": st.sampled_from([0, 1, 10**8])})
points = st.fixed_dictionaries({"x": reals, "inner": st.lists(reals, max_size=2)})
messages = st.fixed_dictionaries(
    {
        "x": reals,
        "small": reals,
        "count": st.sampled_from([0, 1, 2**63 - 1, -(2**63)]),
        "level": st.sampled_from([0, 1, 255]),
        "on": st.booleans(),
        "name": st.sampled_from(["", "a", "b"]),
        "ranges": st.lists(reals, max_size=3),
        "pair": st.lists(reals, min_size=2, max_size=2),
        "few": st.lists(st.integers(-2, 2), max_size=3),
        "words": st.lists(st.sampled_from(["", "a"]), max_size=2),
        "points": st.lists(points, max_size=2),
        "orientation": st.fixed_dictionaries({name: reals for name in "xyzw"}),
        "stamp": times,
        "age": times,
    }
)
tolerances = st.builds(
    Tolerance,
    abs=st.sampled_from([0.0, 1e-8, 0.15, 1e30]),
    rel=st.sampled_from([0.0, 0.2]),
    ulp=st.sampled_from([0, 5_000_000]),
    angle=st.booleans(),
    unordered=st.booleans(),
    text=st.sampled_from([None, "a*"]),
    nan=st.booleans(),
    ignore=st.sampled_from([False, False, False, True]),
)
rules = st.dictionaries(
    st.sampled_from(["*", "x", "ranges", "points[].inner", "words", "stamp", "pair", "name"]),
    tolerances,
    max_size=3,
)
rotations = st.dictionaries(
    st.just("orientation"), st.builds(Tolerance, quaternion=st.sampled_from([0.0, 0.5]))
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(messages, messages, st.booleans()), min_size=1, max_size=6),
    rules,
    rotations,
    st.sampled_from([100, 1 << 20]),
)
def test_columns_and_single_messages_come_to_the_same_verdict(
    tmp_path_factory, both, rules, rotations, chunk_bytes
):
    folder = tmp_path_factory.mktemp("bags")
    written_a = [a for a, _, _ in both]
    written_b = [a if same else b for a, b, same in both]
    a, b = write(folder / "a", written_a), write(folder / "b", written_b, chunk_bytes=chunk_bytes)
    wanted = Tolerances({**rules, **rotations})
    kinds = CODEC.fields()
    try:
        key = compare(a, b, align="tick", tolerance=wanted).keys["/x"]
    except CompareError as error:  # two arrays of one length, each in any order
        assert "have one length" in str(error)
        return
    wrong = []
    for tick, (left, right) in enumerate(zip(written_a, written_b, strict=True)):
        sides = [CODEC.decode(CODEC.encode(message)) for message in (left, right)]
        if CODEC.encode(left) == CODEC.encode(right):
            continue  # equal bytes are equal, also NaN
        if any(not d.passes for d in deviations(*sides, wanted, kinds=kinds)):
            wrong.append(tick)
    assert [difference.tick_a for difference in key.judged.kept] == wrong
    assert key.judged.differing == len(wrong)
    assert key.matches == (not wrong)
    firsts = [f.first_tick for f in key.judged.fields.values() if f.first_tick is not None]
    assert min(firsts, default=None) == (wrong[0] if wrong else None)


def write(path, messages, **options):
    return Bag(write_messages(path, "pkg/msg/Mixed", MIXED, messages, period_ns=10, **options))


def series(tmp_path, name, values, **others):
    return write(tmp_path / name, [plain_mixed(**others, x=value) for value in values])


def test_each_field_has_its_own_numbers(tmp_path):
    a = series(tmp_path, "a", [0.0, 1.0, 2.0, 3.0])
    b = series(tmp_path, "b", [0.0, 1.5, 2.0, 2.0], ranges=[1.0])
    key = compare(a, b, align="tick").keys["/x"]
    x = key.judged.fields["x"]
    assert (x.unequal, x.wrong, x.wrong_ticks, x.first_tick, x.max_tick) == (2, 2, 2, 1, 3)
    assert (x.max_error, x.mean_error) == (1.0, 1.5 / 4)
    assert x.rmse == pytest.approx(np.sqrt(1.25 / 4))
    assert key.judged.fields["ranges"].other_lengths == 4
    assert key.judged.fields["count"].matches and not key.judged.fields["x"].matches


@pytest.mark.parametrize(
    ("rule", "matches"),
    [
        ({"abs": 0.3, "by": "mean"}, True),
        ({"abs": 0.2, "by": "mean"}, False),
        ({"abs": 0.51, "by": "rmse"}, True),
        ({"abs": 0.49, "by": "rmse"}, False),
        ({"abs": 0.1, "by": "quantile", "quantile": 0.75}, True),
        ({"abs": 0.1, "by": "quantile", "quantile": 0.76}, False),
        ({"abs": 0.1, "by": "cosine"}, True),
        ({"abs": 0.001, "by": "cosine"}, False),
    ],
)
def test_statistics_over_all_messages_can_be_judged(tmp_path, rule, matches):
    a = series(tmp_path, "a", [1.0, 2.0, 3.0, 4.0])
    b = series(tmp_path, "b", [1.0, 2.0, 3.0, 5.0])
    key = compare(a, b, tolerance=Tolerances({"x": Tolerance(**rule)})).keys["/x"]
    assert (key.matches, key.judged.differing, key.judged.equal_bytes) == (matches, 0, 3)


def test_an_angle_wraps_and_a_float_may_be_some_numbers_off():
    turn = 2 * np.pi
    error, wrong = judge_numbers(
        np.array([3.1, 0.0]), np.array([-3.1, turn]), Tolerance(abs=0.1, angle=True)
    )
    assert error == pytest.approx([turn - 6.2, 0.0], abs=1e-9)
    assert not wrong.any()
    one, after = np.float32([1.0]), np.nextafter(np.float32([1.0]), np.float32(2))
    assert ulps(one, after).tolist() == [1.0]
    assert not judge_numbers(one, after, Tolerance(ulp=1))[1].any()
    assert judge_numbers(one.astype(float), after.astype(float), Tolerance(ulp=1))[1].all()


def test_integers_of_64_bits_do_not_wrap_around():
    least, most = np.int64([-(2**63)]), np.int64([2**63 - 1])
    assert judge_numbers(least, most, Tolerance())[0].tolist() == [float(2**64)]
    assert judge_numbers(np.uint64([0]), np.uint64([2**64 - 1]), Tolerance(abs=10))[1].all()


def test_a_quaternion_and_its_negative_are_one_rotation():
    q = np.array([[0.1, 0.2, 0.3, 0.9]])
    error, wrong = judge_quaternions(q, -2 * q, Tolerance(quaternion=1e-12))
    assert (error.tolist(), wrong.tolist()) == ([0.0], [False])
    half = np.array([[0.0, 0.0, np.sin(5e-10), np.cos(5e-10)]])
    error, _ = judge_quaternions(np.array([[0.0, 0.0, 0.0, 1.0]]), half, Tolerance())
    assert error == pytest.approx([1e-9], rel=1e-6)
    nothing = judge_quaternions(q, 0 * q, Tolerance(quaternion=10))
    assert nothing[1].all()


def test_a_rotation_of_a_field_that_is_no_quaternion_is_refused(tmp_path):
    a = series(tmp_path, "a", [1.0])
    with pytest.raises(CompareError, match="'x' is no part of a quaternion"):
        compare(a, a, tolerance=Tolerances({"x": Tolerance(quaternion=0.1)}))


def test_large_messages_are_compared_one_by_one(tmp_path):
    def image(path, last):
        ends = [0, last, 0]
        messages = [{"data": bytes(200_000) + bytes([end])} for end in ends]
        return Bag(write_messages(path, "pkg/msg/Bytes", "uint8[] data", messages))

    key = compare(image(tmp_path / "a", 0), image(tmp_path / "b", 9)).keys["/x"]
    assert (key.judged.equal_bytes, key.judged.differing, key.judged.first.tick_a) == (2, 1, 1)
    assert (key.judged.fields["data"].wrong, key.judged.fields["data"].max_error) == (1, 9.0)
    assert key.judged.first.fields[0].field == "data[200000]"


def test_a_rule_below_an_array_that_is_ignored_holds_and_is_told(tmp_path):
    a = series(tmp_path, "a", [1.0])
    b = series(tmp_path, "b", [1.0], points=[{"x": 2.0, "inner": []}])
    comparison = compare(a, b, tolerance={"*": {"ignore": True}, "points[].x": 0})
    key = comparison.keys["/x"]
    assert [deviation.field for deviation in key.judged.first.fields] == ["points"]
    assert "points is 1 elements, expected 0 elements" in comparison.summary()
