"""Datasets in one .pkl file: a magic line, then frames of a fixed head and a payload.

Killed at any moment it stays readable. Head (little endian): kind u8, key u32, form u32, log time
i64, publish time i64, length u64. Kinds: 0 declares a key and 1 a form, by JSON; 2 is a value, as
`plain_value` writes it; 3 is a value that is kept as encoded in form `form`. In version 1 of the
format a value was a pickle, which `restricted_pickle` still reads. For trusted files: what is
loaded is checked and can run no code, but a file may be made to exhaust the machine.
"""

from __future__ import annotations

import json
import os
import struct
import warnings
from array import array
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ...bag import Topic
from ...errors import DatasetError
from ...message.arrays import Column, Int64s
from ..form import Encoded, Form
from ..messages import is_message, is_rosidl
from ..source import OnlyRecords, Record, column_of, within
from ..stored_as import form_of, form_of_topic
from . import plain_value, restricted_pickle

MAGIC = b"lockstep dataset 2\n"
MAGIC_OF_PICKLES = b"lockstep dataset 1\n"
HEAD = struct.Struct("<BIIqqQ")
KEY, FORM, VALUE, ENCODED = range(4)
_FORM_FIELDS = ("type", "definition", "encoding", "type_hash", "message_encoding")
_READ_BYTES = 1 << 20


