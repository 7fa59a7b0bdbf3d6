"""The subscription that hears all publishers of a topic."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

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
