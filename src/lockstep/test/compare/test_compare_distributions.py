import math

import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import Codec
from lockstep.compare import CompareError, Tolerance, compare
from lockstep.report.files import write_plots
from lockstep.report.unaligned import means_of

DEFINITION = "float64 range\nuint8[4] pixels\nstring name\nfloat32[] echoes\nstring encoding\n"
CODEC = Codec("pkg/msg/Scene", DEFINITION)
QUIET = np.array([100, 100, 100, 100])


def scene(path, seed, count=400, shift=0.0, spread=0.01, pixels=QUIET, encoding="rgb8"):
    rng = np.random.default_rng(seed)
    with BagWriter(path) as writer:
        writer.add_topic("/scene", "pkg/msg/Scene", DEFINITION)
        for tick in range(count):
            message = {
                "range": 2 + shift + rng.normal(0, spread),
                "pixels": np.clip(pixels + rng.normal(0, 3, 4), 0, 255).astype(np.uint8),
                "name": f"frame {tick}",
                "echoes": rng.normal(0, 1, rng.integers(0, 3)),
                "encoding": encoding,
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
    assert set(key.judged.distributions) == {
        "range", "pixels", "name", "echoes", "encoding"
    }  # fmt: skip
    assert "400 against 300 messages, 0 of 5 fields differ" in comparison.summary()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"shift": 0.01}, "range"),
        ({"spread": 0.03}, "range"),
        ({"pixels": np.array([100, 100, 101, 100])}, "pixels"),
        ({"encoding": "bgr8"}, "encoding"),
    ],
)
def test_what_differs_is_told(tmp_path, change, field):
    comparison = compare(scene(tmp_path / "a", 1), scene(tmp_path / "b", 2, **change), align="none")
    wrong = [f for f in comparison.keys["/scene"].judged.distributions.values() if not f.matches]
    assert [found.field for found in wrong] == [field]
    assert comparison.grade == "wrong values"
    told = {"encoding": "'bgr8' in 400 of 400 against 0 of 400"}.get(field, "mean ")
    assert f"{field}: {told}" in comparison.summary()


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


IMAGE = "string encoding\nuint32 height\nuint8[] data\n"
RANGES = "float32[] ranges\n"
CARD = np.random.default_rng(0).integers(20, 236, (6, 8, 3)).repeat(4, 0).repeat(4, 1)


def static(path, definition, messages):
    codec = Codec("pkg/msg/Static", definition)
    with BagWriter(path) as writer:
        writer.add_topic("/static", "pkg/msg/Static", definition)
        for tick, message in enumerate(messages):
            writer.write("/static", codec.encode(message), tick)
    return path


def pictures(path, seed, change=lambda image: image, count=30, flicker=0.5):
    """A colour card before a camera with noise in each pixel and in the light."""
    rng = np.random.default_rng(seed)
    images = [
        change(CARD + rng.normal(0, 2, CARD.shape) + rng.normal(0, flicker)).round().clip(0, 255)
        for _ in range(count)
    ]
    rows = [
        {"encoding": "rgb8", "height": len(image), "data": image.astype(np.uint8).ravel()}
        for image in images
    ]
    return static(path, IMAGE, rows)


def scans(path, seed, change=lambda ranges: ranges, count=30):
    """Rays into a room: some return nothing, always or at times."""
    rng = np.random.default_rng(seed)
    rows = []
    for _ in range(count):
        ranges = np.linspace(1, 8, 200) + rng.normal(0, 0.01, 200)
        ranges[150:], ranges[50:60][rng.random(10) < 0.3] = np.inf, np.inf
        rows.append({"ranges": change(ranges).astype(np.float32)})
    return static(path, RANGES, rows)


@pytest.mark.parametrize("scene_of", [pictures, scans])
def test_static_scenes_with_the_noise_of_sensors_are_rarely_told_apart(tmp_path, scene_of):
    reds = 0
    for seed in range(10):
        a, b = (scene_of(tmp_path / f"{side}{seed}", seed + 100 * side) for side in (0, 1))
        reds += not compare(a, b, align="none").all_match
    assert reds <= 1


def zeroed(image):
    return np.concatenate([image[:5], np.zeros_like(image[5:6]), image[6:]])


@pytest.mark.parametrize(
    ("scene_of", "change", "field"),
    [
        (pictures, lambda image: image[..., ::-1], "data"),
        (pictures, lambda image: image + 2, "data"),
        (pictures, lambda image: image * 1.03, "data"),
        (pictures, lambda image: np.roll(image, 1, axis=0), "data"),
        (pictures, zeroed, "data"),
        (pictures, lambda image: image[:-2], "height"),
        (scans, lambda ranges: ranges + 0.01, "ranges"),
        (scans, lambda ranges: ranges * 1.01, "ranges"),
        (scans, lambda ranges: ranges[:-1], "ranges"),
        (scans, lambda ranges: np.where(np.isinf(ranges), np.nan, ranges), "ranges"),
    ],
    ids=["bgr", "offset", "gain", "one row lower", "a row is black", "rows dropped",
         "1 cm further", "1 % further", "a ray less", "NaN for no return"],
)  # fmt: skip
def test_what_another_driver_does_wrong_is_told(tmp_path, scene_of, change, field):
    a, b = scene_of(tmp_path / "a", 1), scene_of(tmp_path / "b", 2, change)
    (key,) = compare(a, b, align="none").keys.values()
    assert not key.judged.distributions[field].matches


