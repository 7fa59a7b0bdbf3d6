"""TfListener: what /tf and /tf_static tell, to be looked up at a time."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from ..message.rosidl import message_class
from ..message.time import stamp_ns, to_stamp
from .port import Input
from .qos import QoS
from .transforms import Transform, TransformBuffer

if TYPE_CHECKING:
    from geometry_msgs.msg import TransformStamped

TRANSFORMS = "tf2_msgs/msg/TFMessage"
CHANGING = "/tf", QoS(depth=100)
STATIC = "/tf_static", QoS(durability="transient_local", depth=100)
"""Topics and QoS of the inputs, as tf2_ros has them."""
OF_STATIC = "_static"
"""What the input of /tf_static is called, after that of /tf."""


class TfListener:
    """Transforms as tf2 has them, without a thread: two inputs, `<name>` for /tf and
    `<name>_static` for /tf_static, whose messages it takes itself.

    What is looked up is what was told up to now in the run, and the same in each run. Ten seconds
    are kept; nothing is extrapolated.
    """

    inputs: tuple[Input[Any], Input[Any]]

    def __init__(self) -> None:
        """Raises LookupError where tf2_msgs is not installed."""
        message_type = message_class(TRANSFORMS)
        self.inputs = (Input(message_type, *CHANGING), Input(message_type, *STATIC))
        self._buffer = TransformBuffer()

    def __set_name__(self, owner: type, name: str) -> None:
        for port, called in zip(self.inputs, (name, f"{name}{OF_STATIC}"), strict=True):
            port.name = called

    def of_its_own(self) -> TfListener:
        """This one with a buffer of its own, as a component has it."""
        listener = copy(self)
        listener._buffer = TransformBuffer()
        return listener

    def lookup(self, target: str, source: str, time_ns: int = 0) -> TransformStamped:
        """The transform from the source to the target frame at a time, interpolated as tf2 does.

        At 0, that of the latest time at which all transforms between them are known, which is its
        stamp. Raises TransformError for frames that are not known or not connected, and for a time
        before the first or after the last transform.
        """
        from geometry_msgs.msg import TransformStamped

        return _message(
            TransformStamped(), target, source, self._buffer.lookup(target, source, time_ns)
        )

    def can_lookup(self, target: str, source: str, time_ns: int = 0) -> bool:
        """Whether `lookup` would give a transform."""
        return self._buffer.can_lookup(target, source, time_ns)

    def take(self, msg: Any) -> None:
        """Take a message of /tf; what is no transform is passed over."""
        self._take(msg, is_static=False)

    def take_static(self, msg: Any) -> None:
        """Take a message of /tf_static."""
        self._take(msg, is_static=True)

    def _take(self, msg: Any, *, is_static: bool) -> None:
        for told in msg.transforms:
            moved, turned = told.transform.translation, told.transform.rotation
            self._buffer.add(
                told.header.frame_id,
                told.child_frame_id,
                stamp_ns(told.header.stamp),
                (moved.x, moved.y, moved.z),
                (turned.x, turned.y, turned.z, turned.w),
                is_static=is_static,
            )


def _message(
    message: TransformStamped, target: str, source: str, found: Transform
) -> TransformStamped:
    message.header.stamp = to_stamp(found.time_ns)
    message.header.frame_id = target
    message.child_frame_id = source
    moved, turned = message.transform.translation, message.transform.rotation
    moved.x, moved.y, moved.z = found.translation
    turned.x, turned.y, turned.z, turned.w = found.rotation
    return message
