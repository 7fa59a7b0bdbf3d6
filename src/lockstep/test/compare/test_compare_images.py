"""PSNR and SSIM as tolerances, on real sensor_msgs/Image messages. Expected
values are those of scikit-image 0.26.
"""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.cdr.codec import Codec
from lockstep.compare import CompareError, Tolerance, Tolerances, compare, diffdiff
from lockstep.compare.likeness import likeness
from lockstep.compare.live.online import OnlineComparison, OnlineOptions
from lockstep.compare.result import comparison_as_data
from lockstep.compare.text_diff import text_diff
from lockstep.errors import UsageError
from lockstep.message.definitions import definition
from lockstep.report.html import write_html
from lockstep.verify.model import load
from made_bags import write_messages

IMAGE = "sensor_msgs/msg/Image"
CODEC = Codec(IMAGE, definition(IMAGE))
PSNR, SSIM = Tolerance(by="psnr", at_least=40.0), Tolerance(by="ssim", at_least=0.99)
ENCODINGS = {("u1", 1): "mono8", ("u1", 3): "rgb8", ("u2", 1): "mono16", ("f4", 1): "32FC1"}
TOPIC = "/camera/image"


def pictures(kind, height, width, *channels):
    """A picture (h, w) or (h, w, channels), and the same with errors from -5 to 5 of 200."""
    rows, columns, channel = np.indices((height, width, *(channels or (1,))))
    a = (rows * rows + 3 * columns + 40 * channel) % 200 + 20
    b = a + (7 * rows + 13 * columns + channel) % 11 - 5
    scale = {"u1": 1, "u2": 256, "f4": 0.125}[kind]
    a, b = ((scale * side).astype(kind) for side in (a, b))
    return (a, b) if channels else (a[..., 0], b[..., 0])


def fields(values, tick=0, padding=0, **changed):
    rows = np.ascontiguousarray(values).reshape(len(values), -1).view(np.uint8)
    channels = values.shape[2] if values.ndim == 3 else 1
    return {
        "header": {"stamp": {"sec": tick, "nanosec": 0}, "frame_id": "camera"},
        "height": values.shape[0],
        "width": values.shape[1],
        "encoding": ENCODINGS[values.dtype.str[1:], channels],
        "is_bigendian": int(values.dtype.byteorder == ">"),
        "step": rows.shape[1] + padding,
        "data": np.pad(rows, ((0, 0), (0, padding)), constant_values=77).reshape(-1),
        **changed,
    }


def write(folder, images, topic=TOPIC, kind=IMAGE):
    path = write_messages(folder, kind, definition(kind), images, topic=topic, period_ns=10**9)
    return Bag(path)


def both(tmp_path, images_a, images_b):
    return write(tmp_path / "a", images_a), write(tmp_path / "b", images_b)


def data_of(comparison):
    return comparison.keys[TOPIC].judged.fields["data"]


@pytest.mark.parametrize(
    ("shape", "psnr", "ssim"),
    [
        (("u1", 40, 50), 38.12950092062683, 0.99693643761459),
        (("u1", 40, 50, 3), 38.1293562016272, 0.9973096546043388),
        (("u2", 600, 33), 38.164666769068, 0.9954436101334364),
        (("f4", 40, 50), 35.975758840141864, 0.99687069424104),
    ],
)
def test_the_numbers_are_those_of_scikit_image(shape, psnr, ssim):
    a, b = pictures(*shape)
    assert likeness(a, b, PSNR) == pytest.approx(psnr, rel=1e-9)
    assert likeness(a, b, SSIM) == pytest.approx(ssim, rel=1e-9)
    assert likeness(a.astype(a.dtype.newbyteorder(">")), b, SSIM) == likeness(a, b, SSIM)


def test_equal_images_are_as_alike_as_can_be():
    a, _ = pictures("u1", 3, 3)
    assert (likeness(a, a, PSNR), likeness(a, a, SSIM)) == (math.inf, 1.0)


def test_the_range_of_pixels_can_be_given():
    a, b = pictures("u2", 20, 20)
    twice = Tolerance(by="psnr", at_least=1, data_range=2 * 65535)
    assert likeness(a, b, twice) - likeness(a, b, PSNR) == pytest.approx(20 * math.log10(2))


@pytest.mark.parametrize("rule", [PSNR, SSIM])
def test_gaps_of_depth_images_are_equal_and_one_of_one_side_is_unlike_all(rule):
    a, b = pictures("f4", 20, 20)
    a[3, 4] = b[3, 4] = np.nan
    a[5, 6] = b[5, 6] = np.inf
    assert math.isfinite(likeness(a, b, rule))
    strict = Tolerance(by=rule.by, at_least=0.5, nan=False)
    assert likeness(a, b, strict) == -math.inf
    b[5, 6] = 1.0
    assert likeness(a, b, rule) == -math.inf