def numbers(path, values):
    return static(path, "float64 x\n", [{"x": value} for value in values])


def test_drift_that_a_recording_is_too_short_for_is_no_difference(tmp_path):
    """Noise of which neighbours are alike, as of a gyroscope: its mean says less."""
    reds = 0
    for seed in range(20):
        sides = []
        for side in "ab":
            noise = np.random.default_rng([seed, ord(side)]).normal(0, 1, 400)
            for tick in range(1, 400):
                noise[tick] = 0.9 * noise[tick - 1] + noise[tick] * (1 - 0.9**2) ** 0.5
            sides.append(numbers(tmp_path / f"{side}{seed}", noise))
        reds += not compare(*sides, align="none").all_match
    assert reds <= 2


def test_small_noise_far_from_zero_is_seen(tmp_path):
    rng = np.random.default_rng(1)
    a = numbers(tmp_path / "a", 47.123456789 + rng.normal(0, 1e-9, 50))
    b = numbers(tmp_path / "b", 47.123456789 + rng.normal(0, 1e-9, 50))
    c = numbers(tmp_path / "c", 47.123456789 + 1.5e-9 + rng.normal(0, 1e-9, 50))
    assert compare(a, b, align="none").all_match
    assert not compare(a, c, align="none").all_match


def test_what_never_changes_must_be_equal_however_few_messages_there_are(tmp_path):
    a, b = numbers(tmp_path / "a", [480.0]), numbers(tmp_path / "b", [480.0, 480.0])
    assert compare(a, b, align="none").all_match
    assert not compare(a, numbers(tmp_path / "c", [470.0]), align="none").all_match


def test_too_few_messages_of_a_noisy_field_are_no_match(tmp_path):
    a, b = numbers(tmp_path / "a", [1.0, 1.1, 0.9]), numbers(tmp_path / "b", [1.05, 1.0, 0.95])
    comparison = compare(a, b, align="none")
    assert not comparison.all_match
    assert "3 messages are too few to tell a difference from noise" in comparison.summary()
    assert compare(a, b, align="none", tolerance={"x": 0.1}).all_match


def test_how_large_a_difference_is_is_told_in_standard_deviations(tmp_path):
    a, b = scene(tmp_path / "a", 1), scene(tmp_path / "b", 2, shift=0.03, spread=0.01)
    comparison = compare(a, b, align="none")
    found = comparison.keys["/scene"].judged.distributions["range"]
    assert found.effect == pytest.approx(3.0, rel=0.05) and found.size == "large"
    assert "effect 3.1 standard deviations (large)" in comparison.summary()
    assert math.isnan(comparison.keys["/scene"].judged.distributions["name"].effect)
    assert sum(found.histogram.counts[0]) == sum(found.histogram.counts[1]) == 400


def test_the_effect_of_an_array_is_that_of_its_elements(tmp_path):
    bright = scene(tmp_path / "b", 2, pixels=QUIET + 3)
    pixels = compare(scene(tmp_path / "a", 1), bright, align="none").keys["/scene"]
    # Noise of 3 in each pixel, cut off to whole numbers.
    assert pixels.judged.distributions["pixels"].effect == pytest.approx(1.0, rel=0.1)


def test_an_effect_may_be_so_small_however_surely_it_can_be_told(tmp_path):
    a, b = scene(tmp_path / "a", 1, count=4000), scene(tmp_path / "b", 2, shift=0.0015, count=4000)
    assert not compare(a, b, align="none").all_match
    assert compare(a, b, align="none", tolerance={"range": {"effect": 0.2}}).all_match
    assert not compare(a, b, align="none", tolerance={"range": {"effect": 0.1}}).all_match


def test_an_effect_is_no_tolerance_of_messages_in_pairs(tmp_path):
    a, b = scene(tmp_path / "a", 1), scene(tmp_path / "b", 2)
    with pytest.raises(CompareError, match="judges distributions, and /scene is compared message"):
        compare(a, b, align="tick", tolerance={"range": {"effect": 0.2}})


def test_what_was_not_aligned_is_drawn_by_its_distributions(tmp_path):
    pytest.importorskip("matplotlib")
    a = scene(tmp_path / "a", 1)
    b = scene(tmp_path / "b", 2, shift=0.05, pixels=np.array([100, 100, 104, 100]))
    files = write_plots(compare(a, b, align="none"), (a, b), tmp_path / "plots").files
    assert [file.name for file in files] == [
        "scene.fields.png", "scene.range.png", "scene.pixels.png", "scene.pixels.means.png"
    ]  # fmt: skip
    means = [means_of(bag, "/scene", "pixels").values for bag in (a, b)]
    assert means[1] - means[0] == pytest.approx([0, 0, 4, 0], abs=0.7)
