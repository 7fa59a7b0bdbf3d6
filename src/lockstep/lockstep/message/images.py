"""Images as pixels and point clouds as structured points, as views of the message.

Formats: sensor_msgs/msg/Image with the encodings of sensor_msgs/image_encodings.hpp, and
sensor_msgs/msg/PointCloud2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..errors import BagError

IMAGE_FIELDS = ("height", "width", "encoding", "is_bigendian", "step", "data")
"""The columns that `pixels` takes."""

_NAMED = {
    **{f"{name}{bits}": (f"u{bits // 8}", channels) for bits in (8, 16) for name, channels in (
        ("mono", 1), ("rgb", 3), ("bgr", 3), ("rgba", 4), ("bgra", 4),
        ("bayer_rggb", 1), ("bayer_bggr", 1), ("bayer_gbrg", 1), ("bayer_grbg", 1),
    )},
    **dict.fromkeys(("yuv422", "uyvy", "yuyv", "yuv422_yuy2"), ("u1", 2)),
}  # fmt: skip
_GENERIC = re.compile(r"(8|16|32|64)([USF])C(\d{0,3})")
_GENERIC_KINDS = {
    "U8": "u1",
    "S8": "i1",
    "U16": "u2",
    "S16": "i2",
    "S32": "i4",
    "F16": "f2",
    "F32": "f4",
    "F64": "f8",
}
PointFields: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Name, offset, datatype and count of each field of a cloud."""

_POINT_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}


def pixels(image: Any) -> npt.NDArray[Any]:
    """The pixels of a sensor_msgs/Image as (h, w), or (h, w, channels) if there is more than one.

    Never copied. YUV 4:2:2 has two channels: Y, and U and V by turns. Also takes the columns
    IMAGE_FIELDS of n images of one size and gives (n, h, w) or (n, h, w, channels). Raises BagError
    if the sizes do not agree or the encoding has no such form.
    """
    if isinstance(image, Mapping):
        return _pixels_of_all(image)
    data = _bytes(image, "data")
    found: npt.NDArray[Any] = _pixels(data[None], *_described(image))[0]
    return found


def points(cloud: Any) -> npt.NDArray[Any]:
    """The points of a sensor_msgs/PointCloud2 as (h * w,), with its fields by name.

    Copied only if rows are padded. Raises BagError if the sizes do not agree, or fields overlap.
    """
    data = _bytes(cloud, "data")
    try:
        fields = tuple((f.name, int(f.offset), int(f.datatype), int(f.count)) for f in cloud.fields)
        sizes = (cloud.height, cloud.width, cloud.point_step, cloud.row_step)
        return points_of(data, fields, *map(int, sizes), is_bigendian=bool(cloud.is_bigendian))
    except AttributeError as error:
        raise BagError(
            f"a {type(cloud).__name__} is no sensor_msgs/PointCloud2 ({error})"
        ) from error


def points_of(
    data: npt.NDArray[np.uint8],
    fields: PointFields,
    rows: int,
    columns: int,
    point: int,
    row: int,
    *,
    is_bigendian: bool,
) -> npt.NDArray[Any]:
    """The points that `data` holds, `point` bytes each in rows of `row` bytes; see `points`."""
    dtype = _point_type(fields, point, is_bigendian)
    if rows < 2:
        row = max(row, columns * point)
    if row < columns * point or not 0 <= rows * row - data.size <= row - columns * point:
        raise BagError(
            f"the point cloud has {data.size} bytes of data, "
            f"which are not {rows} × {columns} points of {point} bytes in rows of {row}"
        )
    if not rows * columns or not point:
        return np.empty(0, dtype)
    view: npt.NDArray[Any] = np.ndarray((rows, columns), dtype, data.data, 0, (row, point))
    return view.reshape(-1)


def _pixels_of_all(columns: Mapping[str, Any]) -> npt.NDArray[Any]:
    missing = [name for name in IMAGE_FIELDS if name not in columns]
    if missing:
        raise BagError(
            f"pixels need the columns {', '.join(IMAGE_FIELDS)}; {missing[0]} is missing"
        )
    data = columns["data"]
    if not len(data):
        raise BagError("there are no images, so it is unknown how large they are")
    others = IMAGE_FIELDS[:-1]
    if data.ndim != 2 or any((columns[name] != columns[name][0]).any() for name in others):
        raise BagError("the images differ in size or encoding; take them one by one")
    height, width, encoding, is_bigendian, step = (columns[name][0] for name in others)
    return _pixels(data, int(height), int(width), encoding, bool(is_bigendian), int(step))


