"""The fields of whole messages: of bags, datasets, series, messages, dataclasses and dicts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bag import Bag
from ..compare.kinds.named_fields import fields_of
from ..compare.kinds.number import WHOLE_TYPES
from ..dataset.columns import column, time_ns
from ..message.arrays import Column
from ..message.schema import TIMES, MessageType, Schema, base_type
from ..message.units import unit_of

if TYPE_CHECKING:
    from ..dataset import Series

_MOST_NUMBERS = 1_000_000
"""Of each field, so that memory stays flat."""
_SINGLE = (bool, int, float, str, np.generic)
_LOOKED_AT = 100
"""Values in which a message is looked for in arrays that may be empty."""


@dataclass(frozen=True)
class ShownField:
    """A field of `key` ("" for values without one) that can be read; `labels` names its values."""

    key: str
    path: str
    unit: str
    labels: Mapping[int, str]
    read: Callable[[], Column]
    """Its numbers or texts, of any shape (n, …)."""


def has_fields(data: Any) -> bool:
    """Whether data are messages with fields rather than numbers."""
    from ..dataset import Dataset, Series

    if isinstance(data, (Bag, Dataset, os.PathLike)):
        return True
    if isinstance(data, Series):
        return bool(len(data)) and fields_of(data[0]) is not None
    if fields_of(data) is not None:
        return True
    if isinstance(data, np.ndarray):
        return data.dtype.names is not None
    return isinstance(data, (list, tuple)) and bool(data) and fields_of(data[0]) is not None


def shown_fields(data: Any) -> Iterator[ShownField]:
    """The fields of numbers and texts, but times, in the order of their definition."""
    from ..dataset import Dataset, Series

    if isinstance(data, os.PathLike):
        data = Dataset.load(data)
    if isinstance(data, Bag):
        for topic in data.topics.values():
            if topic.count:
                yield from _of_topic(data, topic.name)
    elif isinstance(data, Dataset):
        for key in data:
            yield from _of_series(data[key])
    elif isinstance(data, Series):
        yield from _of_series(data)
    elif isinstance(data, np.ndarray):
        for name in data.dtype.names or ():
            yield ShownField("", name, unit_of(name), {}, partial(data.__getitem__, name))
    else:
        values = [data] if fields_of(data) is not None else list(data)
        for path, labels in _paths(values[:_LOOKED_AT]):
            yield ShownField("", path, unit_of(path), labels, partial(column, values, path, ""))


def first_numbers(bag: Bag, topic: str, path: str) -> Column:
    """The first numbers of a field, of any shape, (m,); a million at most."""
    parts: list[Column] = []
    size = 0
    for columns in bag.stream_columns(topic, [path]):
        found = columns[path]
        rows = _flat(found) if found.dtype == object else [found.reshape(-1)]
        parts += rows
        size += sum(map(len, rows))
        if size >= _MOST_NUMBERS:
            break
    if not parts:
        return np.empty(0)
    first: Column = np.concatenate(parts)[:_MOST_NUMBERS]
    return first


def _of_topic(bag: Bag, topic: str) -> Iterator[ShownField]:
    kind = bag.codec(topic)
    for path, described in kind.fields().items():
        if base_type(described) in TIMES:
            continue
        parent, _, name = path.replace("[]", "").rpartition(".")
        message = _message_at(kind.schema, parent)
        labels: Mapping[int, str] = {}
        if message is not None and base_type(described) in WHOLE_TYPES:
            whole = [one for one in message.fields if one.type in WHOLE_TYPES]
            labels = _labels(message.constants, name, is_alone=len(whole) == 1)
        unit = unit_of(path, bag.topics[topic].type)
        yield ShownField(topic, path, unit, labels, partial(first_numbers, bag, topic, path))


def _message_at(types: Schema, parent: str) -> MessageType | None:
    """The type of the message at a path."""
    described = types.root
    for name in filter(None, parent.split(".")):
        field = next((one for one in described.fields if one.name == name), None)
        if field is None or field.type not in types.types:
            return None
        described = types.types[field.type]
    return described


def _of_series(series: Series) -> Iterator[ShownField]:
    some = [value for _, value in zip(range(_LOOKED_AT), series, strict=False)]
    for path, labels in _paths(some):
        unit = unit_of(path, series.type_name)
        yield ShownField(series.key, path, unit, labels, partial(series.column, path))


def _paths(values: list[Any]) -> Iterator[tuple[str, Mapping[int, str]]]:
    """The paths of numbers and texts in some values of one kind, and how numbers are called."""
    filled = [value for value in values if value is not None]
    if not filled or time_ns(filled[0]) is not None:
        return
    named = fields_of(filled[0])
    if named is None:
        yield from _paths_of_plain(filled)
        return
    constants = {name: getattr(filled[0], name) for name in dir(type(filled[0])) if name.isupper()}
    whole = [name for name, value in named.items() if _is_whole(value)]
    for name in named:
        inner = [fields[name] for one in filled if (fields := fields_of(one)) and name in fields]
        for path, labels in _paths(inner):
            joined = f"{name}{'' if path.startswith('[') else '.' if path else ''}{path}"
            own = _labels(constants, name, is_alone=whole == [name]) if name in whole else {}
            yield joined, labels or own


def _paths_of_plain(values: list[Any]) -> Iterator[tuple[str, Mapping[int, str]]]:
    first = values[0]
    if isinstance(first, Enum):
        yield "", {one.value: one.name for one in type(first) if isinstance(one.value, int)}
    elif isinstance(first, _SINGLE) or hasattr(first, "dtype") or hasattr(first, "typecode"):
        yield "", {}
    elif isinstance(first, (list, tuple)):
        items = [item for value in values for item in list(value)[:_LOOKED_AT]][:_LOOKED_AT]
        if items and fields_of(items[0]) is not None:
            yield from ((f"[].{path}", labels) for path, labels in _paths(items))
        elif items and isinstance(items[0], _SINGLE):
            yield "", {}


def _is_whole(value: Any) -> bool:
    return isinstance(value, (int, bytes, np.integer)) and not isinstance(value, bool)


def _labels(constants: Mapping[str, Any], field: str, *, is_alone: bool) -> Mapping[int, str]:
    """How the values of a field are called: by the constants that begin with its name, or by all
    if the field `is_alone` as a whole number in its message."""
    whole = {
        name: value[0] if isinstance(value, bytes) else int(value)
        for name, value in constants.items()
        if _is_whole(value)
    }
    words = field.upper().split("_")
    for first in range(len(words)):  # as COVARIANCE_TYPE_ of position_covariance_type
        prefix = "_".join([*words[first:], ""])
        own = {name: value for name, value in whole.items() if name.startswith(prefix)}
        if own:
            return {value: name.removeprefix(prefix) for name, value in own.items()}
    if not is_alone or len(set(whole.values())) < len(whole):
        return {}
    return {value: name for name, value in whole.items()}


def _flat(found: Column) -> list[Column]:
    """Arrays of different lengths, or texts, in a row each."""
    rows: list[Column] = [
        np.asarray(row).reshape(-1) if not isinstance(row, str) else np.array([row], object)
        for row in found
    ]
    return [row for row in rows if row.size]


def flattened(found: Column) -> Column:
    """All numbers or texts of a column of any shape, (m,)."""
    if found.dtype != object:
        return found.reshape(-1)
    rows = _flat(found)
    flat: Column = np.concatenate(rows) if rows else np.empty(0)
    return flat
