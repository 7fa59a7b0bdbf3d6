"""Datasets: messages and other values by key, on any backend. Needs no ROS."""

from typing import TYPE_CHECKING

from ..errors import DatasetError
from ..on_demand import on_demand

if TYPE_CHECKING:
    from .dataset import Dataset, LeftOut
    from .playback import DataPlayback
    from .recorder import DataRecorder
    from .series import Series
    from .source import Record

__all__ = ["DataPlayback", "DataRecorder", "Dataset", "DatasetError", "LeftOut", "Record", "Series"]

__getattr__ = on_demand(
    __name__,
    {
        "dataset": "Dataset LeftOut",
        "playback": "DataPlayback",
        "source": "Record",
        "recorder": "DataRecorder",
        "series": "Series",
    },
)