def _described(image: Any) -> tuple[int, int, str, bool, int]:
    try:
        return (
            int(image.height),
            int(image.width),
            str(image.encoding),
            bool(image.is_bigendian),
            int(image.step),
        )
    except AttributeError as error:
        raise BagError(f"a {type(image).__name__} is no sensor_msgs/Image ({error})") from error


def _bytes(message: Any, name: str) -> npt.NDArray[np.uint8]:
    data = getattr(message, name, None)
    if data is None:
        raise BagError(
            f"a {type(message).__name__} has no '{name}' and so is no image or point cloud"
        )
    try:
        found = data if isinstance(data, np.ndarray) else np.asarray(memoryview(data))
    except TypeError:  # it is no buffer
        found = np.empty(0)
    if found.dtype != np.uint8 or found.ndim != 1:
        raise BagError(f"'{name}' of a {type(message).__name__} is not an array of bytes")
    return np.ascontiguousarray(found)


def _pixels(
    data: npt.NDArray[np.uint8],
    height: int,
    width: int,
    encoding: str,
    is_bigendian: bool,
    step: int,
) -> npt.NDArray[Any]:
    """`data` (n, bytes) as pixels (n, h, w) or (n, h, w, channels)."""
    kind, channels = _encoding(encoding)
    dtype = np.dtype((">" if is_bigendian else "<") + kind)
    row = width * channels * dtype.itemsize
    size = data.shape[1]
    # The padding of the last row may be left out.
    if row > step or not 0 <= height * step - size <= step - row:
        raise BagError(
            f"the image has {size} bytes of data, "
            f"which are not {height} × {width} pixels of {encoding} ({row} bytes) in rows of {step}"
        )
    pixel = channels * dtype.itemsize
    view: npt.NDArray[Any]
    if not height * width:
        view = np.empty((len(data), height, width, channels), dtype)
    else:
        view = np.lib.stride_tricks.as_strided(
            data,
            (len(data), height, width, channels, dtype.itemsize),
            (data.strides[0], step, pixel, dtype.itemsize, 1),
            writeable=data.flags.writeable,
        ).view(dtype)[..., 0]
    return view[..., 0] if channels == 1 else view


def _encoding(encoding: str) -> tuple[str, int]:
    """The dtype, without byte order, and the number of channels."""
    if encoding in _NAMED:
        return _NAMED[encoding]
    match = _GENERIC.fullmatch(encoding)
    channels = int(match[3] or 1) if match else 0
    if not match or not channels or f"{match[2]}{match[1]}" not in _GENERIC_KINDS:
        raise BagError(f"images of encoding '{encoding}' cannot be taken as an array of pixels")
    return _GENERIC_KINDS[f"{match[2]}{match[1]}"], channels


@lru_cache(maxsize=256)
def _point_type(fields: PointFields, point_step: int, is_bigendian: bool) -> np.dtype[Any]:
    order = ">" if is_bigendian else "<"
    names, formats, offsets, ends = [], [], [], []
    for name, offset, datatype, count in fields:
        kind = _POINT_TYPES.get(datatype)
        if kind is None:
            raise BagError(f"field '{name}' of the point cloud has the unknown datatype {datatype}")
        one = np.dtype(order + kind)
        end = offset + one.itemsize * max(count, 1)
        if end > point_step:
            raise BagError(
                f"field '{name}' of the point cloud ends beyond its points of {point_step} bytes"
            )
        names.append(name)
        formats.append(one if count <= 1 else np.dtype((one, (count,))))
        offsets.append(offset)
        ends.append(end)
    if len(set(names)) < len(names):
        raise BagError(f"the point cloud has fields of one name: {', '.join(names)}")
    in_order = sorted(range(len(names)), key=lambda at: offsets[at])
    for before, after in pairwise(in_order):
        if ends[before] > offsets[after]:
            raise BagError(
                f"fields '{names[before]}' and '{names[after]}' of the point cloud overlap"
            )
    return np.dtype(
        {"names": names, "formats": formats, "offsets": offsets, "itemsize": point_step}
    )
