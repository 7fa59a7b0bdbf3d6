"""Showing what was compared: plots of fields, errors and images. Needs matplotlib, no ROS."""

from ..errors import ReportError
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
