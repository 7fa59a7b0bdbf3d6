"""What has become of a suite over time, as data for the page: the trends of a case, and what
changed between the two newest commits."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..suite.ab import MEASURES, ab
from ..suite.results import query
from ..suite.trends import trends


def trends_of(folder: Path, path: str, case: str) -> dict[str, Any]:
    """The trends of a case; `path` is that of a run of its suite, relative to `folder`. Raises
    UsageError where there are none."""
    found: dict[str, Any] = _finite(asdict(trends(_suite(folder, path), case)))
    return found


def changes_of(folder: Path, path: str) -> dict[str, Any]:
    """What is better or worse at the newest commit of a suite than at the one before; raises
    UsageError where there are no two."""
    suite = _suite(folder, path)
    sql = (
        "select commit from results where commit is not null group by commit "
        "order by max(begun) desc limit 2"
    )
    newest = [commit for (commit,) in query(suite, sql)[1]]
    if len(newest) < 2:
        raise UsageError("the results are of one commit only, which is nothing to compare")
    found: dict[str, Any] = _finite(asdict(ab(suite, newest[1], newest[0])))
    return {**found, "measure_names": MEASURES}


def _suite(folder: Path, path: str) -> Path:
    """The folder of all runs of a suite, which lies in `folder` or is that."""
    run = (folder / path).resolve() if "\0" not in path else folder
    if run == folder or not run.is_relative_to(folder):
        raise UsageError("results over time lie beside the runs of a suite; serve their folder")
    return run.parent


def _finite(data: Any) -> Any:
    """The same without infinities, which JSON has not."""
    if isinstance(data, dict):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data
