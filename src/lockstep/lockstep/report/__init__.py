"""Showing what was compared: plots of fields, errors and images. Needs matplotlib, no ROS."""

from typing import TYPE_CHECKING

from ..errors import ReportError
from ..on_demand import on_demand

if TYPE_CHECKING:
    from .comparison import plot_comparison
    from .heatmap import plot_heatmap
    from .histogram import plot_histogram
    from .pixels import plot_pixels
    from .timeseries import plot_timeseries

__all__ = [
    "ReportError",
    "plot_comparison",
    "plot_heatmap",
    "plot_histogram",
    "plot_pixels",
    "plot_timeseries",
]

__getattr__ = on_demand(
    __name__,
    {
        "comparison": "plot_comparison",
        "heatmap": "plot_heatmap",
        "histogram": "plot_histogram",
        "pixels": "plot_pixels",
        "timeseries": "plot_timeseries",
    },
)
