"""Lockstep: proof that a re-implemented ROS 2 node is a drop-in replacement.

What is used most stands here as well as in its folder. It is imported when it is first asked for
(PEP 562), so that `import lockstep` costs nothing, and what needs no ROS works without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .on_demand import on_demand
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
_CALLABLE_PACKAGES = ("compare", "verify")
"""Folders that are also functions; see `callable_package`."""

_on_demand = on_demand(
    __name__,
    {
        "compare": "diffdiff",
        "dataset": "DataPlayback DataRecorder Dataset",
        "distributions": "DataDistMixin",
        "distributions.drawing": "sample",
        "port": "Prompt create_prompt send_prompt",
        "report": "plot_comparison plot_heatmap plot_histogram plot_timeseries",
    },
)


def __getattr__(name: str) -> Any:
    return import_module(f".{name}", __name__) if name in _CALLABLE_PACKAGES else _on_demand(name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