def test_the_worst_image_is_judged_and_told_with_its_tick_everywhere(tmp_path):
    a, noisy = pictures("u1", 40, 50, 3)
    slightly = a.copy()
    slightly[0, 0, 0] += 1
    of_b = [slightly if tick == 2 else noisy if tick == 6 else a for tick in range(10)]
    bags = both(tmp_path, [fields(a)] * 10, [fields(image) for image in of_b])
    comparison = compare(*bags, align="tick", tolerance={"data": PSNR})
    key, found = comparison.keys[TOPIC], data_of(comparison)
    assert (key.grade, key.judged.differing, key.judged.first.tick_a) == ("wrong values", 1, 6)
    assert (found.judged, found.judged_tick, found.wrong_ticks) == (
        pytest.approx(38.1293562016272),
        6,
        1,
    )
    told = "PSNR is 38.1294 dB at tick 6, the worst image, 1 wrong, tolerance PSNR ≥ 40 dB"
    assert f"data: {told}" in comparison.summary()
    assert "data is PSNR 38.1294 dB, expected PSNR ≥ 40 dB" in comparison.summary()
    diff = list(text_diff(comparison, key))
    assert f"@@ data: {told} @@" in diff
    assert diff[diff.index("@@ tick 6, t = 6.000000000 s @@") + 1 :][:2] == [
        "-data: PSNR ≥ 40 dB",
        "+data: PSNR 38.1294 dB",
    ]
    data = comparison_as_data(comparison)["keys"][TOPIC]["fields"]["data"]
    assert (data["judged"], data["judged_tick"]) == (pytest.approx(38.1293562016272), 6)
    assert (data["match"], data["max_error"], data["wrong_ticks"]) == (False, 5.0, 1)
    write_html(tmp_path / "report.html", {"b": comparison}, {"b": bags}, title="b")
    assert "PSNR 38.1294 dB at tick 6" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("by", "at_least", "shown"), [("psnr", 38.0, "38.1295 dB"), ("ssim", 0.99, "0.996936")]
)
def test_a_match_within_tolerance_tells_the_value_too(tmp_path, by, at_least, shown):
    a, b = pictures("u1", 40, 50)
    bags = both(tmp_path, [fields(a)] * 3, [fields(a), fields(b), fields(a)])
    comparison = compare(*bags, align="tick", tolerance={"data": {"by": by, "at_least": at_least}})
    assert comparison.grade == "within tolerance"
    assert f"data: {by.upper()} is {shown} at tick 1, the worst image" in comparison.summary()


def test_sizes_and_encodings_are_read_from_each_message(tmp_path):
    shapes = [("u1", 40, 50), ("u1", 40, 50, 3), ("u2", 60, 33), ("f4", 40, 50)]
    of_a, of_b = ([fields(pictures(*shape)[side]) for shape in shapes] for side in (0, 1))
    comparison = compare(*both(tmp_path, of_a, of_b), align="tick", tolerance={"data": PSNR})
    assert (data_of(comparison).judged_tick, data_of(comparison).wrong_ticks) == (3, 4)
    assert data_of(comparison).judged == pytest.approx(35.975758840141864)


def test_the_padding_of_rows_and_the_byte_order_are_no_pixels(tmp_path):
    a, _ = pictures("u2", 20, 20)
    other = fields(a.astype(">u2"), padding=6)
    ignore = {name: {"ignore": True} for name in ("step", "is_bigendian")}
    for rule in (PSNR, SSIM):
        folder = tmp_path / rule.by
        comparison = compare(
            *both(folder, [fields(a)], [other]), align="tick", tolerance={"data": rule, **ignore}
        )
        assert (comparison.all_match, data_of(comparison).unequal) == (True, 0)


def test_an_image_of_another_size_or_that_is_none_is_wrong(tmp_path):
    a, _ = pictures("u1", 20, 30)
    ignored = {name: {"ignore": True} for name in ("height", "width", "step", "encoding")}
    turned = fields(a.reshape(30, 20))  # as many bytes
    broken = fields(a, encoding="nv21")
    bags = both(tmp_path, [fields(a)] * 3, [fields(a), turned, broken])
    comparison = compare(*bags, align="tick", tolerance={"data": PSNR, **ignored})
    key = comparison.keys[TOPIC]
    assert (key.grade, key.judged.differing, data_of(comparison).other_lengths) == (
        "wrong values",
        2,
        2,
    )
    assert "data: 2 images of another size, 2 wrong" in comparison.summary()
    assert [(d.fields[0].a, d.fields[0].b[:12]) for d in key.judged.kept] == [
        ("20 × 30 uint8", "30 × 20 uint8"[:12]),
        ("20 × 30 uint8", "no image: im"),
    ]


