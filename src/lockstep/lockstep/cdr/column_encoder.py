"""Messages from columns: CDR of many messages at once, by filling in rows of one layout.

The counterpart of `columns`: messages whose strings and sequences have the same lengths have one
layout, so that one of them is encoded, and the numbers of all others are written where its numbers
are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..message.arrays import Bytes, Column, Int64s
from ..message.drawn_columns import Columns, Drawn, level_of, starts
from ..message.primitives import STRINGS
from ..message.schema import TIMES, MessageType
from ..message.time import NS_PER_S
from .codec import Codec

_FEWEST = 8
"""Messages of one layout that are worth being filled in."""


class ColumnEncoder:
    """Encodes messages of one type from columns by path (see `message.drawn_columns`);
    times are int64 ns.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._arrays: list[str] = []
        self._strings: list[str] = []
        self._sequences: list[str] = []
        self._times: dict[str, str] = {}
        self._one_by_one = False
        self._describe(codec.schema.root, "")

    def _describe(self, described: MessageType, prefix: str) -> None:
        for field in described.fields:
            path = f"{prefix}{field.name}"
            if field.type in TIMES:
                self._times[path] = f"{path}{'[]' if field.array else ''}"
            elif field.type in self._codec.schema.types:
                if field.array:
                    self._arrays.append(path)
                inner = f"{path}{'[]' if field.array else ''}."
                self._describe(self._codec.schema.types[field.type], inner)
                continue
            if field.type in STRINGS:
                self._strings.append(path)
                self._one_by_one |= field.type == "wstring" or bool(field.array)
            if field.array == "sequence":
                self._sequences.append(path)

    def encode(self, columns: Columns, count: int) -> tuple[Bytes, Int64s, Int64s]:
        """`count` messages as bytes, and where each begins in them and how long it is, (count,).

        Raises BagError, which names the field, for values that are not of the type.
        """
        messages = _Messages(self._codec, self._times, columns)
        parts: list[Bytes] = []
        offset, length = np.zeros(count, np.int64), np.zeros(count, np.int64)
        done = 0
        for rows in self._kinds(columns, count):
            first = messages.encoded(int(rows[0]))
            block = self._filled(columns, rows, first) if len(rows) >= _FEWEST else None
            if block is None:
                payloads = [first, *map(messages.encoded, rows[1:].tolist())]
                size = np.fromiter(map(len, payloads), np.int64, len(payloads))
                block = np.frombuffer(b"".join(payloads), np.uint8)
            else:
                size = np.full(len(rows), block.shape[1])
            offset[rows] = done + starts(size)
            length[rows] = size
            parts.append(block.reshape(-1))
            done += block.size
        buffer = np.concatenate([np.empty(0, np.uint8), *parts]) if len(parts) != 1 else parts[0]
        return buffer, offset, length

    def _kinds(self, columns: Columns, count: int) -> list[Int64s]:
        """The messages of each layout.

        Each for itself where finding out would take more than it is worth.
        """
        marks: list[Int64s] = []
        alone = self._one_by_one
        for path in (*self._arrays, *self._sequences, *self._strings):
            if alone:
                break
            drawn = columns[path]
            sizes = drawn.values if path in self._arrays else drawn.counts
            if sizes is None:
                sizes = _sizes(drawn.values)
            if level_of(path):
                # The layout is that of the message only if every element is like the others.
                alone = len(sizes) > 0 and bool((sizes != sizes[0]).any())
            else:
                marks.append(sizes.astype(np.int64, copy=False))
        if alone:
            return list(np.arange(count).reshape(-1, 1))
        if all((mark == mark[0]).all() for mark in marks if count):
            return [np.arange(count)]
        _, inverse = np.unique(np.stack(marks, axis=1), axis=0, return_inverse=True)
        inverse = inverse.reshape(-1)
        order = np.argsort(inverse, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1)

    def _filled(self, columns: Columns, rows: Int64s, first: bytes) -> Bytes | None:
        """Messages of the layout of the first, (m, size);
        None if it has too many fields to be filled in.
        """
        buffer = np.frombuffer(first, np.uint8)
        one = np.array([0]), np.array([len(first)])
        ((_, view),) = self._codec.groups(buffer, *one)
        if view is None:
            return None
        filled = np.tile(buffer, (len(rows), 1))
        fields: Column = np.ndarray((len(rows),), view.dtype, filled)
        names = view.dtype.names or ()
        paths: dict[str, list[str]] = {}
        for name in names:
            paths.setdefault(_without_indexes(name), []).append(name)
        for path, drawn in columns.items():
            if path in self._arrays:
                continue
            values = self._of_rows(columns, path, drawn, rows)
            if path in self._times:
                seconds, nanoseconds = np.divmod(values, NS_PER_S)
                _fill(fields, paths.get(f"{self._times[path]}.sec", []), seconds)
                _fill(fields, paths.get(f"{self._times[path]}.nanosec", []), nanoseconds)
            elif path in self._strings:
                _fill_strings(fields, paths.get(path, []), values)
            else:
                _fill(fields, paths.get(path, []), values)
        return filled

    def _of_rows(self, columns: Columns, path: str, drawn: Drawn, rows: Int64s) -> Column:
        """The values of some messages that have equally many: (m, …),
        with one dimension for all arrays around them.
        """
        spans = _element_spans(columns, path)
        if spans is None:
            return drawn.values[rows]
        begin, size = spans
        each = int(size[rows[0]])
        if len(rows) == len(size):
            return drawn.values.reshape(len(rows), each, *drawn.values.shape[1:])
        index = begin[rows][:, None] + np.arange(each)
        return drawn.values[index]


