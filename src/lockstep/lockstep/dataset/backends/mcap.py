"""Datasets as bags: written as rosbag2 folders or files with MCAP storage, read from every bag that
Lockstep reads."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...bag import Bag, BagError, BagWriter, Topic
from ...bag.convert import declare
from ...bag.enclosed import Enclosed
from ...bag.metadata import Origin
from ...errors import DatasetError
from ...message.arrays import Column, Int64s
from ..form import Encoded, Form, encoded
from ..source import OnlyRecords, Record, Streamed
from ..stored_as import form_of, form_of_topic


class BagSource(OnlyRecords, Streamed):
    """A bag that is read; one that is not whole gives what is, with a warning.

    It can be pickled and survives a fork: each process opens the bag for itself.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._open()

    def _open(self) -> None:
        self._pid = os.getpid()
        self._forms: dict[str, Form] = {}
        self._stamps: dict[str, Int64s] = {}
        self._problem: str | None = None
        try:
            self._opened = Bag(self.path)
        except BagError as error:
            raise DatasetError(str(error)) from error
        self._warn()

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        self._open()

    @property
    def bag(self) -> Bag:
        """The bag as this process has it open."""
        if self._pid != os.getpid():
            self._open()
        return self._opened

    def append(self, key: str, value: Any, stamp_ns: int, publish_ns: int) -> None:
        raise DatasetError(f"{self.path} is only read; save the dataset to a new place first")

    @property
    def origin(self) -> Origin:
        return self.bag.origin

    def enclosed(self) -> Iterator[Enclosed]:
        return self.bag.enclosed()

    def flush(self) -> None:
        """Nothing waits to be written."""

    def close(self) -> None:
        self.bag.close()

    def names(self) -> list[str]:
        return list(self.bag.topics)

    def topic(self, key: str) -> Topic | None:
        return self.bag.topics[key]

    def span(self) -> tuple[int, int] | None:
        return (self.bag.start_ns, self.bag.end_ns) if self.bag.count else None

    def stamps(self, key: str) -> Int64s:
        if key not in self._stamps:  # asked for again and again, to find values by their index
            self._stamps[key] = self._times(key, "log")
        return self._stamps[key]

    def publish_times(self, key: str) -> Int64s:
        return self._times(key, "publish")

    def count(self, key: str) -> int:
        return self.bag.topics[key].count if self.bag.problem is None else super().count(key)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        try:
            for message in self.bag.messages(keys, start_ns, end_ns, strict=False):
                key, log_time_ns, publish_time_ns, data = message
                form = self._forms.get(key) or self._form(key)
                yield Record(key, log_time_ns, publish_time_ns, Encoded(data, form))
        except BagError as error:
            raise DatasetError(str(error)) from error
        self._warn()

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        form = self._form(key)
        path = path or form.path or ""
        if not path or not (form.is_message or form.path):
            return super().column(key, path, start_ns, end_ns)
        try:
            found: Column = self.bag.columns(
                key, [path], start_ns=start_ns, end_ns=end_ns, strict=False
            )[path]
        except BagError as error:
            raise DatasetError(str(error)) from error
        self._warn()
        return found

    def _times(self, key: str, kind: Literal["log", "publish"]) -> Int64s:
        if self.bag.problem is None:
            with suppress(BagError):  # damage that nobody knew of yet
                return self.bag.times(key, kind)
        name = f"{kind}_time_ns"
        try:
            parts = [getattr(batch, name) for batch in self.bag.batches([key], strict=False)]
        except BagError as error:
            raise DatasetError(str(error)) from error
        return np.concatenate([np.empty(0, np.int64), *parts])

    def _form(self, key: str) -> Form:
        if key not in self._forms:
            topic = self.bag.topics[key]
            if topic.clash:
                raise DatasetError(topic.clash)
            self._forms[key] = form_of_topic(topic)
        return self._forms[key]

    def _warn(self) -> None:
        """Tell once what is wrong with the bag."""
        if self._opened.problem and self._opened.problem != self._problem:
            self._problem = self._opened.problem
            warnings.warn(self._problem, stacklevel=2)


class McapBackend(Streamed):
    """A bag that is written; the first reading finishes it."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self._forms: dict[str, Form] = {}
        self._read: BagSource | None = None
        try:
            self._writer = BagWriter(self.path)
        except BagError as error:
            raise DatasetError(str(error)) from error

    def append(self, key: str, value: Any, stamp_ns: int, publish_ns: int) -> None:
        if self._read is not None:
            raise DatasetError(
                f"{self.path} is finished since it was read; append all before, or to another "
                "dataset"
            )
        form = self._forms.get(key)
        try:
            if form is None:
                form = self._add(key, value)
            self._writer.write(key, encoded(form, value, key), stamp_ns, publish_ns)
        except BagError as error:
            raise DatasetError(str(error)) from error

    @property
    def origin(self) -> Origin:
        return self._finished().origin

    def enclosed(self) -> Iterator[Enclosed]:
        return self._finished().enclosed()

    def describe(self, origin: Origin) -> str:
        return self._writer.describe(origin)

    def enclose(self, enclosed: Enclosed) -> bool:
        try:
            return self._writer.enclose(enclosed)
        except BagError as error:
            raise DatasetError(str(error)) from error

    def flush(self) -> None:
        try:
            self._writer.flush()
        except BagError as error:
            raise DatasetError(str(error)) from error

    def close(self) -> None:
        try:
            self._writer.close()
        except BagError as error:
            raise DatasetError(str(error)) from error

    def names(self) -> list[str]:
        return list(self._forms)

    def topic(self, key: str) -> Topic | None:
        return self._forms[key].topic

    def count(self, key: str) -> int:
        return self._writer.counts[key]

    def span(self) -> tuple[int, int] | None:
        return self._finished().span()

    def stamps(self, key: str) -> Int64s:
        return self._finished().stamps(key)

    def publish_times(self, key: str) -> Int64s:
        return self._finished().publish_times(key)

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        return self._finished().records(keys, start_ns, end_ns)

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        return self._finished().column(key, path, start_ns, end_ns)

    def _finished(self) -> BagSource:
        if self._read is None:
            self.close()
            self._read = BagSource(str(self.path))
        return self._read

    def _add(self, key: str, value: Any) -> Form:
        form = form_of(value)
        declare(self._writer, form.topic, key)
        self._forms[key] = form
        return form
