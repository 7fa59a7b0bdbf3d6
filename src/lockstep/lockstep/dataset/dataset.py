"""Datasets: values by key, each with a time, wherever they are stored."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bag.convert import copy_rest
from ..closing import Closable
from ..errors import DatasetError
from ..message.time import NS_PER_S
from ..printable import html_table
from ..progress import Progress
from .backends import create, open_place
from .joining import Chained, Merged
from .picking import Drawn, Method, Resampled, Shuffled, grid_limits
from .series import Series
from .source import Backend, Record, Source
from .views import Renamed, Retimed, Selected

if TYPE_CHECKING:
    import torch.utils.data

_INT64 = np.iinfo(np.int64)
Place = str | os.PathLike[str]
_TOLD_EVERY = 1000


class LeftOut(UserWarning):
    """What a place cannot hold of that which a dataset holds beside its values."""


class Dataset(Closable):
    """Values by key (topic): `dataset["imu"]` is a Series.

    Like a mapping, it iterates over its keys and counts them.

    What it is asked for is read when it is needed. `select`, `merge`, `resample` and the like give
    new datasets that stream from this one; `save` writes any of them to a place.
    """

    def __init__(self, source: Source, backend: Backend | None = None) -> None:
        self._source = source
        self._backend = backend
        self._opened: list[Dataset] = []

    @classmethod
    def create(cls, backend: str = "memory", path: Place | None = None) -> Dataset:
        """A new, empty dataset, in memory or at a `path`.

        `backend` is "memory", "pickle", "mcap" or "reductstore".

        A place alone will do: "run.mcap", "run" (a bag folder), "run.pkl",
        "reduct://host:8383/bucket".
        """
        made = create(os.fspath(backend), path)
        return cls(made, made)

    @classmethod
    def load(cls, path: Place | Sequence[Place], backend: str | None = None) -> Dataset:
        """The dataset at a path, glob or URL, to be read; several are chained in the order given.

        Takes every bag that Lockstep reads, .pkl files and ReductStore buckets. A bag that is cut
        off gives what is whole, with a warning. Raises DatasetError if there is nothing to read.
        """
        if isinstance(path, (str, os.PathLike)):
            opened = open_place(path, backend)
            return cls(opened, opened)
        if not path:
            raise DatasetError("no recording to load; give at least one path")
        datasets: list[Dataset] = []
        try:
            for one in path:
                datasets.append(cls.load(one, backend))
        except BaseException:
            for dataset in datasets:
                dataset.close()
            raise
        chained = datasets[0].chain(*datasets[1:])
        chained._opened = datasets
        return chained

    @classmethod
    def collect(
        cls,
        place: Place,
        *,
        topics: Sequence[str] | None = None,
        types: Sequence[str] | None = None,
        labels: Mapping[str, str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Dataset:
        """All bags below a folder, or that a pattern names, here or behind a URL, one after the
        other, of which each is opened only while something of it is read.

        `topics` and `types` are names or patterns of them, `labels` those (or patterns of them)
        that its custom data must have; times are log times, start <= t < end. What each bag holds
        is kept in the user's cache as long as its files stay as they are. A bag that cannot be
        opened is a warning. Raises DatasetError where there is none that fits.
        """
        from .collected import Collected, chosen_bags
        from .summaries import summaries

        found = summaries(os.fspath(place))
        bags = chosen_bags(found, topics, types, labels or {}, start_ns, end_ns)
        if not bags:
            raise DatasetError(
                f"none of the {len(found)} bags below {place} fits; choose other topics, types, "
                "labels or times"
            )
        collected = cls(Collected(bags))
        is_cut = start_ns is not None or end_ns is not None
        return collected.select(start_ns=start_ns, end_ns=end_ns) if is_cut else collected

    @classmethod
    def combine(
        cls, weighted: Sequence[tuple[Dataset, float]], *, seed: int = 0, distinct: bool = True
    ) -> Dataset:
        """Several datasets one after the other, each value as often as the weight of its dataset
        says: one of 2.5 two or three times, one of 0.1 in one of ten cases, as `seed` decides.

        A value that says what an earlier one of its key says is left out before, if they are to be
        `distinct`: then all are read once.
        """
        if not weighted:
            raise DatasetError("nothing is to be combined; give datasets with their weights")
        for _, weight in weighted:
            if not 0 < weight < float("inf"):
                raise DatasetError(f"{weight} is no weight of a dataset; give a number above 0")
        leaves = [_leaves(dataset._source) for dataset, _ in weighted]
        chosen = [leaf for of_it in leaves for leaf in of_it]
        if distinct:
            from .weighted import distinct as first_ones

            chosen = first_ones(chosen)
        from .weighted import Weighted

        combined: list[Source] = []
        for of_it, (_, weight) in zip(leaves, weighted, strict=True):
            mine, chosen = Chained(chosen[: len(of_it)]), chosen[len(of_it) :]
            combined.append(mine if weight == 1 else Weighted(mine, weight, seed))
        return cls(Chained(combined))

    def __repr__(self) -> str:
        return f"<Dataset {', '.join(self.keys()) or 'without keys'}>"

    def _repr_html_(self) -> str:
        return html_table(
            f"dataset of {self.count} values",
            ("key", "type", "values"),
            ((key, self[key].type_name or "any", len(self[key])) for key in self),
        )

    def __len__(self) -> int:
        return len(self._source.names())

    def __iter__(self) -> Iterator[str]:
        return iter(self._source.names())

    def __contains__(self, key: object) -> bool:
        return key in self._source.names()

    def __getitem__(self, key: str) -> Series:
        self._check([key])
        return Series(self._source, key)

    def keys(self) -> list[str]:
        """The keys, in the order of their first values."""
        return self._source.names()

    @property
    def count(self) -> int:
        """Number of values of all keys."""
        return sum(self._source.count(key) for key in self.keys())

    @property
    def start_ns(self) -> int:
        """The earliest log time; 0 without values."""
        return (self._source.span() or (0, 0))[0]

    @property
    def end_ns(self) -> int:
        """The latest log time; 0 without values."""
        return (self._source.span() or (0, 0))[1]

    def append(
        self, key: str, value: Any, stamp_ns: int | None = None, *, publish_ns: int | None = None
    ) -> None:
        """Add a value under a key, at `stamp_ns` (default: now) since 1970.

        `publish_ns` defaults to the same. Raises DatasetError if the backend cannot hold the value,
        or is only read.
        """
        if self._backend is None:
            raise DatasetError("a view of datasets is only read; save it to a place first")
        if not isinstance(key, str) or not key:
            raise DatasetError(f"{key!r} is no key; give a name such as 'imu' or '/imu/data'")
        stamp_ns = time.time_ns() if stamp_ns is None else _nanoseconds(stamp_ns, key)
        publish_ns = stamp_ns if publish_ns is None else _nanoseconds(publish_ns, key)
        self._backend.append(key, value, stamp_ns, publish_ns)

    def records(self, keys: Collection[str] | None = None) -> Iterator[Record]:
        """All values with their keys and times, in the order they were appended."""
        for record in self._source.records(keys):
            yield record.decoded()

    def stored(self, start_ns: int | None = None, end_ns: int | None = None) -> Iterator[Record]:
        """Records with start_ns <= log time < end_ns whose values may still be encoded; `decoded()`
        decodes one."""
        return self._source.records(None, start_ns, end_ns)

    def flush(self) -> None:
        """Hand what was appended to the operating system or server."""
        if self._backend is not None:
            self._backend.flush()

    def close(self) -> None:
        """Finish what is written and close what is open; a second time is harmless."""
        for dataset in self._opened:
            dataset.close()
        if self._backend is not None:
            self._backend.close()

    def save(
        self, path: Place, backend: str | None = None, progress: Progress | None = None
    ) -> Dataset:
        """Write all values to a new place and return the dataset there, to be read.

        Values that are bytes are not decoded. Attachments, metadata records, custom data and the
        ROS distribution of a bag go along; what the place cannot hold of them is a warning, of
        category LeftOut. Sequence numbers are counted anew.

        `progress` is told how many values of how many are written.
        """
        place = os.fspath(path)
        with self.create(place) if backend is None else self.create(backend, place) as saved:
            self.copy_to(saved, progress)
        return self.load(place, backend)

    def copy(self) -> Dataset:
        """The same in memory, which can be added to."""
        copied = self.create()
        self.copy_to(copied)
        return copied

    def copy_to(self, other: Dataset, progress: Progress | None = None) -> None:
        """Append all values to another dataset; see `save`."""
        if other._backend is None:
            raise DatasetError("a view of datasets is only read; save to a place")
        total = self.count if progress is not None else 0
        for done, (key, stamp_ns, publish_ns, value) in enumerate(self._source.records(), 1):
            other._backend.append(key, value, stamp_ns, publish_ns)
            if progress is not None and (done % _TOLD_EVERY == 0 or done == total):
                progress(done, total)
        if left_out := copy_rest(self._source, other._backend):
            warnings.warn(left_out, LeftOut, stacklevel=2)

    def select(
        self,
        keys: str | Collection[str] | None = None,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        ticks: slice | None = None,
    ) -> Dataset:
        """Some keys, start <= log time < end, and of each key the ticks (indices) of a slice.

        Times in seconds count from the start of this dataset, those in ns from 1970.
        """
        chosen = [keys] if isinstance(keys, str) else list(dict.fromkeys(keys or ()))
        chosen = self.keys() if keys is None else chosen
        self._check(chosen)
        for seconds, ns in ((start_s, start_ns), (end_s, end_ns)):
            if seconds is not None and ns is not None:
                raise DatasetError(f"select got both {seconds} s and {ns} ns; give one of them")
        origin_ns = self.start_ns if start_s is not None or end_s is not None else 0
        if start_s is not None:
            start_ns = origin_ns + round(start_s * NS_PER_S)
        if end_s is not None:
            end_ns = origin_ns + round(end_s * NS_PER_S)
        return Dataset(Selected(self._source, chosen, start_ns, end_ns, ticks))

    def rename(self, names: Mapping[str, str]) -> Dataset:
        """The same under other keys: `names` is old → new."""
        self._check(names)
        return Dataset(Renamed(self._source, names))

    def shift(self, *, seconds: float = 0.0, ns: int = 0) -> Dataset:
        """All log and publish times later by `seconds` and `ns`. Stamps in messages stay."""
        return Dataset(Retimed(self._source, 0, 1.0, round(seconds * NS_PER_S) + ns))

    def scale_time(self, factor: float) -> Dataset:
        """Log and publish times `factor` times as far from the start; 2 is half as fast.

        Stamps in messages stay.
        """
        if not 0 < factor < float("inf"):
            raise DatasetError(f"time cannot be scaled by {factor}; give a number above 0")
        return Dataset(Retimed(self._source, self.start_ns, factor, 0))

    def starting_at(self, start_ns: int) -> Dataset:
        """The same, moved in time so that it starts at `start_ns`."""
        return self.shift(ns=start_ns - self.start_ns)

    def chain(self, *others: Dataset) -> Dataset:
        """This and then the others, with the times they have."""
        return Dataset(Chained([self._source, *(other._source for other in others)]))

    def concatenate(self, *others: Dataset, gap_s: float = 0.0) -> Dataset:
        """This and then the others, each moved in time so that it starts `gap_s` after the end of
        the one before.

        With no gap, the first value of one has the time of the last of the one before.
        """
        joined, end_ns = [self], self.end_ns
        for other in others:
            moved = other.starting_at(end_ns + round(gap_s * NS_PER_S))
            if other._source.span() is not None:
                joined.append(moved)
                end_ns = moved.end_ns
        return joined[0].chain(*joined[1:])

    def merge(self, *others: Dataset) -> Dataset:
        """This and the others side by side, by log time; what is in order stays so."""
        return Dataset(Merged([self._source, *(other._source for other in others)]))

    def shuffle(self, seed: int) -> Dataset:
        """All values in a random order that `seed` decides; each keeps its time.

        Memory is bounded: of more than 256 MB, each such part takes one reading.
        """
        return Dataset(Shuffled(self._source, seed))

    def split(self, test: float = 0.2, *, seed: int | None = None) -> tuple[Dataset, Dataset]:
        """A dataset for training and one for testing with a share of `test`.

        Without a seed the test is the end of the time, so that nothing of it leaks into the
        training; with one, values of each key are drawn at random.
        """
        if not 0 <= test <= 1:
            raise DatasetError(f"{test} is no share of a dataset; give a number from 0 to 1")
        if seed is None:
            end_ns = self.end_ns + 1
            cut_ns = end_ns - round((end_ns - self.start_ns) * test)
            return self.select(end_ns=cut_ns), self.select(start_ns=cut_ns)
        return (
            Dataset(Drawn(self._source, test, seed, others=True)),
            Dataset(Drawn(self._source, test, seed, others=False)),
        )

    def resample(
        self,
        rate_hz: float,
        method: Method = "previous",
        *,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Dataset:
        """Every key at the same times, `rate_hz` a second: tick i of all keys belongs together.

        The times begin when every key has a value, unless given, and end with the last. `method`
        takes the "previous" or "nearest" value, or goes linearly between two: floats, arrays and
        the float fields of messages; quaternions turn the shorter way; what is no float stays as
        before. Keys without values are left out.
        """
        if method not in ("previous", "nearest", "linear"):
            raise DatasetError(
                f"'{method}' resamples nothing; use 'previous', 'nearest' or 'linear'"
            )
        if not 0 < rate_hz <= NS_PER_S:
            raise DatasetError(f"{rate_hz} Hz is no rate; give a number above 0, up to 1e9")
        first_ns, last_ns = grid_limits(self._source)
        start_ns = first_ns if start_ns is None else start_ns
        end_ns = last_ns if end_ns is None else end_ns
        return Dataset(Resampled(self._source, NS_PER_S / rate_hz, start_ns, end_ns, method))

    def to_torch(
        self,
        columns: Mapping[str, Sequence[str]] | None = None,
        *,
        dtype: str = "float32",
        stream: bool = False,
    ) -> torch.utils.data.Dataset[Any]:
        """A PyTorch dataset of `columns`: key → paths, by default the values of every key.

        See `torch_dataset.to_torch`. Needs torch.
        """
        from .torch_dataset import to_torch

        self._check(columns or ())
        return to_torch(self._source, columns or {key: () for key in self}, dtype, stream)

    def _check(self, keys: Collection[str] | Mapping[str, str]) -> None:
        there = self._source.names()
        for key in keys:
            if key not in there:
                listed = ", ".join(sorted(there)) or "no keys"
                raise DatasetError(f"there is no key {key}; there is {listed}")


def _leaves(source: Source) -> list[Source]:
    """What a source is a chain of, at any depth."""
    if not isinstance(source, Chained):
        return [source]
    return [leaf for one in source.sources for leaf in _leaves(one)]


def _nanoseconds(time_ns: Any, key: str) -> int:
    if isinstance(time_ns, (bool, np.bool_)) or not isinstance(time_ns, (int, np.integer)):
        raise DatasetError(
            f"{time_ns!r} is no time for key {key}; give whole nanoseconds, "
            "such as round(seconds * 1e9)"
        )
    if not _INT64.min <= time_ns <= _INT64.max:
        raise DatasetError(f"{time_ns} ns is no time for key {key}; it does not fit into 64 bits")
    return int(time_ns)
