"""Point clouds that tests make, as the fields of their messages."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from lockstep.bag import Bag
from lockstep.message.definitions import definition
from made_bags import write_messages

CLOUD = "sensor_msgs/msg/PointCloud2"
TOPIC = "/points"
XYZI = np.dtype([("x", "<f4"), ("y", "<f4"), ("z", "<f4"), ("intensity", "u1")])
DATATYPES = {"i1": 1, "u1": 2, "i2": 3, "u2": 4, "i4": 5, "u4": 6, "f4": 7, "f8": 8}


def cloud(points: Any, tick: int = 0, rows: int = 1, **changed: Any) -> dict[str, Any]:
    """A cloud of structured points (n,), at `tick` seconds, in so many rows."""
    dtype = points.dtype
    return {
        "header": {"stamp": {"sec": tick, "nanosec": 0}, "frame_id": "lidar"},
        "height": rows,
        "width": len(points) // rows,
        "fields": [
            {
                "name": name,
                "offset": dtype.fields[name][1],
                "datatype": DATATYPES[dtype[name].base.str[1:]],
                "count": math.prod(dtype[name].shape),
            }
            for name in dtype.names
        ],
        "is_bigendian": False,
        "point_step": dtype.itemsize,
        "row_step": dtype.itemsize * (len(points) // rows),
        "data": np.frombuffer(points.tobytes(), np.uint8),
        "is_dense": True,
        **changed,
    }


def some_points(count: int = 20, seed: int = 0) -> Any:
    """Points in a cube of 40 m."""
    rng = np.random.default_rng(seed)
    points = np.zeros(count, XYZI)
    for name in "xyz":
        points[name] = rng.uniform(-20, 20, count)
    points["intensity"] = rng.integers(0, 255, count)
    return points


def moved(points: Any, **by: Any) -> Any:
    """The same points, but for fields that are off: `z=(index, shift)`."""
    points = points.copy()
    for name, (index, shift) in by.items():
        points[name][index] += shift
    return points


def write_clouds(path: Path, clouds: list[dict[str, Any]]) -> Bag:
    """A bag of clouds, one each second."""
    kind = definition(CLOUD)
    return Bag(write_messages(path, CLOUD, kind, clouds, topic=TOPIC, period_ns=10**9))
