"""Comparing two bags: align, tolerances, values, text diffs. Needs no ROS."""

from .align import Alignment, align, tolerance_ns
from .compare import compare
from .comparison import Comparison, KeyComparison
from .errors import CompareError
from .text_diff import write_text_diffs
from .tolerance import Tolerance, Tolerances

__all__ = [
    "Alignment",
    "CompareError",
    "Comparison",
    "KeyComparison",
    "Tolerance",
    "Tolerances",
    "align",
    "compare",
    "tolerance_ns",
    "write_text_diffs",
]
