"""One series as a table: a pandas DataFrame or a pyarrow Table."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import DatasetError
from ..message.arrays import Column, Int64s
from .columns import time_ns
from .messages import fields_of

if TYPE_CHECKING:
    import pandas
    import pyarrow

_SCALARS = (bool, int, float, str, np.generic, np.ndarray)


class Columnar(Protocol):
    """What a table is made of: the times of values (n,) in ns, their fields, and the values."""

    def times(self) -> Int64s: ...
    def column(self, path: str) -> Column: ...
    def __getitem__(self, rows: slice) -> Iterable[Any]: ...


def to_pandas(series: Columnar, paths: Sequence[str] | None = None) -> pandas.DataFrame:
    """A DataFrame with one column for each path, indexed by log time (datetime64, UTC).

    Default: every field that is a number, string, time or array of numbers, which is one column of
    arrays; of lists of strings and messages a warning tells the paths. The columns of an array
    (n, k) that is named in `paths` are `ranges[0]`, `ranges[1]`, …; plain numbers are the column
    `value`.
    """
    try:
        import pandas
    except ImportError as error:
        raise DatasetError("to_pandas needs pandas; install it") from error
    index = pandas.to_datetime(series.times(), unit="ns", utc=True).rename("time")
    columns: dict[str, Column] = {}
    for path, column in _columns(series, paths).items():
        if column.ndim == 1:
            columns[path] = column
        elif paths is None and path != "value":
            columns[path] = _objects(column)
        else:
            flat = column.reshape(len(column), -1)
            columns.update({f"{path}[{at}]": flat[:, at] for at in range(flat.shape[1])})
    return pandas.DataFrame(columns, index=index)


def to_arrow(series: Columnar, paths: Sequence[str] | None = None) -> pyarrow.Table:
    """A Table with the log times as `time` (timestamp[ns, UTC]) and one column for each path;
    arrays (n, k) are fixed-size lists.

    The default paths are those of `to_pandas`.
    """
    try:
        import pyarrow
    except ImportError as error:
        raise DatasetError("to_arrow needs pyarrow; install it") from error
    arrays = {"time": pyarrow.array(series.times(), pyarrow.timestamp("ns", "UTC"))}
    for path, column in _columns(series, paths).items():
        if column.ndim == 1:
            arrays[path] = pyarrow.array(column.tolist() if column.dtype == object else column)
            continue
        array = pyarrow.array(np.ascontiguousarray(column).reshape(-1))
        for size in column.shape[:0:-1]:
            array = pyarrow.FixedSizeListArray.from_arrays(array, size)
        arrays[path] = array
    return pyarrow.table(arrays)


def _columns(series: Columnar, paths: Sequence[str] | None) -> dict[str, Column]:
    if paths is None:
        lists: list[str] = []
        paths = [path for value in series[:1] for path in _paths(value, "", lists)]
        if lists:
            warnings.warn(
                f"left out, as a list is no column: {', '.join(lists)}; "
                "name the fields of its elements in paths, like 'points[].x'",
                stacklevel=4,
            )
    return {path or "value": series.column(path) for path in paths}


def _objects(column: Column) -> Column:
    """The arrays (n, k) of a column as n objects."""
    made = np.empty(len(column), object)
    for row, values in enumerate(column):
        made[row] = values
    return made


def _paths(value: Any, path: str, lists: list[str]) -> Iterator[str]:
    """The paths of the fields of a value that can be a column; those of lists go to `lists`."""
    is_array = hasattr(value, "typecode") or (isinstance(value, np.ndarray) and value.ndim > 0)
    if is_array:
        yield path
    elif isinstance(value, list):
        lists.append(path or "value")
    elif isinstance(value, _SCALARS) or time_ns(value) is not None:
        yield path
    else:
        for name, part in fields_of(value).items():
            yield from _paths(part, f"{path}.{name}" if path else name, lists)
