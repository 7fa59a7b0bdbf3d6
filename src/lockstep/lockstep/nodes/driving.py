"""What the services that drive a player and those that drive a recorder share: names and types of
rosbag2_interfaces where they are installed, else of lockstep_interfaces with the same fields."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from std_srvs.srv import Trigger

_MODULES = ("rosbag2_interfaces.srv", "lockstep_interfaces.srv")


def service_type(name: str) -> Any:
    """The type of `split_bagfile` is SplitBagfile; of what has none, Trigger."""
    for module in _MODULES:
        try:
            return getattr(importlib.import_module(module), name.title().replace("_", ""))
        except (ImportError, AttributeError):
            continue
    return Trigger


def fill(response: Any, values: Mapping[str, Any]) -> Any:
    """Set those fields of an answer that this kind of response has."""
    for name in response.get_fields_and_field_types():
        if name in values:
            setattr(response, name, values[name])
    return response