def test_the_largest_difference_and_the_share_of_wrong_values_are_tolerances_of_images_too(
    tmp_path,
):
    a, _ = pictures("u1", 20, 50)
    b = a.copy()
    b[3, :10] += 5  # 1 % of all
    bags = both(tmp_path, [fields(a)], [fields(b)])
    for rule, match in (
        ({"abs": 5}, True),
        ({"abs": 4.5}, False),
        ({"abs": 1, "by": "quantile", "quantile": 0.99}, True),
        ({"abs": 1, "by": "quantile", "quantile": 0.991}, False),
    ):
        assert compare(*bags, align="tick", tolerance={"data": rule}).all_match == match


@pytest.mark.parametrize(
    ("kind", "step", "tight", "wide"),
    [("u2", 1, 0.5, 1), (">u2", 1, 0.5, 1), ("f4", 0.25, 0.2, 0.3)],
)
def test_limits_are_of_pixels_and_not_of_their_bytes(tmp_path, kind, step, tight, wide):
    a = np.full((8, 9), 255, kind)
    b = a.copy()
    b[3, 4] += step  # 256: another byte, and 255 less in this one
    bags = both(tmp_path, [fields(a, padding=3)], [fields(b)])
    step_may_differ = {"step": {"ignore": True}}
    comparison = compare(*bags, align="tick", tolerance={"data": wide, **step_may_differ})
    found = data_of(comparison)
    assert (comparison.grade, found.compared, found.max_error) == ("within tolerance", 72, step)
    comparison = compare(*bags, align="tick", tolerance={"data": tight, **step_may_differ})
    key, found = comparison.keys[TOPIC], data_of(comparison)
    assert (key.grade, found.wrong) == ("wrong values", 1)
    assert [(d.field, d.error) for d in key.judged.first.fields] == [
        ("data[row 3, column 4]", step)
    ]
    for quantile, match in ((71 / 72, True), (0.999, False)):
        rule = {"abs": tight, "by": "quantile", "quantile": quantile}
        of_data = compare(*bags, align="tick", tolerance={"data": rule, **step_may_differ})
        assert of_data.all_match == match


def test_the_bytes_of_what_has_no_pixels_are_compared(tmp_path):
    a, _ = pictures("u1", 8, 9)
    images = [fields(a, encoding="nv21"), fields(a + np.uint8(2), encoding="nv21")]
    bags = both(tmp_path, images[:1], images[1:])
    assert not compare(*bags, align="tick", tolerance={"data": 1}).all_match
    assert compare(*bags, align="tick", tolerance={"data": 2}).all_match


@pytest.mark.parametrize("pattern", ["height", "*"])
def test_what_is_no_image_is_refused_in_one_sentence(tmp_path, pattern):
    a, b = pictures("u1", 20, 20)
    bags = both(tmp_path, [fields(a)], [fields(b)])
    with pytest.raises(CompareError, match=r"^'.*' is no image; by: psnr and by: ssim are for"):
        compare(*bags, tolerance={pattern: PSNR})
    with pytest.raises(CompareError, match="is no image"):
        diffdiff(fields(a), fields(b), {pattern: PSNR})


def test_texts_are_no_images(tmp_path):
    bag = write(tmp_path / "a", [{"data": "a"}], kind="std_msgs/msg/String")
    with pytest.raises(CompareError, match="CompressedImage with JPEG or PNG, or nav_msgs"):
        compare(bag, bag, tolerance={"data": SSIM})


@pytest.mark.parametrize(
    ("image", "other", "rule", "sentence"),
    [
        (
            (6, 9),
            {},
            SSIM,
            "image 0 of /camera/image cannot be judged: SSIM needs images of at least 7 × 7",
        ),
        ((9, 9), {"encoding": "nv21"}, PSNR, "images of encoding 'nv21' cannot be taken"),
        ((9, 9), {"step": 5}, PSNR, "the image has 81 bytes of data, which are not 9 × 9 pixels"),
    ],
)
def test_images_that_cannot_be_judged_are_refused(tmp_path, image, other, rule, sentence):
    a, b = pictures("u1", *image)
    bags = both(tmp_path, [fields(a, **other)], [fields(b, **other)])
    with pytest.raises(CompareError, match=sentence):
        compare(*bags, align="tick", tolerance={"data": rule})


