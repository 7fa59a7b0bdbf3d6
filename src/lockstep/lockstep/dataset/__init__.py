"""Datasets: messages and other values by key, on any backend. Needs no ROS."""

from ..errors import DatasetError
from .dataset import Dataset
from .playback import DataPlayback
from .recorder import DataRecorder
from .series import Series
from .source import Record

__all__ = ["DataPlayback", "DataRecorder", "Dataset", "DatasetError", "Record", "Series"]
