"""Lockstep: proof that a re-implemented ROS 2 node is a drop-in replacement.

What is used most stands here as well as in its folder. It is imported when it is first asked for
(PEP 562), so that `import lockstep` costs nothing, and what needs no ROS works without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .version import __version__ as __version__

if TYPE_CHECKING:
    from .compare import compare, diffdiff
    from .dataset import DataPlayback, DataRecorder, Dataset
    from .distributions import DataDistMixin
    from .distributions.drawing import sample
    from .port import Prompt, create_prompt, send_prompt
    from .report import plot_comparison, plot_heatmap, plot_histogram, plot_timeseries
    from .verify.verify import verify

__all__ = [
    "DataDistMixin",
    "DataPlayback",
    "DataRecorder",
    "Dataset",
    "Prompt",
    "compare",
    "create_prompt",
    "diffdiff",
    "plot_comparison",
    "plot_heatmap",
    "plot_histogram",
    "plot_timeseries",
    "sample",
    "send_prompt",
    "verify",
]
_PLACES = {
    "DataDistMixin": "distributions",
    "DataPlayback": "dataset",
    "DataRecorder": "dataset",
    "Dataset": "dataset",
    "Prompt": "port",
    "create_prompt": "port",
    "diffdiff": "compare",
    "plot_comparison": "report",
    "plot_heatmap": "report",
    "plot_histogram": "report",
    "plot_timeseries": "report",
    "sample": "distributions.drawing",
    "send_prompt": "port",
}
_CALLABLE_PACKAGES = ("compare", "verify")
"""Folders that are also functions; see `callable_package`."""


def __getattr__(name: str) -> Any:
    if name in _CALLABLE_PACKAGES:
        return import_module(f".{name}", __name__)
    if name not in _PLACES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(f".{_PLACES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
