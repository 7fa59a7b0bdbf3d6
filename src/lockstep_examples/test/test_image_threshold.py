import pytest
from sensor_msgs.msg import Image

pytestmark = pytest.mark.lockstep("../verify/image_threshold.yaml")


@pytest.mark.parametrize(
    ("encoding", "pixel", "mask"),
    [
        ("mono8", [128], 255),
        ("mono8", [127], 0),
        ("rgb8", [255, 255, 255], 255),
        ("rgb8", [255, 0, 0], 0),  # red is 30 % of luma
        ("bgr8", [0, 255, 0], 255),  # green is 59 %
        ("mono16", [0, 200], 255),
    ],
)
def test_bright_pixels_are_white_in_the_mask(component, encoding, pixel, mask):
    data = bytes(pixel) + b"\xff"  # one byte of padding at the end of the row
    component.image.send(Image(width=1, height=1, step=len(data), encoding=encoding, data=data))
    answer = component.mask.last
    assert (answer.encoding, list(answer.data)) == ("mono8", [mask])


def test_an_image_with_too_little_data_is_skipped(component):
    component.image.send(Image(width=2, height=2, step=2, encoding="mono8", data=bytes(3)))
    assert component.mask.messages == []
