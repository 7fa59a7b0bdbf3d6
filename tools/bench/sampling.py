"""Contestants that draw Vector3Stamped from distributions into a bag, in the workspace.

Each returns a Contest as those in `contestants` do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .bags import scratch
from .contestants import Check, Contest, Task

_BLOCK = 10_000
_PERIOD_NS = 10_000_000


def lockstep_sample(task: Task) -> Contest:
    """lockstep.distributions.drawing: Uniform, Normal, Pareto, stamps at a rate and one
    frame_id."""
    from geometry_msgs.msg import (  # type: ignore[import-not-found, import-untyped, unused-ignore]
        Vector3Stamped,
    )
    from lockstep.distributions import Distribution, FrameId, Normal, Pareto, Timestamps, Uniform
    from lockstep.distributions.drawing import Drawing, SampledInput

    vectors = Distribution(
        {
            "header.stamp": Timestamps(rate_hz=100.0),
            "header.frame_id": FrameId("base_link"),
            "vector.x": Uniform(-1.0, 1.0),
            "vector.y": Normal(0.0, 2.0),
            "vector.z": Pareto(3.0),
        }
    )
    wanted = SampledInput("vector", "vector", Vector3Stamped, vectors)

    def work() -> int:
        with _new_bag() as path:
            Drawing([wanted], task.count, 0).to_bag(path)
        return task.count

    return Contest(work, _written)


def numpy_and_rosbags(task: Task) -> Contest:
    """What one writes without a tool: numpy's Generator, and one rosbags message after the
    other."""
    import numpy as np
    from rosbags.rosbag2 import StoragePlugin, Writer
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types = store.types
    stamp_class = types["builtin_interfaces/msg/Time"]
    header_class = types["std_msgs/msg/Header"]
    vector_class = types["geometry_msgs/msg/Vector3"]
    stamped_class = types["geometry_msgs/msg/Vector3Stamped"]

    def work() -> int:
        rng = np.random.default_rng(0)
        with (
            _new_bag() as path,
            Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer,
        ):
            connection = writer.add_connection(
                "/vector", stamped_class.__msgtype__, typestore=store
            )
            for start in range(0, task.count, _BLOCK):
                n = min(_BLOCK, task.count - start)
                x, y = rng.uniform(-1.0, 1.0, n).tolist(), rng.normal(0.0, 2.0, n).tolist()
                z = (1.0 + rng.pareto(3.0, n)).tolist()
                for at in range(n):
                    time_ns = 1_000_000_000 + (start + at) * _PERIOD_NS
                    message = stamped_class(
                        header_class(stamp_class(*divmod(time_ns, 1_000_000_000)), "base_link"),
                        vector_class(x[at], y[at], z[at]),
                    )
                    data = store.serialize_cdr(message, stamped_class.__msgtype__)
                    writer.write(connection, time_ns, data)
        return task.count

    return Contest(work, _written)


@contextmanager
def _new_bag() -> Iterator[Path]:
    place = scratch(os.getpid())
    place.mkdir()
    try:
        yield place / "bag"
    finally:
        shutil.rmtree(place)


def _written(count: int) -> Check:
    return count, 0.0