def test_a_flat_depth_image_has_no_range_unless_it_is_given(tmp_path):
    flat = np.full((9, 9), 2.0, "f4")
    bags = both(tmp_path, [fields(flat)], [fields(flat + np.float32(0.1))])
    with pytest.raises(CompareError, match="give the range of pixels as data_range"):
        compare(*bags, align="tick", tolerance={"data": PSNR})
    rule = Tolerance(by="psnr", at_least=39, data_range=10)
    comparison = compare(*bags, align="tick", tolerance={"data": rule})
    assert (comparison.all_match, str(rule)) == (True, "PSNR ≥ 39 dB of range 10")
    assert data_of(comparison).judged == pytest.approx(40, abs=1e-4)


def test_distributions_have_no_pairs_of_images(tmp_path):
    a, b = pictures("u1", 20, 20)
    with pytest.raises(CompareError, match="compares images in pairs; align: none has none"):
        compare(*both(tmp_path, [fields(a)], [fields(b)]), align="none", tolerance={"data": PSNR})


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"by": "psnr"}, "needs at_least, the smallest PSNR that passes, in dB"),
        (
            {"by": "ssim", "at_least": 40},
            "needs at_least, the smallest SSIM that passes, at most 1",
        ),
        ({"by": "psnr", "at_least": math.inf}, "needs at_least"),
        ({"at_least": 40}, "need by: psnr or by: ssim"),
        ({"by": "psnr", "at_least": 40, "abs": 1}, "give it only at_least, data_range and nan"),
        ({"by": "psnr", "at_least": 40, "data_range": 0}, "give more than 0"),
    ],
)
def test_limits_that_make_no_sense_are_refused(tmp_path, rule, sentence):
    with pytest.raises(CompareError, match=sentence):
        diffdiff(1, 1, {"data": rule})
    text = ",".join(f"{name}:{value}" for name, value in rule.items())
    with pytest.raises(CompareError, match=sentence):
        Tolerances.parse([f"data={text}"])
    if math.inf not in rule.values():
        with pytest.raises(UsageError):
            load(verification(tmp_path, rule))


def verification(tmp_path, rule):
    text = ", ".join(f"{name}: {value}" for name, value in rule.items())
    path = tmp_path / "verify.yaml"
    path.write_text(
        "implementations: {python: {component: 'my_pkg:MyNode'}}\nreference: python\n"
        f"inputs: {{bag: a, topics: {{image: /image}}}}\ncompare: {{tolerance: "
        f"{{data: {{{text}}}}}}}\n"
    )
    return path


def test_the_command_line_and_verify_yaml_say_the_same(tmp_path):
    rule = Tolerance(by="ssim", at_least=0.99, data_range=10.0)
    parsed = Tolerances.parse(["data=by:ssim,at_least:0.99,data_range:10"])
    loaded = load(verification(tmp_path, {"by": "ssim", "at_least": 0.99, "data_range": 10}))
    assert parsed.by_pattern == loaded.compare.tolerances().by_pattern == {"data": rule}


def test_two_messages_or_arrays_are_judged_as_images():
    a, b = pictures("u1", 40, 50)
    found = diffdiff(fields(a), SimpleNamespace(**fields(b)).__dict__, {"data": PSNR})
    assert [(d.field, d.b) for d in found.differences()] == [("data", "PSNR 38.1295 dB")]
    assert diffdiff(a, b, SSIM).all_match and not diffdiff(a, b, PSNR).all_match
    assert not diffdiff(a, a[:20], SSIM).all_match
    with pytest.raises(CompareError, match="is no image"):
        diffdiff(1.0, 1.0, PSNR)


def test_live_topics_are_judged_as_images_too():
    a, b = pictures("u1", 40, 50)
    online = OnlineComparison(
        TOPIC, CODEC, Tolerances({"data": PSNR}), OnlineOptions(align="tick", from_start=True)
    )
    for tick in range(3):
        online.take(0, CODEC.encode(fields(a)), tick, tick)
        online.take(1, CODEC.encode(fields(b if tick == 1 else a)), tick, tick)
    online.finish()
    key = online.result()
    assert (key.judged.differing, key.judged.fields["data"].judged_tick, key.grade) == (
        1,
        1,
        "wrong values",
    )


def test_an_image_with_an_impossible_step_is_told_on_both_sides(tmp_path):
    a = fields(np.zeros((4, 6), np.uint8)) | {"step": 2**31}
    b = a | {"data": np.ones(24, np.uint8)}
    found = compare(*(write(tmp_path / n, [m]) for n, m in (("a", a), ("b", b))))
    told = found.summary()
    assert "data[0] is 1 (24 of 24 elements), bytes of no image: the image has 24 bytes" in told
    assert "which are not 4 × 6 pixels of mono8 (6 bytes) in rows of 2147483648" in told
