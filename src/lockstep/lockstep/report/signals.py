"""One field over time, from arrays, datasets, or sequences of messages, dataclasses and dicts."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ..bag import Bag, BagError
from ..errors import DatasetError, ReportError
from ..message.time import NS_PER_S
from ..message.units import unit_of
from .style import plain

if TYPE_CHECKING:
    from ..dataset import Dataset, Series

Plottable: TypeAlias = "Bag | os.PathLike[str] | Dataset | Series | npt.ArrayLike | Iterable[Any]"
"""Numbers (n, …), or n values with fields: of a bag or its path, a dataset (a path KEY:FIELD
chooses among several keys), a series, or messages."""
Times = str | npt.ArrayLike | None
"""Times (n,): integers are ns, floats are seconds; of a Series, also "log", "publish" or
"header"."""
_LAST_S = np.iinfo(np.int64).max / NS_PER_S


@dataclass(frozen=True)
class Signal:
    """`values` (n, …) are numbers; `time_ns` (n,) is None where only ticks are known.

    Names are ready to be drawn.
    """

    values: npt.NDArray[Any]
    time_ns: npt.NDArray[np.int64] | None
    field: str = ""
    key: str = ""
    unit: str = ""

    @property
    def subject(self) -> str:
        """What the signal is: `angular_velocity.z of /imu/data`."""
        return " of ".join(name for name in (self.field, self.key) if name)

    def seconds(self, origin_ns: int | None = None) -> npt.NDArray[np.float64] | None:
        """Times (n,) in seconds since the first, or since `origin_ns`; None without times."""
        if self.time_ns is None or not len(self.time_ns):
            return None if self.time_ns is None else np.empty(0)
        return (self.time_ns - (self.time_ns[0] if origin_ns is None else origin_ns)) / NS_PER_S


def signal_of(
    data: Plottable, path: str = "", time: Times = None, *, ragged: bool = False
) -> Signal:
    """The field that `path` names, as a Signal.

    The times of a Series are its log times unless told otherwise, those of messages their header
    stamps, if they have any. Arrays of unequal length are refused, or with `ragged` put end to end.
    Raises ReportError if the field is not there or is no number.
    """
    from ..dataset import Dataset, Series  # as most reports show none

    what = path or "the values"
    if isinstance(data, (Bag, os.PathLike)):
        data = Dataset.load(data.path if isinstance(data, Bag) else data)
    if isinstance(data, Dataset):
        data, path = _series(data, path)
    if isinstance(data, Series):
        try:
            found = data.column(path)
            at: npt.NDArray[np.int64] | None = _times_of(data, time)
        except (DatasetError, BagError) as error:
            raise ReportError(str(error)) from error
        key, type_name, what = data.key, data.type_name, f"{what} of {data.key}"
    else:
        found, at = _column(data, path, time)
        key, type_name = "", ""
    values = _numbers(found, what, ragged)
    if at is not None and len(at) != len(found):
        raise ReportError(f"there are {len(at)} times for {len(found)} values; give one for each")
    return Signal(values, at, plain(path), plain(key), unit_of(path, type_name))


def named_signals(
    data: Plottable | Mapping[str, Plottable], paths: str | Sequence[str], time: Times = None
) -> list[Signal]:
    """One signal of each path.

    Several data by name give those of each, with the name before the field.
    """
    chosen = [paths] if isinstance(paths, str) else list(paths)
    if not chosen or (isinstance(data, Mapping) and not data):
        raise ReportError("there is nothing to show; name at least one field")
    if not isinstance(data, Mapping):
        if isinstance(data, Iterator):
            data = list(data)
        return [signal_of(data, path, time) for path in chosen]
    found = []
    for name, one in data.items():
        for signal in named_signals(one, chosen, time):
            label = " ".join(part for part in (plain(str(name), 30), signal.field) if part)
            found.append(replace(signal, field=label))
    return found


def not_finite(values: npt.NDArray[Any]) -> str:
    """How many values are NaN and inf: `3 NaN, 1 inf`; empty without any."""
    if values.dtype.kind != "f":
        return ""
    counts = ((int(np.isnan(values).sum()), "NaN"), (int(np.isinf(values).sum()), "inf"))
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def _series(dataset: Dataset, path: str) -> tuple[Series, str]:
    """The series that KEY:FIELD names, or the only one, and the path of the field."""
    keys = dataset.keys()
    key, colon, field = path.partition(":")
    if colon and key in keys:
        return dataset[key], field
    if len(keys) != 1:
        there = ", ".join(keys) or "none"
        raise ReportError(
            "choose one key of the dataset, as in dataset['key'], or the path 'KEY:FIELD'; there "
            f"are: {there}"
        )
    return dataset[keys[0]], path


def _times_of(series: Series, time: Times) -> npt.NDArray[np.int64]:
    if time is None or isinstance(time, str):
        return series.times(time or "log")  # type: ignore[arg-type]
    return _times(time)


def _column(
    data: Any, path: str, time: Times
) -> tuple[npt.NDArray[Any], npt.NDArray[np.int64] | None]:
    from ..dataset.columns import column

    at = None if time is None else _times(time)
    if isinstance(data, np.ndarray) or hasattr(data, "__array__"):
        array = np.asarray(data)
        if path and path not in (array.dtype.names or ()):
            raise ReportError(
                f"an array of {array.dtype} has no field '{path}'; leave the path out"
            )
        return np.atleast_1d(array[path] if path else array), at
    if isinstance(data, (str, bytes)) or not isinstance(data, Iterable):
        data = [data]
    values = list(data)
    try:
        found = column(values, path, "what is given")
    except DatasetError as error:
        raise ReportError(str(error)) from error
    return found, _header_stamps(values) if at is None and path and values else at


def _header_stamps(values: Sequence[Any]) -> npt.NDArray[np.int64] | None:
    from ..dataset.columns import column

    try:
        stamps = column(values, "header.stamp", "")
    except DatasetError:
        return None
    return stamps if stamps.dtype == np.int64 else None


def _numbers(found: npt.NDArray[Any], what: str, ragged: bool) -> npt.NDArray[Any]:
    if found.dtype.kind in "biu":
        return found
    if found.dtype.kind == "f":
        return found.astype(np.float64) if found.dtype.itemsize not in (4, 8) else found
    if found.dtype.kind == "O" and len(found):
        arrays = [np.asarray(one) for one in found if isinstance(one, (np.ndarray, list))]
        if len(arrays) == len(found) and all(one.dtype.kind in "biuf" for one in arrays):
            if ragged:
                return np.concatenate([one.ravel() for one in arrays])
            raise ReportError(
                f"{what} are arrays of unequal length; choose one element, as in a[0]"
            )
    kind = type(found.flat[0]).__name__ if found.size else str(found.dtype)
    raise ReportError(f"{what} are no numbers but {kind}; name a field that is a number")


def _times(time: Any) -> npt.NDArray[np.int64]:
    if isinstance(time, str):
        raise ReportError(f"'{time}' names a time of a Series; give these values an array of times")
    at = np.atleast_1d(np.asarray(time))
    if at.dtype.kind in "mM":
        return at.astype(f"{at.dtype.kind}8[ns]").astype(np.int64)
    if at.ndim == 1 and at.dtype.kind in "iu":
        return at.astype(np.int64)
    if at.ndim == 1 and at.dtype.kind == "f" and bool(np.all(np.abs(at) < _LAST_S)):
        return np.rint(at.astype(np.float64) * NS_PER_S).astype(np.int64)
    raise ReportError(
        "times are one number for each value: integers in ns or finite floats in seconds"
    )
