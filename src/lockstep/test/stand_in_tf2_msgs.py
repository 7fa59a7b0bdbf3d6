"""tf2_msgs.msg where it is not installed (it is not on PyPI); no message of it is sent."""

import sys
from importlib.util import find_spec
from types import ModuleType


class TFMessage:
    """As rosidl makes it."""

    def __init__(self, transforms=()):
        self.transforms = list(transforms)


TFMessage.__module__ = "tf2_msgs.msg._tf_message"


def stand_in(patch):
    """Let it be found as long as `patch`, a MonkeyPatch, lasts, if it would not be otherwise."""
    if find_spec("tf2_msgs") is None:
        package, messages = ModuleType("tf2_msgs"), ModuleType("tf2_msgs.msg")
        messages.TFMessage = TFMessage
        patch.setitem(sys.modules, "tf2_msgs", package)
        patch.setitem(sys.modules, "tf2_msgs.msg", messages)
