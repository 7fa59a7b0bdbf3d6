"""Places on earth: latitude, longitude and altitude, whose error is a distance in metres.

Coordinates are those of WGS 84, as in sensor_msgs/msg/NavSatFix.
"""

from __future__ import annotations

import numpy as np

from ...message.arrays import Column, Floats, Mask
from ..tolerance import Tolerance
from .parts import kind_of_parts
from .point import judge_points

_RADIUS_M = 6378137.0
_ECCENTRICITY_SQUARED = 6.69437999014e-3


def earth_centred(places: Floats) -> Floats:
    """Latitudes and longitudes in degrees with altitudes, (…, 3), as x, y and z in metres."""
    latitude, longitude = np.radians(places[..., 0]), np.radians(places[..., 1])
    altitude = places[..., 2]
    normal = _RADIUS_M / np.sqrt(1 - _ECCENTRICITY_SQUARED * np.sin(latitude) ** 2)
    x = (normal + altitude) * np.cos(latitude) * np.cos(longitude)
    y = (normal + altitude) * np.cos(latitude) * np.sin(longitude)
    z = (normal * (1 - _ECCENTRICITY_SQUARED) + altitude) * np.sin(latitude)
    return np.stack([x, y, z], axis=-1)


def east_north_up(a: Floats, b: Floats) -> Floats:
    """From places a to places b (…, 3) in the plane that touches the earth at a, in metres."""
    latitude, longitude = np.radians(a[..., 0]), np.radians(a[..., 1])
    apart = earth_centred(b) - earth_centred(a)
    x, y, z = (apart[..., axis] for axis in range(3))
    outwards = np.cos(longitude) * x + np.sin(longitude) * y
    east = np.cos(longitude) * y - np.sin(longitude) * x
    north = np.cos(latitude) * z - np.sin(latitude) * outwards
    up = np.cos(latitude) * outwards + np.sin(latitude) * z
    return np.stack([east, north, up], axis=-1)


def judge_places(a: Column, b: Column, tolerance: Tolerance) -> tuple[Floats, Mask]:
    """The distance from a to b (…, 3) in metres and whether it is beyond the limit; (…)."""
    wide_a, wide_b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        error, wrong = judge_points(earth_centred(wide_a), earth_centred(wide_b), tolerance)
    same = (wide_a == wide_b).all(axis=-1)  # also without an altitude, which is NaN then
    known = np.isnan(wide_a) & np.isnan(wide_b) & tolerance.nan
    if known[..., 2].any():
        flat_a, flat_b = (np.where(known, 0.0, side) for side in (wide_a, wide_b))
        error, wrong = judge_points(earth_centred(flat_a), earth_centred(flat_b), tolerance)
    error = np.where(same, 0.0, error)
    return error, wrong & ~same


def _told(a: Floats, b: Floats) -> str:
    east, north, up = east_north_up(a, b).tolist()
    return f", {east:+.6g} m east, {north:+.6g} m north, {up:+.6g} m up"


PLACE_ON_EARTH = kind_of_parts(
    "place on earth",
    "place on earth",
    ("latitude", "longitude", "altitude"),
    ("distance",),
    judge_places,
    error_unit="m",
    told=_told,
    only_these=False,
)
