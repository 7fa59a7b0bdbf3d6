"""What the publishers of a topic offer, and the subscription that hears all of them."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from ...bag.metadata import OfferedQoS
from ..qos import lossless


def adapted(profiles: Sequence[QoSProfile]) -> QoSProfile:
    """A subscription that matches all publishers, and loses least."""
    reliable = all(p.reliability == ReliabilityPolicy.RELIABLE for p in profiles)
    latched = profiles and all(p.durability == DurabilityPolicy.TRANSIENT_LOCAL for p in profiles)
    qos = lossless("transient_local" if latched else "volatile")
    if not reliable:
        qos.reliability = ReliabilityPolicy.BEST_EFFORT
    return qos


def unheard(asked: QoSProfile, profiles: Sequence[QoSProfile]) -> bool:
    """Whether a publisher offers less than the subscription asks for."""
    best = adapted(profiles)
    return bool(profiles) and (
        asked.reliability == ReliabilityPolicy.RELIABLE != best.reliability
        or asked.durability == DurabilityPolicy.TRANSIENT_LOCAL != best.durability
    )


def offered(profiles: Sequence[QoSProfile]) -> tuple[OfferedQoS, ...]:
    """What a bag keeps of them."""
    return tuple(
        OfferedQoS(
            depth=p.depth or OfferedQoS.depth,
            reliability="reliable"
            if p.reliability == ReliabilityPolicy.RELIABLE
            else "best_effort",
            durability="transient_local"
            if p.durability == DurabilityPolicy.TRANSIENT_LOCAL
            else "volatile",
            deadline_ns=p.deadline.nanoseconds,
            lifespan_ns=p.lifespan.nanoseconds,
            liveliness=p.liveliness.name.lower(),
            liveliness_lease_duration_ns=p.liveliness_lease_duration.nanoseconds,
        )
        for p in profiles
    )
