"""Datasets for PyTorch: of columns in memory, or streamed by any number of workers."""

# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import DatasetError
from .columns import column
from .source import Source, part_of
from .views import Selected

try:
    import torch
    from torch.utils import data
except ImportError as error:
    raise DatasetError("to_torch needs PyTorch; install torch") from error

Sample = dict[str, "torch.Tensor"]


def to_torch(
    source: Source, columns: Mapping[str, Sequence[str]], dtype: str, stream: bool
) -> data.Dataset[Any]:
    """A PyTorch dataset of `columns`: key → paths (no path: the values themselves).

    A sample is a dict of tensors by key; that of several paths is (k,), all their numbers side by
    side.

    Not streamed: map-style and in memory. Sample i is tick i of every key, so all keys have as
    many; `resample` sees to it.
    Streamed: iterable, of one value a sample, in the order of the dataset. Of n workers, each takes
    recordings of its own where there are at least n of them, else every n-th value.
    """
    chosen = {key: tuple(paths) or ("",) for key, paths in columns.items()}
    if dtype not in _DTYPES:
        raise DatasetError(f"'{dtype}' is no dtype for tensors; use one of {', '.join(_DTYPES)}")
    return (
        _Streamed(source, chosen, dtype) if stream else _InMemory(_tensors(source, chosen, dtype))
    )


_DTYPES = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool")


class _InMemory(data.Dataset[Sample]):
    def __init__(self, tensors: Sample) -> None:
        self._tensors = tensors
        self._count = len(next(iter(tensors.values())))

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Sample:
        return {key: tensor[index] for key, tensor in self._tensors.items()}


class _Streamed(data.IterableDataset[Sample]):
    def __init__(self, source: Source, columns: Mapping[str, Sequence[str]], dtype: str) -> None:
        self._source = Selected(source, list(columns), None, None, None)
        self._columns, self._dtype = columns, dtype

    def __iter__(self) -> Iterator[Sample]:
        worker: Any = data.get_worker_info()
        turn, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        part = part_of(self._source, turn, workers) if workers > 1 else None
        if part is not None:
            turn, workers = 0, 1
        for number, record in enumerate((part or self._source).records()):
            if number % workers == turn:  # what another worker takes is not decoded here
                key, value = record.key, record.decoded().value
                parts = [
                    _numbers(column([value], path, key), key, path, self._dtype)
                    for path in self._columns[key]
                ]
                yield {key: torch.from_numpy(_side_by_side(parts))[0]}


def _tensors(source: Source, columns: Mapping[str, Sequence[str]], dtype: str) -> Sample:
    counts = {key: source.count(key) for key in columns}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{key} has {count}" for key, count in counts.items())
        raise DatasetError(f"samples need as many values of every key, but {told}; resample first")
    if not counts:
        raise DatasetError("an empty dataset has no samples; give it values first")
    tensors = {}
    for key, paths in columns.items():
        parts = [_numbers(source.column(key, path), key, path, dtype) for path in paths]
        tensors[key] = torch.from_numpy(_side_by_side(parts))
    return tensors


def _side_by_side(parts: Sequence[Any]) -> Any:
    """One column as it is, several (n, …) as (n, sum of their sizes)."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def _numbers(values: Any, key: str, path: str, dtype: str) -> Any:
    if values.dtype.kind not in "biuf":
        what = f"'{path}' of {key}" if path else key
        raise DatasetError(
            f"{what} is no column of numbers of one shape; choose numeric paths, such as "
            "'ranges[0]'"
        )
    return np.array(values, dtype)
