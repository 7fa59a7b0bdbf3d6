"""QoS profiles of rclpy for ports, recorded topics and lockstep runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from ..component import QoS

if TYPE_CHECKING:
    from ..bag.metadata import OfferedQoS

_RELIABILITY = {
    "reliable": ReliabilityPolicy.RELIABLE,
    "best_effort": ReliabilityPolicy.BEST_EFFORT,
}
_DURABILITY = {
    "volatile": DurabilityPolicy.VOLATILE,
    "transient_local": DurabilityPolicy.TRANSIENT_LOCAL,
}


def profile(qos: QoS | OfferedQoS) -> QoSProfile:
    """The profile of a port, or of a recorded topic; an unknown policy becomes the ROS default."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=qos.depth,
        reliability=_RELIABILITY.get(qos.reliability, ReliabilityPolicy.RELIABLE),
        durability=_DURABILITY.get(qos.durability, DurabilityPolicy.VOLATILE),
    )


def lossless(durability: str = "volatile") -> QoSProfile:
    """Reliable and keep_all: a full queue holds the sender back and overwrites nothing."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=_DURABILITY.get(durability, DurabilityPolicy.VOLATILE),
    )
