import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import Codec
from lockstep.compare import Tolerance, compare

DEFINITION = "float64 range\nuint8[4] pixels\nstring name\nfloat32[] echoes\n"
CODEC = Codec("pkg/msg/Scene", DEFINITION)
QUIET = np.array([100, 100, 100, 100])


def scene(path, seed, count=400, shift=0.0, spread=0.01, pixels=QUIET):
    rng = np.random.default_rng(seed)
    with BagWriter(path) as writer:
        writer.add_topic("/scene", "pkg/msg/Scene", DEFINITION)
        for tick in range(count):
            message = {
                "range": 2 + shift + rng.normal(0, spread),
                "pixels": np.clip(pixels + rng.normal(0, 3, 4), 0, 255).astype(np.uint8),
                "name": f"frame {tick}",
                "echoes": rng.normal(0, 1, rng.integers(0, 3)),
            }
            writer.write(
                "/scene", CODEC.encode(message), int(rng.integers(0, 10**9)) + tick * 10**9
            )
    return Bag(path)


def test_two_recordings_of_one_scene_are_alike(tmp_path):
    comparison = compare(
        scene(tmp_path / "a", 1), scene(tmp_path / "b", 2, count=300), align="none"
    )
    assert comparison.all_match
    assert comparison.grade == "within tolerance"
    key = comparison.keys["/scene"]
    assert set(key.judged.distributions) == {"range", "pixels", "echoes"}
    assert "400 against 300 messages, 0 of 3 fields differ" in comparison.summary()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shift": 0.01}, "range"),
        ({"spread": 0.03}, "range"),
        ({"pixels": np.array([100, 100, 101, 100])}, "pixels"),
    ],
)
def test_what_differs_is_told(tmp_path, change, field):
    comparison = compare(scene(tmp_path / "a", 1), scene(tmp_path / "b", 2, **change), align="none")
    wrong = [f for f in comparison.keys["/scene"].judged.distributions.values() if not f.matches]
    assert [found.field for found in wrong] == [field]
    assert comparison.grade == "wrong values"
    assert f"{field}: mean" in comparison.summary()


def test_one_pixel_that_is_off_is_found_among_all(tmp_path):
    bright = scene(tmp_path / "b", 2, pixels=np.array([100, 100, 102, 100]))
    key = compare(scene(tmp_path / "a", 1), bright, align="none").keys["/scene"]
    pixels = key.judged.distributions["pixels"]
    assert (pixels.matches, pixels.element) == (False, 2)
    assert pixels.element_shift > 5


def test_a_tolerance_holds_for_the_distance_of_the_distributions(tmp_path):
    a, b = scene(tmp_path / "a", 1), scene(tmp_path / "b", 2, shift=0.05)
    assert compare(a, b, align="none", tolerance={"range": 0.06}).all_match
    assert not compare(a, b, align="none", tolerance={"range": 0.04}).all_match
    assert compare(a, b, align="none", tolerance={"range": Tolerance(ignore=True)}).all_match


def test_equal_scenes_are_rarely_told_apart(tmp_path):
    a = scene(tmp_path / "a", 1, count=100)
    others = [scene(tmp_path / f"b{seed}", seed, count=100) for seed in range(2, 32)]
    assert sum(not compare(a, b, align="none").all_match for b in others) <= 2


def test_nothing_is_not_like_something(tmp_path):
    comparison = compare(
        scene(tmp_path / "a", 1), scene(tmp_path / "b", 2, count=0), align="none", names=("a", "b")
    )
    assert comparison.keys["/scene"].problem == "no messages in b"
