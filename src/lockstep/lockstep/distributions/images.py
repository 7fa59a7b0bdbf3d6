"""Images: noise, gradients, checkerboards, and real ones with changes.

For sensor_msgs/msg/Image.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from ..errors import DistError
from ..message.drawn_columns import Columns, Drawn
from .fields import Field, Structure
from .random import Random
from .rule import PartRule, PartSource, Setting, required
from .texts import as_length
from .ticks import Ticks

Pixels = npt.NDArray[Any]
CHANNELS = {
    "mono8": 1,
    "mono16": 1,
    "rgb8": 3,
    "bgr8": 3,
    "rgba8": 4,
    "bgra8": 4,
    "8UC1": 1,
    "16UC1": 1,
}
"""Encodings of sensor_msgs/image_encodings.hpp that can be drawn."""
_PATHS = ("height", "width", "encoding", "is_bigendian", "step", "data")


class _Image(PartRule):
    """All fields of an Image but its header."""

    width: Any
    height: Any
    encoding: str

    def _checked(self) -> None:
        name = type(self).__name__
        for side in ("width", "height"):
            object.__setattr__(self, side, as_length(getattr(self, side), name))
            required(
                getattr(self, side).limits[1] <= 1 << 14,
                f"{side} of {name} is more than {1 << 14} pixels",
            )
        if self.encoding not in CHANNELS:
            raise DistError(
                f"encoding of {name} is {self.encoding!r}; use one of {', '.join(CHANNELS)}"
            )

    def paths(self, structure: Structure) -> list[str]:
        return list(_PATHS) if set(_PATHS) <= structure.fields.keys() else []

    @abstractmethod
    def pixels(self, random: Random, height: int, width: int, channels: int) -> Pixels:
        """The next image, (height, width, channels), from 0 up to but not including 1."""

    def part_source(self, structure: Structure, random: Random, setting: Setting) -> PartSource:
        sides = [
            getattr(self, side).source(
                Field(side, "length"), random.named(side), Setting(setting.at)
            )
            for side in ("height", "width")
        ]
        channels = CHANNELS[self.encoding]
        deep = "16" in self.encoding
        dtype = np.dtype("<u2" if deep else "u1")

        def images(heights: list[int], widths: list[int]) -> Iterator[Pixels]:
            for height, width in zip(heights, widths, strict=True):
                pixels = self.pixels(random, height, width, channels)
                yield np.floor(pixels * float(1 << 16 if deep else 1 << 8)).astype(dtype)

        def draw(ticks: Ticks) -> Columns:
            heights, widths = (side(ticks).values for side in sides)
            rows = [
                image.reshape(-1).view(np.uint8)
                for image in images(heights.tolist(), widths.tolist())
            ]
            step = widths * channels * dtype.itemsize
            encoding = np.empty(len(ticks), object)
            encoding[:] = self.encoding
            return {
                "height": Drawn(heights.astype(np.uint32)),
                "width": Drawn(widths.astype(np.uint32)),
                "encoding": Drawn(encoding),
                "is_bigendian": Drawn(np.zeros(len(ticks), np.uint8)),
                "step": Drawn(step.astype(np.uint32)),
                "data": Drawn(np.concatenate([np.empty(0, np.uint8), *rows]), step * heights),
            }

        return draw


@dataclass(frozen=True)
class ImageNoise(_Image):
    """Every pixel of its own; `width` and `height` are numbers, or rules that draw them."""

    width: Any = 64
    height: Any = 48
    encoding: str = "rgb8"

    def __post_init__(self) -> None:
        self._checked()

    def pixels(self, random: Random, height: int, width: int, channels: int) -> Pixels:
        return random.uniform(height * width * channels).reshape(height, width, channels)


@dataclass(frozen=True)
class ImageGradient(_Image):
    """From one random colour to another, in a random direction."""

    width: Any = 64
    height: Any = 48
    encoding: str = "rgb8"

    def __post_init__(self) -> None:
        self._checked()

    def pixels(self, random: Random, height: int, width: int, channels: int) -> Pixels:
        begin, end = random.uniform(channels), random.uniform(channels)
        across, down = (random.uniform(2) * 2 - 1).tolist()
        x = np.arange(width) / max(1, width - 1) - 0.5
        y = np.arange(height) / max(1, height - 1) - 0.5
        share = (across * x[None, :] + down * y[:, None])[:, :, None] / (
            abs(across) + abs(down) + 1e-9
        ) + 0.5
        found: Pixels = begin * (1 - share) + end * share
        return found


@dataclass(frozen=True)
class ImageCheckerboard(_Image):
    """Squares of two random colours, `square` pixels wide, each time at another place."""

    width: Any = 64
    height: Any = 48
    encoding: str = "rgb8"
    square: Any = 8

    def __post_init__(self) -> None:
        self._checked()
        object.__setattr__(self, "square", as_length(self.square, "ImageCheckerboard"))
        required(
            self.square.limits[0] >= 1, "square of ImageCheckerboard can be 0; give 1 pixel or more"
        )

    def pixels(self, random: Random, height: int, width: int, channels: int) -> Pixels:
        size = int(self.square.quantile(random.uniform(1))[0])
        left, top = random.integers(0, 2 * size - 1, 2).tolist()
        x, y = (np.arange(width) + left) // size, (np.arange(height) + top) // size
        odd = ((x[None, :] + y[:, None]) % 2)[:, :, None]
        found: Pixels = np.where(odd, random.uniform(channels), random.uniform(channels))
        return found


@dataclass(frozen=True)
class ImageFile(_Image):
    """A real image, changed at random: mirrored, cut out by a share of up to `crop`, brighter or
    darker by up to `brightness`, with more or less contrast by up to `contrast`, and with noise of
    standard deviation `noise`.

    All are shares of the whole range. The file is any that Pillow reads, in the size that is asked
    for.
    """

    file: str
    width: Any = 64
    height: Any = 48
    encoding: str = "rgb8"
    mirror: bool = True
    crop: float = 0.1
    brightness: float = 0.1
    contrast: float = 0.2
    noise: float = 0.02

    def __post_init__(self) -> None:
        self._checked()
        for name in ("crop", "brightness", "contrast", "noise"):
            share = getattr(self, name)
            required(
                0 <= share < 1, f"{name} of ImageFile is {share}; give a share from 0 to below 1"
            )
        _opened(os.fspath(self.file))

    def pixels(self, random: Random, height: int, width: int, channels: int) -> Pixels:
        from PIL import Image

        image = _opened(os.fspath(self.file))
        left, top, cut, mirrored, brighter, contrast = random.uniform(6).tolist()
        scale = 1 - self.crop * cut
        size = (image.width * scale, image.height * scale)
        corner = ((image.width - size[0]) * left, (image.height - size[1]) * top)
        box = (*corner, corner[0] + size[0], corner[1] + size[1])
        mode = {1: "L", 3: "RGB", 4: "RGBA"}[channels]
        if not width or not height:
            return np.zeros((height, width, channels))
        resized = image.convert(mode).resize((width, height), Image.Resampling.BILINEAR, box=box)
        pixels = np.asarray(resized, np.float64).reshape(height, width, channels) / 256
        if self.mirror and mirrored < 0.5:
            pixels = pixels[:, ::-1]
        if self.encoding.startswith("bgr"):
            pixels = pixels[:, :, [2, 1, 0, *range(3, channels)]]
        gain = 1 + self.contrast * (2 * contrast - 1)
        pixels = (pixels - 0.5) * gain + 0.5 + self.brightness * (2 * brighter - 1)
        if self.noise:
            pixels = pixels + self.noise * random.normal(pixels.size).reshape(pixels.shape)
        clipped: Pixels = np.clip(pixels, 0.0, 1.0 - 2.0**-20)
        return clipped


@cache
def _opened(file: str) -> Any:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(file) as image:
            image.load()
            return image
    except (OSError, UnidentifiedImageError) as error:
        raise DistError(f"{file} is no image that can be read ({error})") from error
