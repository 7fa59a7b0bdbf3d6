"""Recorded messages as columns, for distributions that draw from them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..bag import Bag
from ..errors import DistError
from ..message.arrays import Column
from ..message.drawn_columns import Columns, Drawn, level_of
from .fields import Structure


class BagRecordings:
    """Fields of topics of bags, each read once; bag paths are relative to `folder`."""

    def __init__(self, folder: str | os.PathLike[str] = ".") -> None:
        self._folder = Path(folder)
        self._known: dict[tuple[str, str, tuple[str, ...]], dict[str, Column]] = {}

    def column(self, bag: str, topic: str, path: str) -> Column:
        """One field of all messages of a topic; see `rule.Recordings`.

        Raises BagError if it is not there.
        """
        return self._read(bag, topic, (path,))[path]

    def columns(self, bag: str, topic: str, structure: Structure) -> Columns:
        """All fields of all messages of a topic; raises DistError if it is of another type."""
        with Bag(self._place(bag)) as opened:
            found = opened.topic(topic).type
        if found != structure.name:
            raise DistError(
                f"{topic} of {bag} is {found}, but {structure.name} is drawn from it; name a topic "
                "of that type"
            )
        leaves = [path for path, field in structure.fields.items() if field.kind != "length"]
        read = self._read(bag, topic, tuple(leaves))
        columns: Columns = {}
        for path, field in structure.fields.items():
            if level_of(path).count("[]") > 1 or (level_of(path) and field.array == "sequence"):
                raise DistError(
                    f"'{path}' of {structure.name} is an array in an array, which cannot be drawn "
                    f"from {bag}; draw single fields with field="
                )
            if field.kind == "length":
                inner = next(leaf for leaf in leaves if level_of(leaf) == f"{path}[]")
                columns[path] = Drawn(_lengths(read[inner]))
            elif level_of(path):
                values = _end_to_end(read[path])
                columns[path] = Drawn(values.reshape(-1, *field.shape))
            elif field.array == "sequence":
                columns[path] = Drawn(_end_to_end(read[path]), _lengths(read[path]))
            else:
                columns[path] = Drawn(read[path])
        return columns

    def _read(self, bag: str, topic: str, paths: tuple[str, ...]) -> dict[str, Column]:
        place = self._place(bag)
        key = (place, topic, paths)
        if key not in self._known:
            with Bag(place) as opened:
                opened.topic(topic)
                self._known[key] = opened.columns(topic, list(paths))
        return self._known[key]

    def _place(self, bag: str) -> str:
        return bag if "://" in bag else os.fspath(self._folder / bag)


def _lengths(column: Column) -> Column:
    if column.dtype != object:
        return np.full(len(column), column.shape[1] if column.ndim > 1 else 0)
    return np.fromiter(map(len, column), np.int64, len(column))


def _end_to_end(column: Column) -> Column:
    if column.dtype != object or column.ndim > 1:
        return column.reshape(-1, *column.shape[2:])
    filled = [np.asarray(one) for one in column if len(one)]
    return np.concatenate(filled) if filled else np.empty(0)
