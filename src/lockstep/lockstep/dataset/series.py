"""One key of a dataset: its values and their times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np

from ..errors import DatasetError
from ..message.arrays import Column, Int64s
from ..message.time import NS_PER_S
from .form import plain
from .messages import converted
from .source import Record, Source, within

if TYPE_CHECKING:
    import pandas
    import pyarrow

TimeKind = Literal["log", "publish", "header"]


class Series:
    """The values of one key, in the order they were appended.

    Nothing is read before it is asked for.

    `series[i]` is a value, `series[10:20]` (or an array of indices, or a mask) a series of some.
    """

    def __init__(self, source: Source, key: str, rows: Int64s | None = None) -> None:
        self.key = key
        self._source = source
        self._rows = rows

    def __repr__(self) -> str:
        return f"<Series {self.key}: {len(self)} of {self.type_name or 'any kind'}>"

    def __len__(self) -> int:
        return self._source.count(self.key) if self._rows is None else len(self._rows)

    def __iter__(self) -> Iterator[Any]:
        for record in self._stored():
            yield plain(record.value)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice | Sequence[int] | Column) -> Series: ...
    def __getitem__(self, index: int | slice | Sequence[int] | Column) -> Any:
        count = len(self)
        if isinstance(index, (int, np.integer)):
            if not -count <= index < count:
                raise IndexError(f"{self.key} has {count} values; there is no [{index}]")
            return next(iter(self[[int(index) % count]]))
        rows = np.arange(count) if self._rows is None else self._rows
        try:
            return Series(self._source, self.key, rows[index])
        except IndexError as error:
            raise IndexError(f"{self.key} has {count} values: {error}") from error

    @property
    def type_name(self) -> str:
        """The name of the ROS type that a bag stores the values as; empty where they are kept as
        they are."""
        topic = self._source.topic(self.key)
        return topic.type if topic is not None else ""

    @property
    def start_ns(self) -> int:
        """The earliest log time; 0 without values."""
        return int(self.times().min(initial=np.iinfo(np.int64).max)) if len(self) else 0

    @property
    def end_ns(self) -> int:
        """The latest log time; 0 without values."""
        return int(self.times().max(initial=np.iinfo(np.int64).min)) if len(self) else 0

    @property
    def duration_s(self) -> float:
        """Seconds from the earliest to the latest log time."""
        return (self.end_ns - self.start_ns) / NS_PER_S

    @property
    def rate_hz(self) -> float:
        """Mean number of values per second; 0 for fewer than two, or all at once."""
        duration_s = self.duration_s
        return (len(self) - 1) / duration_s if duration_s > 0 else 0.0

    def times(self, kind: TimeKind = "log", relative_to: int | None = None) -> Int64s:
        """The time of each value (n,) in ns: when it was logged or published, or the stamp in its
        header.

        `relative_to` is subtracted. Raises DatasetError for the header stamps of values without
        any.
        """
        if kind == "log":
            times = self._source.stamps(self.key)
        elif kind == "publish":
            times = self._source.publish_times(self.key)
        elif kind == "header":
            stamps = self._header_stamps()
            return stamps if relative_to is None else stamps - relative_to
        else:
            raise DatasetError(f"'{kind}' is no time; use 'log', 'publish' or 'header'")
        chosen = times if self._rows is None else times[self._rows]
        return chosen if relative_to is None else chosen - relative_to

    def column(self, path: str = "") -> Column:
        """One field of every value as a numpy array, or the values themselves (numbers, arrays).

        Numbers (n,), arrays of equal shape (n, …), all else objects (n,); times in int64 ns.
        `ranges[3]` selects one element, `poses[].position.x` one field of each. Raises DatasetError
        if a value has no such field.
        """
        if self._rows is None:
            return self._source.column(self.key, path)
        if not len(self._rows):
            return self._source.column(self.key, path, 0, 0)
        stamps = self._source.stamps(self.key)
        start_ns, end_ns = int(stamps[self._rows].min()), int(stamps[self._rows].max()) + 1
        inside = np.flatnonzero(within(stamps, start_ns, end_ns))
        column = self._source.column(self.key, path, start_ns, end_ns)
        return column[np.searchsorted(inside, self._rows)]

    def messages(self, cls: type | None = None) -> Iterator[Any]:
        """The values; with `cls`, a ROS message class or a dataclass, as instances of it."""
        for value in self:
            yield value if cls is None else converted(value, cls, self.key)

    def records(self) -> Iterator[Record]:
        """The values with their times."""
        for record in self._stored():
            yield record.decoded()

    def to_pandas(self, paths: Sequence[str] | None = None) -> pandas.DataFrame:
        """A pandas DataFrame of fields, indexed by log time; see `tables.to_pandas`."""
        from .tables import to_pandas

        return to_pandas(self, paths)

    def to_arrow(self, paths: Sequence[str] | None = None) -> pyarrow.Table:
        """A pyarrow Table of fields, with the log times as `time`; see `tables.to_arrow`."""
        from .tables import to_arrow

        return to_arrow(self, paths)

    def _stored(self) -> Iterator[Record]:
        if self._rows is None:
            return self._source.records([self.key])
        return self._source.read(self.key, self._rows)

    def _header_stamps(self) -> Int64s:
        try:
            return self.column("header.stamp").astype(np.int64)
        except (DatasetError, TypeError, ValueError) as error:
            raise DatasetError(
                f"values of {self.key} have no header.stamp; use the times 'log' or 'publish'"
            ) from error
