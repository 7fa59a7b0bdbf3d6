"""The QoS that a player offers: the recorded one, or what a file of overrides says instead, in the
format of `ros2 bag play --qos-profile-overrides-path`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from rclpy.duration import Duration
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSProfile,
    ReliabilityPolicy,
)

from ...bag.metadata import FOREVER_NS, OfferedQoS
from ...errors import UsageError
from ...message.time import NS_PER_S
from ..qos import DURABILITY, RELIABILITY

_POLICIES = {
    "history": ("keep_last", "keep_all"),
    "reliability": ("reliable", "best_effort"),
    "durability": ("volatile", "transient_local"),
    "liveliness": ("automatic", "manual_by_topic"),
}
_LIVELINESS = {
    "automatic": LivelinessPolicy.AUTOMATIC,
    "manual_by_node": LivelinessPolicy.MANUAL_BY_TOPIC,  # which serves whoever asks for the other
    "manual_by_topic": LivelinessPolicy.MANUAL_BY_TOPIC,
}
_DURATIONS = ("deadline", "lifespan", "liveliness_lease_duration")


def read_overrides(path: str) -> dict[str, OfferedQoS]:
    """Topic → QoS; what a profile leaves out is the default of ROS. Raises UsageError."""
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise UsageError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, Mapping):
        raise UsageError(f"{path} must map topics to their QoS")
    return {str(topic): _profile(path, topic, qos) for topic, qos in content.items()}


def recorded_profile(qos: OfferedQoS, *, keep_all: bool = False) -> QoSProfile:
    """The whole profile as it was recorded; an unknown policy becomes the ROS default.

    `keep_all` keeps what is not sent yet, whatever was recorded.
    """
    keep_all = keep_all or qos.history == "keep_all"
    durations = {
        "deadline": qos.deadline_ns,
        "lifespan": qos.lifespan_ns,
        "liveliness_lease_duration": qos.liveliness_lease_duration_ns,
    }
    limited = {
        name: Duration(nanoseconds=nanoseconds)
        for name, nanoseconds in durations.items()
        if 0 < nanoseconds < FOREVER_NS
    }
    return QoSProfile(
        history=HistoryPolicy.KEEP_ALL if keep_all else HistoryPolicy.KEEP_LAST,
        depth=0 if keep_all else qos.depth,
        reliability=RELIABILITY.get(qos.reliability, ReliabilityPolicy.RELIABLE),
        durability=DURABILITY.get(qos.durability, DurabilityPolicy.VOLATILE),
        liveliness=_LIVELINESS.get(qos.liveliness, LivelinessPolicy.AUTOMATIC),
        avoid_ros_namespace_conventions=qos.avoid_ros_namespace_conventions,
        **limited,
    )


def _profile(path: str, topic: Any, content: Any) -> OfferedQoS:
    if not isinstance(content, Mapping):
        raise UsageError(f"{path}: the QoS of {topic} must map policies to values")
    values: dict[str, Any] = {}
    for key, value in content.items():
        where = f"{path}: {key} of {topic}"
        if key in _POLICIES:
            if value not in _POLICIES[key]:
                raise UsageError(f"{where} is {value}; give {' or '.join(_POLICIES[key])}")
            values[key] = value
        elif key in _DURATIONS:
            values[f"{key}_ns"] = _duration_ns(where, value)
        elif key == "depth":
            if type(value) is not int or value < 0:
                raise UsageError(f"{where} is {value}; give a number of messages")
            values[key] = value or OfferedQoS.depth
        elif key == "avoid_ros_namespace_conventions":
            values[key] = bool(value)
        else:
            known = ", ".join((*_POLICIES, *_DURATIONS, "depth"))
            raise UsageError(f"{where} is unknown; there are {known}")
    return replace(OfferedQoS(), **values)


def _duration_ns(where: str, value: Any) -> int:
    parts = value if isinstance(value, Mapping) else {}
    sec, nsec = (parts.get(part) for part in ("sec", "nsec"))
    if not isinstance(sec, int) or not isinstance(nsec, int) or min(sec, nsec) < 0:
        raise UsageError(f"{where} must be {{sec: S, nsec: NS}}, neither of them negative")
    return min(sec * NS_PER_S + nsec, FOREVER_NS)
