"""Data distributions of messages: what inputs to draw. Knows ROS messages only by their classes."""

from typing import TYPE_CHECKING

from ..errors import DistError
from ..on_demand import on_demand

if TYPE_CHECKING:
    from .arrays import Array
    from .clouds import PointCloud, Scan
    from .distribution import DataDistMixin, Distribution, data_dist, data_dist_of
    from .edges import Edges
    from .empirical import Empirical
    from .geometry import Covariance, UnitQuaternion, UnitVector
    from .images import ImageCheckerboard, ImageFile, ImageGradient, ImageNoise
    from .mixture import Mixture
    from .numbers import (
        Box,
        Choice,
        Constant,
        Exponential,
        Integers,
        LogNormal,
        Normal,
        Pareto,
        Uniform,
    )
    from .processes import Chirp, OrnsteinUhlenbeck, Piecewise, RandomWalk, Sine, Steps
    from .texts import FrameId, Text
    from .times import Stamp, Timestamps
    from .unit import Unit

__all__ = [
    "Array",
    "Box",
    "Chirp",
    "Choice",
    "Constant",
    "Covariance",
    "DataDistMixin",
    "DistError",
    "Distribution",
    "Edges",
    "Empirical",
    "Exponential",
    "FrameId",
    "ImageCheckerboard",
    "ImageFile",
    "ImageGradient",
    "ImageNoise",
    "Integers",
    "LogNormal",
    "Mixture",
    "Normal",
    "OrnsteinUhlenbeck",
    "Pareto",
    "Piecewise",
    "PointCloud",
    "RandomWalk",
    "Scan",
    "Sine",
    "Stamp",
    "Steps",
    "Text",
    "Timestamps",
    "Uniform",
    "Unit",
    "UnitQuaternion",
    "UnitVector",
    "data_dist",
    "data_dist_of",
]

__getattr__ = on_demand(
    __name__,
    {
        "arrays": "Array",
        "clouds": "PointCloud Scan",
        "distribution": "DataDistMixin Distribution data_dist data_dist_of",
        "edges": "Edges",
        "empirical": "Empirical",
        "geometry": "Covariance UnitQuaternion UnitVector",
        "images": "ImageCheckerboard ImageFile ImageGradient ImageNoise",
        "mixture": "Mixture",
        "numbers": "Box Choice Constant Exponential Integers LogNormal Normal Pareto Uniform",
        "processes": "Chirp OrnsteinUhlenbeck Piecewise RandomWalk Sine Steps",
        "texts": "FrameId Text",
        "times": "Stamp Timestamps",
        "unit": "Unit",
    },
)
