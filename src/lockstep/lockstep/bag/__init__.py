"""Bags: reading and writing rosbag2 folders with MCAP storage. Needs no ROS."""

from typing import TYPE_CHECKING

from ..errors import BagError
from ..on_demand import on_demand

if TYPE_CHECKING:
    from .reader import Bag, Message
    from .topic import Topic
    from .writer import BagWriter

__all__ = ["Bag", "BagError", "BagWriter", "Message", "Topic"]

__getattr__ = on_demand(
    __name__, {"reader": "Bag Message", "topic": "Topic", "writer": "BagWriter"}
)
