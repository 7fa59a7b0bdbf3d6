"""QoS profiles of rclpy for ports, recorded topics and lockstep runs."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from ..component import QoS

RELIABILITY = {
    "reliable": ReliabilityPolicy.RELIABLE,
    "best_effort": ReliabilityPolicy.BEST_EFFORT,
}
DURABILITY = {
    "volatile": DurabilityPolicy.VOLATILE,
    "transient_local": DurabilityPolicy.TRANSIENT_LOCAL,
}


def profile(qos: QoS) -> QoSProfile:
    """The profile of a port."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=qos.depth,
        reliability=RELIABILITY[qos.reliability],
        durability=DURABILITY[qos.durability],
    )


def lossless(durability: str = "volatile") -> QoSProfile:
    """Reliable and keep_all: a full queue holds the sender back and overwrites nothing."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DURABILITY.get(durability, DurabilityPolicy.VOLATILE),
    )


def watching(offered: Sequence[QoSProfile], depth: int) -> QoSProfile:
    """A subscription that hears all publishers, given what they offer, and holds none of them back.

    What holds a reliable publisher back is a reader that does not acknowledge. With keep_last the
    middleware acknowledges each message when it arrives and lets it overwrite the oldest in a full
    queue, however slow this process is; the gap shows in the sequence numbers. So reliable costs
    the publisher no more than a resend, and spares false alarms about what the transport lost. A
    best-effort or volatile publisher does not match a request for more, so the weakest counts.
    """
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in offered)
    latched = all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in offered)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
    )
