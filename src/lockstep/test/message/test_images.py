from array import array
from types import SimpleNamespace

import numpy as np
import pytest
from lockstep.bag import Bag, BagError
from lockstep.message.images import IMAGE_FIELDS, pixels, points

KINDS = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}


def image(values, encoding, padding=0, data=None, **changed):
    """A sensor_msgs/Image of an array (h, w) or (h, w, channels)."""
    values = np.asarray(values)
    rows = values.reshape(len(values), -1).view(np.uint8)
    if data is None:
        data = np.pad(rows, ((0, 0), (0, padding)), constant_values=77).reshape(-1)
    made = SimpleNamespace(
        height=values.shape[0],
        width=values.shape[1],
        encoding=encoding,
        is_bigendian=int(values.dtype.byteorder == ">"),
        step=rows.shape[1] + padding,
        data=data,
    )
    vars(made).update(changed)
    return made


def cloud(values, rows=1, padding=0, **changed):
    """A sensor_msgs/PointCloud2 of a structured array (n,)."""
    data = values.view(np.uint8).reshape(rows, len(values) // rows * values.itemsize)
    fields = [
        SimpleNamespace(
            name=name,
            offset=offset,
            datatype=KINDS[kind.base.str[1:]],
            count=int(np.prod(kind.shape)),
        )
        for name, (kind, offset) in values.dtype.fields.items()
    ]
    made = SimpleNamespace(
        height=rows,
        width=len(values) // rows,
        fields=fields,
        is_bigendian=any(kind.base.byteorder == ">" for kind, _ in values.dtype.fields.values()),
        point_step=values.dtype.itemsize,
        row_step=data.shape[1] + padding,
        data=np.pad(data, ((0, 0), (0, padding))).reshape(-1),
    )
    vars(made).update(changed)
    return made


def refusal(read, what):
    with pytest.raises(BagError) as caught:
        read(what)
    assert "\n" not in str(caught.value)
    return str(caught.value)


# Images


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("padding", [0, 1, 8])
@pytest.mark.parametrize(
    ("encoding", "kind", "channels"),
    [
        ("mono8", "u1", 1),
        ("mono16", "u2", 1),
        ("rgb8", "u1", 3),
        ("bgr16", "u2", 3),
        ("bgra8", "u1", 4),
        ("rgba16", "u2", 4),
        ("bayer_rggb8", "u1", 1),
        ("bayer_grbg16", "u2", 1),
        ("yuv422_yuy2", "u1", 2),
        ("8UC1", "u1", 1),
        ("8UC", "u1", 1),
        ("8SC3", "i1", 3),
        ("16UC1", "u2", 1),
        ("16SC2", "i2", 2),
        ("32SC1", "i4", 1),
        ("32FC1", "f4", 1),
        ("64FC12", "f8", 12),
    ],
)
def test_an_image_is_seen_as_its_pixels(order, padding, encoding, kind, channels):
    values = np.arange(5 * 4 * channels).reshape(5, 4, channels).astype(order + kind)
    values = values[..., 0].copy() if channels == 1 else values
    made = image(values, encoding, padding, is_bigendian=order == ">")
    found = pixels(made)
    assert found.shape == values.shape
    assert found.dtype == values.dtype
    assert np.array_equal(found, values)
    assert np.shares_memory(found, made.data)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda data: array("B", data)])
def test_the_bytes_of_an_image_may_be_any_buffer(kind):
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    data = kind(values.tobytes())
    found = pixels(image(values, "mono8", data=data))
    assert np.array_equal(found, values)
    assert np.shares_memory(found, np.frombuffer(data, np.uint8))


def test_bytes_that_do_not_lie_in_a_row_are_copied():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(pixels(image(values, "mono8", data=values.repeat(2)[::2])), values)


def test_pixels_can_be_written_only_where_the_image_can():
    values = np.zeros((2, 2), np.uint8)
    made = image(values, "mono8")
    pixels(made)[1, 1] = 5
    assert made.data[3] == 5
    made.data.flags.writeable = False
    assert not pixels(made).flags.writeable


def test_the_padding_of_the_last_row_may_be_left_out():
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    made = image(values, "mono8", padding=4)
    made.data = made.data[:-4]
    assert np.array_equal(pixels(made), values)


def test_nan_and_infinite_pixels_stay():
    values = np.array([[np.nan, np.inf, -0.0]], np.float32)
    assert pixels(image(values, "32FC1")).tobytes() == values.tobytes()


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
@pytest.mark.parametrize("encoding", ["mono8", "rgb8"])
def test_an_image_may_be_empty(shape, encoding):
    made = image(np.empty((1, 1), np.uint8), encoding, data=b"", step=shape[1] * 3 * bool(shape[0]))
    made.height, made.width = shape
    if not shape[0]:
        made.step = 15
    assert pixels(made).shape[:2] == shape


