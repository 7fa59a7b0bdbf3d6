"""What a bag notes of the publishers of a topic."""

from __future__ import annotations

from collections.abc import Sequence

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from ..bag.metadata import OfferedQoS


def offered_by(publishers: Sequence[QoSProfile]) -> tuple[OfferedQoS, ...]:
    """The profiles of the publishers, as metadata.yaml holds them."""
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
        for p in publishers
    )
