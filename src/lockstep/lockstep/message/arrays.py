"""Types of the arrays that all folders share; docstrings give their shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Int64s = npt.NDArray[np.int64]
"""Times in ns, ticks, indices, counts."""
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Column = npt.NDArray[Any]
"""Values of any type: numbers as their field has them, strings as objects."""
