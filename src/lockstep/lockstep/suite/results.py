"""The results of all runs of a suite over time: a row for each case, in files of Parquet by day.

A file is written whole and then given its name, so that a reader never sees a part of one. The day
is that on which a case began, in UTC: `day=2026-11-30/<run>.parquet`, which is what DuckDB, Polars,
Spark and pandas read as a table that is partitioned by `day`.
"""

from __future__ import annotations

import glob
import json
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

from ..bag import url
from ..errors import ReportError, UsageError, unforeseen
from .result import Result

RESULTS = "results"
"""The folder of the rows, beside those of the runs."""
_FILES = "day=*/*.parquet"
_FIELD = "STRUCT(topic VARCHAR, field VARCHAR, differing BIGINT, largest DOUBLE, law VARCHAR)"
_COLUMNS = {
    "begun": "TIMESTAMPTZ",
    "run": "VARCHAR",
    "name": "VARCHAR",
    "node": "VARCHAR",
    "implementation": "VARCHAR",
    "reference": "VARCHAR",
    "bag": "VARCHAR",
    "parameters": "VARCHAR",
    "seed": "VARCHAR",
    "mode": "VARCHAR",
    "verdict": "VARCHAR",
    "standing": "VARCHAR",
    "expected": "VARCHAR",
    "grade": "VARCHAR",
    "sentence": "VARCHAR",
    "samples": "BIGINT",
    "wrong": "BIGINT",
    "fields": f"{_FIELD}[]",
    "reference_median_ns": "DOUBLE",
    "median_ns": "DOUBLE",
    "p99_ns": "DOUBLE",
    "speed_up": "DOUBLE",
    "reference_cpu_ns": "DOUBLE",
    "cpu_ns": "DOUBLE",
    "reference_memory_bytes": "BIGINT",
    "memory_bytes": "BIGINT",
    "cpu_s": "DOUBLE",
    "duration_s": "DOUBLE",
    "kept_reference": "BOOLEAN",
    "remarks": "VARCHAR[]",
    "hash": "VARCHAR",
    "version": "VARCHAR",
    "reference_version": "VARCHAR",
    "commit": "VARCHAR",
    "machine": "VARCHAR",
    "folder": "VARCHAR",
}


def write_rows(folder: Path, results: Sequence[Result], copy_to: str | None = None) -> None:
    """Add results as rows, and a copy of them behind a URL; raises ReportError where they cannot be
    written, BagError where the copy cannot."""
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
            _write(of_day, fresh)
            os.replace(fresh, place / name)
        except OSError as error:
            raise ReportError(f"results cannot be kept in {place}: {unforeseen(error)}") from error
        finally:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)
        if copy_to is not None:
            url.write(f"{copy_to}/{place.name}/{name}", (place / name).read_bytes())


def query(
    folder: Path | str, sql: str, values: Sequence[Any] = ()
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of columns and the rows that a query gives; the results are the table `results`,
    `values` stand for each `?`.

    They are those of the suite in a folder, or of all suites in it; the folder may be behind a URL.
    Raises UsageError for a query that cannot be answered, and where there are no results.
    """
    folder = str(folder)
    patterns = (f"{folder}/{RESULTS}/{_FILES}", f"{folder}/*/{RESULTS}/{_FILES}")
    found = url.matching if url.is_url(folder) else glob.glob
    pattern = next((one for one in patterns if found(one)), None)
    if pattern is None:
        raise UsageError(f"there are no results in {folder}; run lockstep suite, or give --folder")
    duckdb = _duckdb()
    read = f"read_parquet({_quoted(pattern)}, hive_partitioning = true, union_by_name = true)"
    with duckdb.connect() as connection:
        if url.is_url(folder):
            connection.register_filesystem(url.file_system(folder))
        try:
            connection.execute(f"create view results as select * from {read}")
            answer = connection.execute(sql, values)
            names = [column[0] for column in answer.description or ()]
            return names, answer.fetchall()
        except duckdb.Error as error:
            raise UsageError(f"the query has no answer: {' '.join(str(error).split())}") from error


def check_libraries() -> None:
    """Raises UsageError where there is nothing to write rows with."""
    _duckdb()


def _write(results: Iterable[Result], file: Path) -> None:
    """Make a file of rows, by way of JSON beside it; raises OSError or ReportError if it cannot."""
    duckdb = _duckdb()
    lines = file.with_suffix(".json")
    try:
        # The name of a file need not be text.
        with lines.open("w", encoding="utf-8", errors="replace") as out:
            out.writelines(json.dumps(_row(one), ensure_ascii=False) + "\n" for one in results)
        read = f"read_json({_quoted(lines)}, format = 'newline_delimited', columns = {_COLUMNS})"
        with duckdb.connect() as connection:
            connection.execute(
                f"copy (from {read}) to {_quoted(file)} (format parquet, compression zstd)"
            )
    except duckdb.Error as error:
        reason = " ".join(str(error).split())
        raise ReportError(f"results cannot be kept in {file.parent}: {reason}") from error
    finally:
        lines.unlink(missing_ok=True)


def _quoted(path: Path | str) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _row(result: Result) -> dict[str, Any]:
    begun = datetime.fromtimestamp(result.begun_s, timezone.utc)
    return {
        **asdict(result),
        "name": result.case,  # in SQL "case" and "group" are words of the language
        "node": result.group,
        "standing": result.standing,
        "begun": begun.isoformat(),
    }


def _duckdb() -> Any:
    try:
        return import_module("duckdb")
    except ImportError as error:
        raise UsageError(
            "lockstep suite and results keep rows as Parquet and need the Python package duckdb; "
            "run: python3 -m pip install duckdb"
        ) from error
