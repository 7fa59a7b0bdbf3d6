"""Compressed images and grids compared as the pixels and cells that they are."""

import io
import struct

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import CompareError, compare, diffdiff
from lockstep.compare.text_diff import text_diff
from lockstep.message.definitions import definition
from lockstep.message.pictures import picture_in
from lockstep.report.files import write_plots
from lockstep.report.html import write_html
from made_bags import write_messages
from PIL import Image

COMPRESSED, GRID = "sensor_msgs/msg/CompressedImage", "nav_msgs/msg/OccupancyGrid"
HEADER = {"stamp": {"sec": 1, "nanosec": 0}, "frame_id": "camera"}
TURNED = {"x": 0.0, "y": 0.0, "z": np.sqrt(0.5), "w": np.sqrt(0.5)}


def encoded(pixels, form="PNG", **how):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form, **how)
    return np.frombuffer(file.getvalue(), np.uint8)


def compressed(pixels, form="PNG", **how):
    kind = "rgb8; png compressed" if form == "PNG" else "rgb8; jpeg compressed bgr8"
    return {"header": HEADER, "format": kind, "data": encoded(pixels, form, **how)}


def grid(cells, turn=None):
    origin = {
        "position": {"x": -1.0, "y": 2.0, "z": 0.0},
        "orientation": turn or {"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0},
    }
    info = {
        "map_load_time": HEADER["stamp"],
        "resolution": 0.5,
        "width": cells.shape[1],
        "height": cells.shape[0],
        "origin": origin,
    }
    return {"header": HEADER, "info": info, "data": cells.reshape(-1)}


def colours(seed=0, shape=(24, 32, 3)):
    rows, columns, channel = np.indices(shape)
    return ((5 * rows + 3 * columns + 40 * channel + seed) % 200).astype(np.uint8)


def compared(tmp_path, kind, a, b, **tolerance):
    for name, message in (("a", a), ("b", b)):
        write_messages(tmp_path / name, kind, definition(kind), [message], topic="/out")
    bags = Bag(tmp_path / "a"), Bag(tmp_path / "b")
    found = compare(*bags, tolerance=tolerance)
    key = found.keys["/out"]
    return found, key, "\n".join([found.summary(), *text_diff(found, key)]), bags


def test_compressed_images_of_equal_pixels_are_equal(tmp_path):
    a, b = compressed(colours(), compress_level=0), compressed(colours(), compress_level=9)
    assert a["data"].size != b["data"].size
    found, _, _, _ = compared(tmp_path, COMPRESSED, a, b)
    assert found.all_match and diffdiff(a, b).all_match


def test_a_pixel_of_a_compressed_image_is_told_by_row_column_and_channel(tmp_path):
    pixels = colours()
    pixels[7, 11, 1] += 5
    a, b = compressed(colours()), compressed(pixels)
    _, key, told, _ = compared(tmp_path, COMPRESSED, a, b)
    assert (key.judged.fields["data"].wrong, key.judged.fields["data"].max_error) == (1, 5)
    was, now = colours()[7, 11, 1], pixels[7, 11, 1]
    assert f"data[row 7, column 11, green] is {now}, expected {was}" in told
    assert compared(tmp_path / "2", COMPRESSED, a, b, data={"abs": 5})[0].all_match


def test_jpegs_are_judged_by_psnr(tmp_path):
    a, b = compressed(colours(), "JPEG", quality=95), compressed(colours(), "JPEG", quality=30)
    rule = {"by": "psnr", "at_least": 25.0}
    found, key, _, _ = compared(tmp_path, COMPRESSED, a, b, data=rule)
    one, other = (
        np.asarray(Image.open(io.BytesIO(x["data"].tobytes()))).astype(float) for x in (a, b)
    )
    expected = 10 * np.log10(255**2 / np.square(other - one).mean())
    assert key.judged.fields["data"].judged == pytest.approx(expected)
    assert found.all_match == (expected >= 25.0)


def test_a_broken_jpeg_is_told(tmp_path):
    whole = compressed(colours(), "JPEG")
    broken = whole | {"data": whole["data"][:-100]}
    found, key, told, _ = compared(tmp_path, COMPRESSED, whole, broken)
    assert not found.all_match and key.judged.fields["data"].other_lengths == 1
    assert "-data: 24 × 32 × 3 uint8" in told
    assert "+data: no image: the JPEG is broken: " in told
    with pytest.raises(CompareError, match="cannot be judged: the JPEG is broken"):
        compared(tmp_path / "2", COMPRESSED, broken, whole, data={"by": "psnr", "at_least": 40.0})


def test_what_is_neither_jpeg_nor_png_is_compared_by_its_bytes(tmp_path):
    a = {"header": HEADER, "format": "h264", "data": np.arange(50, dtype=np.uint8)}
    b = a | {"data": a["data"] + np.uint8(1)}
    _, key, told, _ = compared(tmp_path, COMPRESSED, a, b)
    assert key.judged.fields["data"].wrong == 50 and "+data[0]: 1 (50 of 50 elements)" in told
    with pytest.raises(CompareError, match="'h264' is neither a JPEG nor a PNG"):
        compared(tmp_path / "2", COMPRESSED, a, b, data={"by": "psnr", "at_least": 40.0})


def test_compressed_depth_is_in_metres():
    raw = np.array([[0, 1000], [2000, 4000]], np.uint16)
    header = np.frombuffer(struct.pack("<iff", 0, 2000.0, -100.0), np.uint8)
    data = np.concatenate([header, encoded(raw)])
    found = picture_in({"format": "32FC1; compressedDepth png", "data": data})
    assert np.allclose(
        found.pixels, [[np.nan, 2000 / 1100], [2000 / 2100, 2000 / 4100]], equal_nan=True
    )
    found = picture_in({"format": "16UC1; compressedDepth", "data": data})
    assert found.pixels.dtype == np.uint16 and np.array_equal(found.pixels, raw)


@pytest.mark.parametrize(("turn", "at"), [(None, "x 0.25 y 3.25"), (TURNED, "x -2.25 y 3.25")])
def test_a_cell_of_a_grid_is_told_by_its_place_in_the_world(tmp_path, turn, at):
    cells = np.zeros((6, 4), np.int8)
    other = cells.copy()
    other[2, 2] = 100
    _, key, told, _ = compared(tmp_path, GRID, grid(cells, turn), grid(other, turn))
    assert key.judged.fields["data"].wrong == 1
    assert f"data[row 2, column 2, at {at}] is 100, expected 0" in told


def test_a_grid_that_is_short_is_told(tmp_path):
    cells = np.zeros((6, 4), np.int8)
    short = grid(cells) | {"data": cells.reshape(-1)[:20]}
    found, _, told, _ = compared(tmp_path, GRID, grid(cells), short)
    assert not found.all_match
    assert "no image: the grid has 20 cells of data, which are not 6 × 4 cells" in told


@pytest.mark.parametrize("kind", [COMPRESSED, GRID])
def test_what_differs_is_shown_as_an_image(tmp_path, kind):
    if kind == GRID:
        cells = np.zeros((20, 30), np.int8)
        other = cells.copy()
        other[3:5, 7] = 100
        a, b = grid(cells), grid(other)
    else:
        pixels = colours()
        pixels[3:5, 7] += 50
        a, b = compressed(colours()), compressed(pixels)
    found, _, _, bags = compared(tmp_path, kind, a, b)
    assert tmp_path / "plots" / "out.png" in write_plots(found, bags, tmp_path / "plots").files
    write_html(tmp_path / "report.html", {"b": found}, {"b": bags})
    text = (tmp_path / "report.html").read_text()
    assert "2 of " in text and "data:image/png;base64," in text
