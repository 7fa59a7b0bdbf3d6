"""Comparing two bags or datasets: align, tolerances, values, text diffs. Needs no ROS."""

from ..callable_package import make_callable
from ..errors import CompareError
from .align import Alignment, align_times, tolerance_ns
from .compare import compare
from .comparison import Comparison
from .diffdiff import ValueComparison, diffdiff
from .key_comparison import KeyComparison
from .text_diff import write_text_diffs
from .tolerance import Tolerance, Tolerances

__all__ = [
    "Alignment",
    "CompareError",
    "Comparison",
    "KeyComparison",
    "Tolerance",
    "Tolerances",
    "ValueComparison",
    "align_times",
    "compare",
    "diffdiff",
    "tolerance_ns",
    "write_text_diffs",
]

make_callable(__name__)  # `from lockstep import compare` is the function, too