def test_columns_of_images_are_seen_as_a_stack():
    values = np.arange(24, dtype=">u2").reshape(2, 3, 4)
    made = [image(one, "16UC1", padding=2) for one in values]
    columns = {name: np.array([getattr(one, name) for one in made]) for name in IMAGE_FIELDS}
    columns["encoding"] = columns["encoding"].astype(object)
    found = pixels(columns)
    assert np.array_equal(found, values)
    assert np.shares_memory(found, columns["data"])


def test_images_of_a_real_bag_are_seen_without_a_copy(bags):
    shapes = {}
    with Bag(bags / "spot_raw_stills") as bag:
        for message in bag.messages():
            decoded = bag.codec(message.topic).decode(message.data)
            found = pixels(decoded)
            shapes[message.topic] = found.shape, found.dtype.str
            assert np.shares_memory(found, np.frombuffer(message.data, np.uint8))
            assert found.tobytes() == decoded.data.tobytes()
            columns = bag.columns(message.topic, IMAGE_FIELDS)
            stack = pixels(columns)
            assert np.shares_memory(stack, columns["data"])
            assert np.array_equal(stack[0], found)
    assert shapes == {
        "/spot/depth/frontleft/image": ((240, 424), "<u2"),
        "/spot/camera/hand_mono/image": ((171, 224), "|u1"),
        "/spot/camera/frontleft/image": ((480, 640), "|u1"),
        "/spot/camera/hand_color/image": ((480, 640, 3), "|u1"),
    }


GREY = np.zeros((3, 4), np.uint8)


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (image(GREY, "mono8", data=bytes(11)), "has 11 bytes of data, which are not 3 × 4 pixels"),
        (image(GREY, "mono8", data=bytes(13)), "has 13 bytes of data"),
        (image(GREY, "mono8", data=b""), "has 0 bytes of data"),
        (image(GREY, "rgb8"), "pixels of rgb8 (12 bytes) in rows of 4"),
        (image(GREY, "mono8", step=3), "in rows of 3"),
        (image(GREY, "mono8", height=2**32 - 1), "has 12 bytes of data"),
        (image(GREY, "mono8", width=2**32 - 1, step=2**32 - 1), "has 12 bytes of data"),
        (image(GREY, "jpeg"), "encoding 'jpeg' cannot be taken"),
        (image(GREY, ""), "encoding '' cannot be taken"),
        (image(GREY, "8UC0"), "encoding '8UC0' cannot be taken"),
        (image(GREY, "8FC1"), "encoding '8FC1' cannot be taken"),
        (image(GREY, "64UC1"), "encoding '64UC1' cannot be taken"),
        (image(GREY, "MONO8"), "encoding 'MONO8' cannot be taken"),
        (image(GREY, "nv21"), "encoding 'nv21' cannot be taken"),
        (
            image(GREY, "mono8", data=[0] * 12),
            "'data' of a SimpleNamespace is not an array of bytes",
        ),
        (image(GREY, "mono8", data=GREY), "'data' of a SimpleNamespace is not an array of bytes"),
        (image(GREY, "mono8", data=np.zeros(12)), "is not an array of bytes"),
        (image(GREY, "mono8", data=array("d", [0])), "is not an array of bytes"),
        (SimpleNamespace(data=b""), "is no sensor_msgs/Image"),
        (SimpleNamespace(ranges=[]), "has no 'data' and so is no image"),
        (None, "has no 'data' and so is no image"),
    ],
)
def test_what_has_no_pixels_is_refused_in_a_sentence(made, sentence):
    assert sentence in refusal(pixels, made)


def columns_of(*made):
    return {
        name: np.array([getattr(one, name) for one in made], object) for name in IMAGE_FIELDS
    } | {"data": np.stack([one.data for one in made])}


@pytest.mark.parametrize("name", IMAGE_FIELDS)
def test_a_missing_column_of_images_is_named(name):
    columns = columns_of(image(GREY, "mono8"))
    del columns[name]
    assert f"; {name} is missing" in refusal(pixels, columns)


@pytest.mark.parametrize(
    "other",
    [
        image(GREY, "8UC1"),
        image(GREY.reshape(4, 3), "mono8"),
        image(GREY, "mono8", is_bigendian=1),
    ],
)
def test_images_that_differ_are_no_stack(other):
    columns = columns_of(image(GREY, "mono8"), other)
    assert "differ in size or encoding; take them one by one" in refusal(pixels, columns)


def test_images_with_data_of_different_sizes_are_no_stack():
    columns = columns_of(image(GREY, "mono8"))
    columns["data"] = np.array([np.zeros(12, np.uint8), None], object)
    assert "differ in size" in refusal(pixels, columns)


