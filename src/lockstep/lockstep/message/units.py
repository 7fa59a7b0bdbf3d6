"""Units of well-known fields of ROS messages, by REP-103 and the comments in the definitions."""

from __future__ import annotations

import re

_OF_VECTORS = {
    "angular": "rad/s",
    "angular_acceleration": "rad/s²",
    "angular_velocity": "rad/s",
    "center": "m",
    "dimensions": "m",
    "force": "N",
    "linear": "m/s",
    "linear_acceleration": "m/s²",
    "magnetic_field": "T",
    "point": "m",
    "points": "m",
    "position": "m",
    "torque": "N·m",
    "translation": "m",
}
_OF_ACCELERATIONS = {"angular": "rad/s²", "linear": "m/s²"}
_OF_NUMBERS = {
    "altitude": "m",
    "angle_increment": "rad",
    "angle_max": "rad",
    "angle_min": "rad",
    "charge": "Ah",
    "current": "A",
    "field_of_view": "rad",
    "fluid_pressure": "Pa",
    "illuminance": "lx",
    "latitude": "°",
    "longitude": "°",
    "max_range": "m",
    "min_range": "m",
    "range": "m",
    "range_max": "m",
    "range_min": "m",
    "ranges": "m",
    "scan_time": "s",
    "stamp": "ns",
    "temperature": "°C",
    "theta": "rad",
    "time_increment": "s",
    "voltage": "V",
}
_OF_COMPONENTS = ("x", "y", "z")


def unit_of(path: str, type_name: str = "") -> str:
    """The unit of a field by its path, `twist.angular.z` → `rad/s`.

    Empty where it is unknown or there is none. `type_name` tells a Twist from an Accel where the
    path does not.
    """
    names = re.sub(r"\[\d*\]", "", path).split(".")
    if names[-1] not in _OF_COMPONENTS:
        return _OF_NUMBERS.get(names[-1], "")
    vector = names[-2] if len(names) > 1 else ""
    if "accel" in names or "/Accel" in type_name:
        return _OF_ACCELERATIONS.get(vector, "")
    return _OF_VECTORS.get(vector, "")
