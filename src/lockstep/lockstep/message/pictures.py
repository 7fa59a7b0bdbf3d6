"""Images, compressed images and occupancy grids as pixels, with the names of their pixels.

Formats: sensor_msgs/msg/Image, sensor_msgs/msg/CompressedImage with JPEG or PNG (ITU-T T.81, ISO
15948) or the header of compressed_depth_image_transport before a PNG, nav_msgs/msg/OccupancyGrid.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import BagError
from .images import IMAGE_FIELDS, pixels

Pixels = npt.NDArray[Any]
_COLOURS = {
    "rgb": ("red", "green", "blue", "alpha"),
    "bgr": ("blue", "green", "red", "alpha"),
}
_MAGIC = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG"}
_DEPTH_HEADER = struct.Struct("<iff")  # of compressed_depth_image_transport: format, A and B
_GRID = (
    "info.width",
    "info.height",
    "info.resolution",
    *(f"info.origin.position.{part}" for part in "xy"),
    *(f"info.origin.orientation.{part}" for part in "xyzw"),
    "data",
)


@dataclass(frozen=True)
class Picture:
    """Pixels (h, w) or (h, w, channels); `named` writes the index of one."""

    pixels: Pixels
    named: Callable[[tuple[int, ...]], str]


@dataclass(frozen=True)
class Format:
    """A kind of message that holds an image: its fields by path, of which the last are the data."""

    name: str
    columns: tuple[str, ...]
    data_type: str
    picture: Callable[[Mapping[str, Any]], Picture | None]
    """The image of a message's fields by path; None if it is none that can be decoded. Raises
    BagError for one that is broken."""


def picture_in(fields: Mapping[str, Any]) -> Picture | None:
    """The image in the fields of a message by name; None if it has none.

    Raises BagError for one that is broken.
    """
    form = format_of(fields)
    return form.picture(values_of(fields, form)) if form else None


def format_of(fields: Mapping[str, Any]) -> Format | None:
    """The format of a message with these fields by name, or None."""
    for form in FORMATS:
        if all(path.partition(".")[0] in fields for path in form.columns):
            try:
                values_of(fields, form)
            except AttributeError:
                continue
            return form
    return None


def values_of(fields: Mapping[str, Any], form: Format) -> dict[str, Any]:
    """The values of the columns of a format; raises AttributeError if one is not there."""
    found = {}
    for path in form.columns:
        name, *below = path.split(".")
        value = fields[name]
        for step in below:
            if isinstance(value, Mapping) and step not in value:
                raise AttributeError(path)
            value = value[step] if isinstance(value, Mapping) else getattr(value, step)
        found[path] = value
    return found


def _of_image(fields: Mapping[str, Any]) -> Picture | None:
    found = pixels(SimpleNamespace(**{name: fields[name] for name in IMAGE_FIELDS}))
    encoding = str(fields["encoding"])
    colours = _COLOURS.get(encoding[:3], ()) if encoding[3:4] in ("8", "1", "a") else ()
    return Picture(found, _by_row_and_column(colours))


def _of_compressed(fields: Mapping[str, Any]) -> Picture | None:
    data = np.asarray(fields["data"], np.uint8).tobytes()
    described = str(fields["format"])
    is_depth = "compressedDepth" in described
    encoded = data[_DEPTH_HEADER.size :] if is_depth else data
    kind = next((name for magic, name in _MAGIC.items() if encoded.startswith(magic)), None)
    if kind is None:
        return None
    found = _decoded(encoded, kind)
    if is_depth and described.startswith("32FC1"):
        _, a, b = _DEPTH_HEADER.unpack_from(data)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(found == 0, np.nan, a / (found.astype(np.float32) - b))
    return Picture(found, _by_row_and_column(_COLOURS["rgb"]))


def _decoded(data: bytes, kind: str) -> Pixels:
    """The pixels of a JPEG or PNG; raises BagError if it is broken or Pillow is missing."""
    try:
        from PIL import Image
    except ImportError as error:
        raise BagError(f"compressed images need Pillow ({error}); pip install pillow") from error
    try:
        with Image.open(io.BytesIO(data), formats=(kind,)) as image:
            is_plain = image.mode not in ("P", "CMYK", "YCbCr")
            return np.asarray(image if is_plain else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BagError(f"the {kind} is broken: {error}") from error


def _of_grid(fields: Mapping[str, Any]) -> Picture | None:
    width, height = int(fields["info.width"]), int(fields["info.height"])
    data = np.asarray(fields["data"])
    if data.size != width * height:
        raise BagError(
            f"the grid has {data.size} cells of data, which are not {height} × {width} cells"
        )
    x, y, z, w = (float(fields[f"info.origin.orientation.{part}"]) for part in "xyzw")
    yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    origin = [float(fields[f"info.origin.position.{part}"]) for part in "xy"]
    resolution = float(fields["info.resolution"])

    def named(index: tuple[int, ...]) -> str:
        row, column = index
        along, up = (column + 0.5) * resolution, (row + 0.5) * resolution
        at = (
            origin[0] + math.cos(yaw) * along - math.sin(yaw) * up,
            origin[1] + math.sin(yaw) * along + math.cos(yaw) * up,
        )
        return f"[row {row}, column {column}, at x {at[0]:.6g} y {at[1]:.6g}]"

    return Picture(data.reshape(height, width), named)


def _by_row_and_column(channels: tuple[str, ...]) -> Callable[[tuple[int, ...]], str]:
    def named(index: tuple[int, ...]) -> str:
        row, column, *channel = index
        if not channel:
            return f"[row {row}, column {column}]"
        at = channel[0]
        name = channels[at] if at < len(channels) else f"channel {at}"
        return f"[row {row}, column {column}, {name}]"

    return named


FORMATS = (
    Format("image", IMAGE_FIELDS, "uint8[]", _of_image),
    Format("compressed image", ("format", "data"), "uint8[]", _of_compressed),
    Format("grid", _GRID, "int8[]", _of_grid),
)
