"""Bags: reading and writing rosbag2 folders with MCAP storage. Needs no ROS."""

from ..errors import BagError
from .reader import Bag, Message
from .topic import Topic
from .writer import BagWriter

__all__ = ["Bag", "BagError", "BagWriter", "Message", "Topic"]