class PickleBackend(OnlyRecords):
    """One file; `writable` creates it, else it is only read."""

    def __init__(self, path: str, writable: bool) -> None:
        self.path = Path(path)
        self._keys: dict[str, int] = {}
        self._forms: list[Form] = []
        self._form_numbers: dict[tuple[str, ...], int] = {}
        self._key = array("I")
        self._stamps = array("q")
        self._publish = array("q")
        self._offsets = array("Q")
        self._file: BinaryIO | None = None
        self._end = len(MAGIC)
        self._has_pickles = False
        if not writable:
            self._index()
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("xb")
            self._file.write(MAGIC)
        except FileExistsError as error:
            raise DatasetError(
                f"{path} exists already; choose another name or delete it"
            ) from error
        except OSError as error:
            raise DatasetError(f"cannot create {path}: {error.strerror}") from error

    def append(self, key: str, value: Any, stamp_ns: int, publish_ns: int) -> None:
        if self._file is None:
            raise DatasetError(f"{self.path} is only read; save the dataset to a new place first")
        form = 0
        if is_message(value) and not is_rosidl(type(value)):
            described = form_of(value)
            value = Encoded(described.encode(value), described)
        if isinstance(value, Encoded):
            kind, payload = ENCODED, value.data
            form = self._form_number(value.form)
        else:
            kind, payload = VALUE, plain_value.dumps(value, self._form_number)
        number = self._keys.get(key)
        if number is None:
            number = self._keys[key] = len(self._keys)
            self._write(KEY, number, 0, 0, 0, json.dumps(key).encode())
        self._note(number, stamp_ns, publish_ns)
        self._write(kind, number, form, stamp_ns, publish_ns, payload)

    def flush(self) -> None:
        if self._file is not None:
            try:
                self._file.flush()
            except OSError as error:
                raise DatasetError(f"cannot write {self.path}: {error.strerror}") from error

    def close(self) -> None:
        self.flush()
        if self._file is not None:
            self._file.close()
            self._file = None

    def names(self) -> list[str]:
        return list(self._keys)

    def topic(self, key: str) -> Topic | None:
        return None

    def count(self, key: str) -> int:
        return len(self._rows(key))

    def span(self) -> tuple[int, int] | None:
        return (min(self._stamps), max(self._stamps)) if self._stamps else None

    def stamps(self, key: str) -> Int64s:
        return np.array(self._stamps, np.int64)[self._rows(key)]

    def publish_times(self, key: str) -> Int64s:
        return np.array(self._publish, np.int64)[self._rows(key)]

    def records(
        self,
        keys: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
    ) -> Iterator[Record]:
        names = list(self._keys)
        stamps = np.array(self._stamps, np.int64)
        chosen = within(stamps, start_ns, end_ns)
        if keys is not None:
            chosen &= np.isin(
                np.array(self._key, np.int64),
                [number for name, number in self._keys.items() if name in keys],
            )
        with self._reading() as file:
            for row in np.flatnonzero(chosen).tolist():
                file.seek(self._offsets[row])
                yield self._record(file, names[self._key[row]], row)

    def read(self, key: str, rows: Int64s) -> Iterator[Record]:
        with self._reading() as file:
            for row in self._rows(key)[rows].tolist():
                file.seek(self._offsets[row])
                yield self._record(file, key, row)

    def column(
        self, key: str, path: str, start_ns: int | None = None, end_ns: int | None = None
    ) -> Column:
        return column_of(self.records([key], start_ns, end_ns), path, key)

    def _reading(self) -> BinaryIO:
        self.flush()
        try:
            return self.path.open("rb", buffering=_READ_BYTES)
        except OSError as error:
            raise DatasetError(f"cannot open {self.path}: {error.strerror}") from error

    def _rows(self, key: str) -> Int64s:
        return np.flatnonzero(np.array(self._key, np.int64) == self._keys[key])

    def _record(self, file: BinaryIO, key: str, row: int) -> Record:
        kind, _, form, stamp_ns, publish_ns, length = HEAD.unpack(file.read(HEAD.size))
        payload = file.read(length)
        try:
            if kind == ENCODED and form < len(self._forms):
                value = Encoded(payload, self._forms[form])
            elif self._has_pickles:
                value = restricted_pickle.loads(payload)
            else:
                value = plain_value.loads(payload, self._forms)
        except DatasetError as error:
            raise DatasetError(f"{self.path}, key {key}: {error}") from error
        return Record(key, stamp_ns, publish_ns, value)

    def _note(self, key: int, stamp_ns: int, publish_ns: int) -> None:
        self._key.append(key)
        self._stamps.append(stamp_ns)
        self._publish.append(publish_ns)
        self._offsets.append(self._end)

    def _write(
        self, kind: int, key: int, form: int, stamp_ns: int, publish_ns: int, payload: bytes
    ) -> None:
        assert self._file is not None
        try:
            self._file.write(HEAD.pack(kind, key, form, stamp_ns, publish_ns, len(payload)))
            self._file.write(payload)
        except OSError as error:
            raise DatasetError(f"cannot write {self.path}: {error.strerror}") from error
        self._end += HEAD.size + len(payload)

    def _form_number(self, form: Form) -> int:
        topic = tuple(getattr(form.topic, name) for name in _FORM_FIELDS)
        number = self._form_numbers.get(topic)
        if number is None:
            number = self._form_numbers[topic] = len(self._forms)
            self._forms.append(form)
            row = dict(zip(_FORM_FIELDS, topic, strict=True))
            self._write(FORM, 0, number, 0, 0, json.dumps(row).encode())
        return number

    def _index(self) -> None:
        """Note where every value is, by hopping from head to head."""
        with self._reading() as file:
            size = os.fstat(file.fileno()).st_size
            magic = file.read(len(MAGIC))
            self._has_pickles = magic == MAGIC_OF_PICKLES
            if magic not in (MAGIC, MAGIC_OF_PICKLES):
                raise DatasetError(
                    f"{self.path} is no dataset that Lockstep wrote; other pickles are not loaded"
                )
            while self._end < size:
                head = file.read(HEAD.size)
                if len(head) < HEAD.size:
                    break
                kind, key, _, stamp_ns, publish_ns, length = HEAD.unpack(head)
                end = self._end + HEAD.size + length
                if end > size:
                    break
                if kind in (KEY, FORM):
                    self._declare(kind, key, file.read(length))
                elif kind in (VALUE, ENCODED) and key < len(self._keys):
                    self._note(key, stamp_ns, publish_ns)
                    file.seek(end)
                else:
                    raise self._damaged()
                self._end = end
        if self._end < size:
            warnings.warn(
                f"{self.path} is cut off: its last {size - self._end} bytes are no whole value; "
                f"{len(self._key)} are",
                stacklevel=2,
            )

    def _declare(self, kind: int, number: int, payload: bytes) -> None:
        try:
            declared = json.loads(payload)
            if kind == KEY and isinstance(declared, str) and number == len(self._keys):
                self._keys[declared] = number
            elif kind == FORM:
                texts: dict[str, Any] = {name: str(declared[name]) for name in _FORM_FIELDS}
                self._forms.append(form_of_topic(Topic("", **texts)))
            else:
                raise self._damaged()
        except (ValueError, LookupError, TypeError) as error:
            raise self._damaged() from error

    def _damaged(self) -> DatasetError:
        return DatasetError(f"{self.path} is damaged at byte {self._end}; write it again")
