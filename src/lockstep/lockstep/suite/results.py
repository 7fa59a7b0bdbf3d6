"""The results of all runs of a suite over time: a row for each case, in files of Parquet by day.

A file is written whole and then given its name, so that a reader never sees a part of one. The day
is that on which a case began, in UTC: `day=2026-11-30/<run>.parquet`, which is what DuckDB, Polars,
Spark and pandas read as a table that is partitioned by `day`.
"""

from __future__ import annotations

import os
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime, timezone
from importlib import import_module
from pathlib import Path
from typing import Any

from ..errors import ReportError, UsageError, unforeseen
from .result import Result

RESULTS = "results"
"""The folder of the rows, beside those of the runs."""
_FILES = "day=*/*.parquet"
_FIELD = {
    "topic": "string",
    "field": "string",
    "differing": "int64",
    "largest": "float64",
    "law": "string",
}
_COLUMNS = {
    "begun": "timestamp",
    "run": "string",
    "name": "string",
    "node": "string",
    "implementation": "string",
    "reference": "string",
    "bag": "string",
    "parameters": "string",
    "seed": "string",
    "mode": "string",
    "verdict": "string",
    "standing": "string",
    "expected": "string",
    "grade": "string",
    "sentence": "string",
    "samples": "int64",
    "wrong": "int64",
    "fields": "fields",
    "reference_median_ns": "float64",
    "median_ns": "float64",
    "p99_ns": "float64",
    "speed_up": "float64",
    "reference_cpu_ns": "float64",
    "cpu_ns": "float64",
    "reference_memory_bytes": "int64",
    "memory_bytes": "int64",
    "cpu_s": "float64",
    "duration_s": "float64",
    "kept_reference": "bool_",
    "remarks": "texts",
    "hash": "string",
    "version": "string",
    "reference_version": "string",
    "commit": "string",
    "machine": "string",
    "folder": "string",
}


def write_rows(folder: Path, results: Sequence[Result]) -> None:
    """Add results as rows; raises ReportError where they cannot be written."""
    by_day: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        begun = datetime.fromtimestamp(result.begun_s, timezone.utc)
        by_day[begun.date().isoformat()].append(result)
    for day, of_day in by_day.items():
        place = folder / f"day={day}"
        name = f"{of_day[0].run}-{uuid.uuid4().hex[:8]}.parquet"
        fresh = place / f".{name}.tmp"
        try:
            place.mkdir(parents=True, exist_ok=True)
            _parquet().write_table(_table(of_day), fresh, compression="zstd")
            os.replace(fresh, place / name)
        except OSError as error:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
            raise ReportError(f"results cannot be kept in {place}: {unforeseen(error)}") from error


def query(
    folder: Path, sql: str, values: Sequence[Any] = ()
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of columns and the rows that a query gives; the results are the table `results`,
    `values` stand for each `?`.

    They are those of the suite in a folder, or of all suites in it. Raises UsageError for a query
    that cannot be answered, and where there are no results.
    """
    places = (RESULTS, f"*/{RESULTS}")
    place = next((one for one in places if any(folder.glob(f"{one}/{_FILES}"))), None)
    if place is None:
        raise UsageError(f"there are no results in {folder}; run lockstep suite, or give --folder")
    try:
        duckdb = import_module("duckdb")
    except ImportError as error:
        raise UsageError(
            "lockstep results needs the Python package duckdb; run: python3 -m pip install duckdb"
        ) from error
    pattern = str(folder / place / _FILES).replace("'", "''")
    read = f"read_parquet('{pattern}', hive_partitioning = true, union_by_name = true)"
    with duckdb.connect() as connection:
        try:
            connection.execute(f"create view results as select * from {read}")
            answer = connection.execute(sql, values)
            names = [column[0] for column in answer.description or ()]
            return names, answer.fetchall()
        except duckdb.Error as error:
            raise UsageError(f"the query has no answer: {' '.join(str(error).split())}") from error


def check_libraries() -> None:
    """Raises UsageError where there is nothing to write rows with."""
    _parquet()


def _table(results: Iterable[Result]) -> Any:
    arrow = import_module("pyarrow")
    field = arrow.struct([(name, getattr(arrow, kind)()) for name, kind in _FIELD.items()])
    kinds = {
        "timestamp": arrow.timestamp("us", tz="UTC"),
        "fields": arrow.list_(field),
        "texts": arrow.list_(arrow.string()),
    }
    schema = arrow.schema(
        [
            (name, kinds[kind] if kind in kinds else getattr(arrow, kind)())
            for name, kind in _COLUMNS.items()
        ]
    )
    return arrow.Table.from_pylist([_row(result) for result in results], schema)


def _row(result: Result) -> dict[str, Any]:
    begun = datetime.fromtimestamp(result.begun_s, timezone.utc)
    return {
        **asdict(result),
        "name": result.case,  # in SQL "case" and "group" are words of the language
        "node": result.group,
        "standing": result.standing,
        "begun": begun,
    }


def _parquet() -> Any:
    try:
        return import_module("pyarrow.parquet")
    except ImportError as error:
        raise UsageError(
            "lockstep suite keeps its results as Parquet and needs the Python package pyarrow; "
            "run: python3 -m pip install pyarrow"
        ) from error