def test_no_images_have_no_pixels():
    columns = {name: np.empty((0, 0) if name == "data" else 0) for name in IMAGE_FIELDS}
    assert "there are no images" in refusal(pixels, columns)


# Point clouds

XYZI = np.dtype(
    {
        "names": ["x", "y", "z", "intensity"],
        "formats": ["<f4", "<f4", "<f4", "u1"],
        "offsets": [0, 4, 8, 16],
        "itemsize": 20,
    }
)


def some_points(count, dtype=XYZI):
    values = np.zeros(count, dtype)
    for number, name in enumerate(dtype.names, 1):
        values[name] = (np.arange(values[name].size) * number).reshape(values[name].shape)
    return values


def test_a_cloud_is_seen_as_its_points():
    values = some_points(6)
    values["x"][2] = np.nan
    made = cloud(values)
    found = points(made)
    assert found.dtype == XYZI
    assert found.tobytes() == values.tobytes()
    assert np.shares_memory(found, made.data)


def test_an_organised_cloud_is_seen_row_by_row():
    values = some_points(6)
    made = cloud(values, rows=2)
    assert np.array_equal(points(made), values)
    assert np.shares_memory(points(made), made.data)


def test_padding_of_rows_is_left_out():
    values = some_points(6)
    made = cloud(values, rows=3, padding=7)
    assert np.array_equal(points(made), values)
    made.data = made.data[:-7]
    assert np.array_equal(points(made), values)


@pytest.mark.parametrize("order", "<>")
def test_points_have_numbers_of_every_type_and_byte_order(order):
    dtype = np.dtype([(kind, f"{order}{kind}") for kind in KINDS])
    values = some_points(4, dtype)
    assert np.array_equal(points(cloud(values, is_bigendian=order == ">")), values)


def test_a_field_may_have_many_numbers():
    values = some_points(3, np.dtype([("x", "<f4"), ("histogram", "<u2", (33,))]))
    found = points(cloud(values))
    assert found["histogram"].shape == (3, 33)
    assert np.array_equal(found, values)


def test_a_count_of_0_is_taken_as_1():
    values = some_points(3, np.dtype([("x", "<f4")]))
    made = cloud(values)
    made.fields[0].count = 0
    assert np.array_equal(points(made), values)


def test_the_row_step_of_a_single_row_does_not_matter():
    values = some_points(6)
    assert np.array_equal(points(cloud(values, row_step=0)), values)


def test_a_cloud_may_be_empty():
    found = points(cloud(some_points(0), data=b"", row_step=0))
    assert (found.shape, found.dtype) == ((0,), XYZI)


def test_points_of_a_real_bag_are_seen_without_a_copy(bags):
    with Bag(bags / "sick_scan_cloud_radar") as bag:
        for message in bag.messages(["/cloud", "/cloud_radar_track", "/cloud_radar_rawtarget"]):
            decoded = bag.codec(message.topic).decode(message.data)
            found = points(decoded)
            assert len(found) == decoded.height * decoded.width
            assert list(found.dtype.names) == [field.name for field in decoded.fields]
            assert found.tobytes() == decoded.data.tobytes()
            assert np.shares_memory(found, np.frombuffer(message.data, np.uint8)) or not len(found)


POINTS = some_points(6)


def changed(**values):
    made = cloud(POINTS)
    for name, value in values.items():
        setattr(made.fields[1], name, value)
    return made


@pytest.mark.parametrize(
    ("made", "sentence"),
    [
        (cloud(POINTS, data=bytes(119)), "has 119 bytes of data, which are not 1 × 6 points"),
        (cloud(POINTS, data=bytes(121)), "has 121 bytes of data"),
        (cloud(POINTS, width=7), "has 120 bytes of data"),
        (cloud(POINTS, width=2**32 - 1), "has 120 bytes of data"),
        (cloud(POINTS, height=2**32 - 1), "has 120 bytes of data"),
        (cloud(POINTS, height=2, row_step=30), "in rows of 30"),
        (changed(datatype=0), "field 'y' of the point cloud has the unknown datatype 0"),
        (changed(datatype=9), "unknown datatype 9"),
        (changed(offset=17), "field 'y' of the point cloud ends beyond its points of 20 bytes"),
        (changed(count=5), "ends beyond its points"),
        (changed(count=2**32 - 1), "ends beyond its points"),
        (changed(name="x"), "has fields of one name: x, x, z, intensity"),
        (cloud(POINTS, data=[0] * 120), "'data' of a SimpleNamespace is not an array of bytes"),
        (cloud(POINTS, data=None), "has no 'data' and so is no image or point cloud"),
        (image(GREY, "mono8"), "is no sensor_msgs/PointCloud2"),
        (SimpleNamespace(data=b""), "is no sensor_msgs/PointCloud2"),
    ],
)
def test_what_has_no_points_is_refused_in_a_sentence(made, sentence):
    assert sentence in refusal(points, made)
