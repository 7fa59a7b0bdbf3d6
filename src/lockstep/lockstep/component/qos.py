"""Quality of service of a port, in the terms of ROS 2. History is always keep_last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class QoS:
    """What a port offers or requests; `depth` counts messages."""

    reliability: Literal["reliable", "best_effort"] = "reliable"
    durability: Literal["volatile", "transient_local"] = "volatile"
    depth: int = 10


SENSOR_DATA = QoS(reliability="best_effort", durability="volatile", depth=5)
"""The profile that ROS 2 drivers use for sensor streams (rmw_qos_profile_sensor_data)."""
