"""ImageThreshold: a mono8 mask of the bright pixels of an image.

Luma is ITU-R BT.601 in 14-bit fixed point, as OpenCV's cvtColor computes it; encodings are those of
sensor_msgs/image_encodings.hpp.
"""

import numpy as np
import numpy.typing as npt
from lockstep.component import Component, Input, Output, Parameter
from lockstep.distributions import (
    Distribution,
    FrameId,
    ImageCheckerboard,
    ImageGradient,
    ImageNoise,
    Integers,
    Mixture,
    Stamp,
    Timestamps,
)
from sensor_msgs.msg import Image

HEADER = {"header.stamp": Stamp(), "header.frame_id": FrameId("camera")}
SIZE = {"width": Integers(1, 96), "height": Integers(1, 64)}
IMAGES = Distribution(
    Mixture(
        *(
            (1, Distribution({"*": kind(**SIZE, encoding=encoding), **HEADER}))
            for kind in (ImageNoise, ImageGradient, ImageCheckerboard)
            for encoding in ("mono8", "mono16", "rgb8", "bgra8")
        )
    ),
    at=Timestamps(rate_hz=30.0),
)

CHANNELS = {"mono8": 1, "8UC1": 1, "rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4}
RED, GREEN, BLUE = 4899, 9617, 1868  # of 1 << 14


class ImageThreshold(Component):
    """255 where a pixel is brighter than the threshold, 0 elsewhere."""

    image = Input(Image, dist=IMAGES)
    mask = Output(Image)
    threshold = Parameter(127, "16-bit images by their high byte", minimum=0, maximum=255)

    def on_image(self, msg: Image) -> None:
        brightness = self.brightness(msg)
        if brightness is None:
            return
        mask = np.where(brightness > self.threshold, 255, 0).astype(np.uint8)
        result = Image(header=msg.header, height=msg.height, width=msg.width, encoding="mono8")
        result.step = msg.width
        result.data = mask.tobytes()
        self.mask.publish(result)

    def brightness(self, msg: Image) -> npt.NDArray[np.integer] | None:
        """Brightness 0..255, shape (height, width); None for an image that makes no sense."""
        wide = msg.encoding in ("mono16", "16UC1")
        pixel_bytes = 2 if wide else CHANNELS.get(msg.encoding, 0)
        if not pixel_bytes:
            self.logger.warning(f"skipped an image with encoding '{msg.encoding}'")
            return None
        row_bytes = msg.width * pixel_bytes
        if msg.step < row_bytes or len(msg.data) < msg.step * msg.height:
            self.logger.warning("skipped an image with too little data for its size")
            return None

        rows = np.frombuffer(msg.data, np.uint8, msg.step * msg.height)
        pixels = rows.reshape(msg.height, msg.step)[:, :row_bytes]
        pixels = pixels.reshape(msg.height, msg.width, pixel_bytes)
        if wide:
            return pixels[:, :, 0 if msg.is_bigendian else 1]
        if pixel_bytes == 1:
            return pixels[:, :, 0]
        red, blue = (0, 2) if msg.encoding.startswith("rgb") else (2, 0)
        wide_pixels = pixels.astype(np.uint32)
        luma = (
            wide_pixels[:, :, red] * RED
            + wide_pixels[:, :, 1] * GREEN
            + wide_pixels[:, :, blue] * BLUE
        )
        return (luma + (1 << 13)) >> 14


def main() -> None:
    from lockstep.nodes.host import host

    host(ImageThreshold)