class _Messages:
    """The messages in columns, one by one, as dicts."""

    def __init__(self, codec: Codec, times: Mapping[str, str], columns: Columns) -> None:
        self._codec, self._times, self._columns = codec, times, columns
        self._begins: dict[str, list[int]] = {}

    def encoded(self, row: int) -> bytes:
        """The CDR of one message.

        Raises BagError, which names the field, for a value that is not of its type.
        """
        return self._codec.encode(self._message(self._codec.schema.root, "", row))

    def _message(self, described: MessageType, prefix: str, row: int) -> dict[str, Any]:
        """One message, or one element of an array of them."""
        made: dict[str, Any] = {}
        for field in described.fields:
            path = f"{prefix}{field.name}"
            nested = self._codec.schema.types.get(field.type)
            if nested is None or field.type in TIMES:
                made[field.name] = self._value(path, row)
            elif field.array:
                begin, end = self._span(path, self._columns[path].values, row)
                made[field.name] = [
                    self._message(nested, f"{path}[].", at) for at in range(begin, end)
                ]
            else:
                made[field.name] = self._message(nested, f"{path}.", row)
        return made

    def _value(self, path: str, row: int) -> Any:
        drawn = self._columns[path]
        if drawn.counts is not None:
            begin, end = self._span(path, drawn.counts, row)
            value = drawn.values[begin:end]
        else:
            value = drawn.values[row]
        if path in self._times:
            return [_time(one) for one in value] if np.ndim(value) else _time(value)
        return value.item() if isinstance(value, np.generic) else value

    def _span(self, path: str, counts: Int64s, row: int) -> tuple[int, int]:
        """Where the elements of one message begin and end."""
        if path not in self._begins:
            self._begins[path] = starts(counts).tolist()
        begin = self._begins[path][row]
        return begin, begin + int(counts[row])


def _time(time_ns: Any) -> dict[str, int]:
    seconds, nanoseconds = divmod(int(time_ns), NS_PER_S)
    return {"sec": seconds, "nanosec": nanoseconds}


def _sizes(texts: Column) -> Int64s:
    """The lengths in bytes of strings (n,)."""
    if len(texts) and texts.strides[0] == 0:  # one string for all
        return np.full(len(texts), len(_bytes(texts[0])))
    listed = texts.tolist()
    known = {text: len(_bytes(text)) for text in set(listed)}
    return np.fromiter(map(known.__getitem__, listed), np.int64, len(listed))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _element_spans(columns: Columns, path: str) -> tuple[Int64s, Int64s] | None:
    """Where the values of each message are among those of a field, and how many;
    None if it has one each.
    """
    counts = columns[path].counts
    begin, size = (None, None) if counts is None else (starts(counts), counts)
    level = level_of(path)
    while level:
        array = level.removesuffix("[]")
        elements = columns[array].values.astype(np.int64)
        if size is None or begin is None:
            begin, size = starts(elements), elements
        else:
            total = np.concatenate([[0], np.cumsum(size)])
            ends = np.cumsum(elements)
            size = total[ends] - total[ends - elements]
            begin = total[ends - elements]
        level = level_of(array)
    return None if begin is None or size is None else (begin, size)


def _without_indexes(name: str) -> str:
    """The path of a field in a layout, in which elements have indexes:
    `poses[3].position.x` is one of `poses[].position.x`.
    """
    parts = name.split("[")
    path = parts[0] + "".join(f"[]{part.partition(']')[2]}" for part in parts[1:])
    return path.removesuffix("[]")


def _fill(fields: Column, names: list[str], values: Column) -> None:
    """Write values (m, …) to the fields of the names, which are in the order of the elements."""
    if not names:
        return
    if len(names) == 1:
        place = fields[names[0]]
        place[...] = values.reshape(place.shape)
        return
    flat = values.reshape(len(values), len(names), -1)
    for at, name in enumerate(names):
        place = fields[name]
        place[...] = flat[:, at].reshape(place.shape)


def _fill_strings(fields: Column, names: list[str], values: Column) -> None:
    flat = values.reshape(len(values), max(1, len(names)))
    for at, name in enumerate(names):
        place, texts = fields[name], flat[:, at]
        if not place.shape[1] or texts.strides[0] == 0:
            continue  # as in the first message
        listed = texts.tolist()
        if listed.count(listed[0]) == len(listed):
            continue
        joined = b"".join(map(_bytes, listed))
        place[...] = np.frombuffer(joined, np.uint8).reshape(place.shape)
