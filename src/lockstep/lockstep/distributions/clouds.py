"""Point clouds and laser scans, with returns that are missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DistError
from ..message.arrays import Floats
from ..message.drawn_columns import Columns, Drawn
from .fields import Field, Structure
from .numbers import Integers, Uniform, as_rule
from .random import Random
from .rule import PartRule, PartSource, Rule, Setting, required
from .texts import as_length, length_source
from .ticks import Ticks

_POINTS, _POSITION, _OTHERS = Integers(0, 1000), Uniform(-10.0, 10.0), Uniform(0.0, 255.0)
_RANGE = Uniform(0.1, 10.0)
_FLOAT32 = 7  # of sensor_msgs/msg/PointField
_CLOUD = ("height", "width", "is_bigendian", "point_step", "row_step", "data", "is_dense", "fields")
_SCAN = (
    *("angle_min", "angle_max", "angle_increment", "time_increment", "scan_time"),
    *("range_min", "range_max", "ranges", "intensities"),
)


def _checked_rates(name: str, **rates: float) -> None:
    for rate_name, rate in rates.items():
        required(0 <= rate <= 1, f"{rate_name} of {name} is {rate}; give a share from 0 to 1")
    required(sum(rates.values()) <= 1, f"nan_rate and inf_rate of {name} are more than 1 together")


def _with_gaps(values: Floats, share: Floats, nan_rate: float, inf_rate: float) -> Floats:
    """NaN and inf at their rates, where `share` (n,) is uniform."""
    values = np.where(share < nan_rate, np.nan, values)
    return np.where((share >= nan_rate) & (share < nan_rate + inf_rate), np.inf, values)


@dataclass(frozen=True)
class PointCloud(PartRule):
    """All fields of a sensor_msgs/msg/PointCloud2 but its header: float32 `fields`, of which x, y
    and z are as `position` draws.

    `points` is how many points there are. The coordinates of a share `nan_rate` of them are NaN, of
    `inf_rate` inf; other fields are as `others` draws.
    """

    points: Any = _POINTS
    position: Any = _POSITION
    fields: tuple[str, ...] = ("x", "y", "z", "intensity")
    others: Any = _OTHERS
    nan_rate: float = 0.0
    inf_rate: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", as_length(self.points, "PointCloud"))
        object.__setattr__(self, "fields", tuple(self.fields))
        for name in ("position", "others"):
            rule = as_rule(getattr(self, name))
            object.__setattr__(self, name, rule)
            if not isinstance(rule, Rule):
                raise DistError(f"{name} of PointCloud is {rule!r}; give a distribution of numbers")
            rule.check(Field(name, "float32", "", 0, 0, "PointCloud"))
        unique = len(set(self.fields)) == len(self.fields) > 0
        required(unique, f"fields of PointCloud are {self.fields}; give names, each once")
        _checked_rates("PointCloud", nan_rate=self.nan_rate, inf_rate=self.inf_rate)

    def paths(self, structure: Structure) -> list[str]:
        if not set(_CLOUD) <= structure.fields.keys():
            return []
        inner = [path for path in structure.fields if path.startswith("fields[].")]
        return [*_CLOUD, *inner]

    def part_source(self, structure: Structure, random: Random, setting: Setting) -> PartSource:
        points = length_source(self.points, Field("points", "length"), random, setting)
        plain = Setting(setting.at)
        sources = [
            (self.position if name in ("x", "y", "z") else self.others).source(
                Field(name, "float32"), random.named(name), plain
            )
            for name in self.fields
        ]
        gaps = random.named("gaps")

        def draw(ticks: Ticks) -> Columns:
            counts = points(ticks).values
            every = ticks.repeated(counts)
            share = gaps.uniform(len(every))
            columns = [source(every).values for source in sources]
            for at, name in enumerate(self.fields):
                if name in ("x", "y", "z"):
                    columns[at] = _with_gaps(columns[at], share, self.nan_rate, self.inf_rate)
            data = np.stack(columns, axis=-1).astype("<f4").reshape(-1).view(np.uint8)
            step = 4 * len(self.fields)
            n, width = len(ticks), len(self.fields)
            names = np.empty(n * width, object)
            names[:] = list(self.fields) * n
            dense = self.nan_rate + self.inf_rate == 0
            return {
                "height": Drawn(np.ones(n, np.uint32)),
                "width": Drawn(counts.astype(np.uint32)),
                "fields": Drawn(np.full(n, width)),
                "fields[].name": Drawn(names),
                "fields[].offset": Drawn(np.tile(np.arange(0, step, 4, dtype=np.uint32), n)),
                "fields[].datatype": Drawn(np.full(n * width, _FLOAT32, np.uint8)),
                "fields[].count": Drawn(np.ones(n * width, np.uint32)),
                "is_bigendian": Drawn(np.zeros(n, np.bool_)),
                "point_step": Drawn(np.full(n, step, np.uint32)),
                "row_step": Drawn((counts * step).astype(np.uint32)),
                "data": Drawn(data, counts * step),
                "is_dense": Drawn(np.full(n, dense)),
            }

        return draw


@dataclass(frozen=True)
class Scan(PartRule):
    """All fields of a sensor_msgs/msg/LaserScan but its header: `rays` all around, with ranges as
    `range` draws.

    A share `nan_rate` of them is NaN (an error), `inf_rate` inf (no return), as REP-117 defines
    them.
    """

    rays: Any = 360
    range: Any = _RANGE
    range_min: float = 0.1
    range_max: float = 10.0
    nan_rate: float = 0.0
    inf_rate: float = 0.0
    intensities: bool = False
    scan_time: float = 0.1

    def __post_init__(self) -> None:
        object.__setattr__(self, "rays", as_length(self.rays, "Scan"))
        object.__setattr__(self, "range", as_rule(self.range))
        if not isinstance(self.range, Rule):
            raise DistError(f"range of Scan is {self.range!r}; give a distribution of numbers")
        self.range.check(Field("range", "float32", "", 0, 0, "Scan"))
        required(
            0 <= self.range_min < self.range_max,
            "range_min of Scan must be 0 or more and below range_max",
        )
        _checked_rates("Scan", nan_rate=self.nan_rate, inf_rate=self.inf_rate)

    def paths(self, structure: Structure) -> list[str]:
        return list(_SCAN) if set(_SCAN) <= structure.fields.keys() else []

    def part_source(self, structure: Structure, random: Random, setting: Setting) -> PartSource:
        rays = length_source(self.rays, Field("rays", "length"), random, setting)
        ranges = self.range.source(
            Field("range", "float32"), random.named("range"), Setting(setting.at)
        )
        gaps, bright = random.named("gaps"), random.named("intensities")

        def draw(ticks: Ticks) -> Columns:
            counts = rays(ticks).values
            every = ticks.repeated(counts)
            values = _with_gaps(
                ranges(every).values, gaps.uniform(len(every)), self.nan_rate, self.inf_rate
            )
            increment = 2 * math.pi / np.maximum(counts, 1)
            singles = {
                "angle_min": np.full(len(ticks), -math.pi),
                "angle_max": increment * np.maximum(counts - 1, 0) - math.pi,
                "angle_increment": increment,
                "time_increment": self.scan_time / np.maximum(counts, 1),
                "scan_time": np.full(len(ticks), self.scan_time),
                "range_min": np.full(len(ticks), self.range_min),
                "range_max": np.full(len(ticks), self.range_max),
            }
            intensities = (
                np.empty(0) if not self.intensities else 255.0 * bright.uniform(len(every))
            )
            return {
                **{name: Drawn(value.astype(np.float32)) for name, value in singles.items()},
                "ranges": Drawn(values.astype(np.float32), counts),
                "intensities": Drawn(
                    intensities.astype(np.float32),
                    counts if self.intensities else np.zeros_like(counts),
                ),
            }

        return draw
