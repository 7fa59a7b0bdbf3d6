"""A case over commits: where it turned bad, and where its speed has changed."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from lockstep.errors import UsageError
from lockstep.suite.result import FieldResult, Result
from lockstep.suite.results import write_rows
from lockstep.suite.trends import Trend, Trends, trends

pytestmark = pytest.mark.skipif(not find_spec("duckdb"), reason="DuckDB is not installed")
RANDOM = np.random.default_rng(5)


def result(commit: int, wrong: int = 0, median_ns: float = 1e3, machine: str = "a") -> Result:
    return Result(
        "imu/cpp",
        "imu",
        "cpp",
        "differs" if wrong else "match",
        "",
        samples=100,
        wrong=wrong,
        fields=(FieldResult("/out", "x", wrong, 0.5, None),) if wrong else (),
        median_ns=median_ns,
        commit=str(commit) * 40,
        machine=machine,
    )


def written(folder: Path, *results: Result) -> Path:
    dated = [replace(one, begun_s=60.0 * n, run=f"run-{n}") for n, one in enumerate(results)]
    write_rows(folder / "results", dated)
    return folder


def trend(found: Trends, name: str) -> Trend:
    return next(one for one in found.trends if one.name == name)


def test_the_first_bad_commit_is_the_one_after_the_last_that_matched(tmp_path: Path):
    rows = [result(1, 3), result(2), result(3, 5), result(4, 5), result(5, 9)]
    found = trends(written(tmp_path, *rows), "imu/cpp")
    assert [one.verdict for one in found.commits] == ["differs", "match", *["differs"] * 3]
    assert found.turned_bad == (1, 2)
    assert found.commits[2].name == "3" * 40


def test_a_commit_without_verdict_is_neither_good_nor_bad(tmp_path: Path):
    lost = replace(result(2), verdict="no verdict", samples=0)
    found = trends(written(tmp_path, result(1), lost, result(3, 5), lost), "imu/cpp")
    assert found.turned_bad == (0, 2)
    differing = trend(found, "/out x: messages that differ")
    assert [one and one.value for one in differing.values] == [0.0, None, 5.0]


def test_fields_change_where_their_counts_do(tmp_path: Path):
    rows = [result(commit, wrong) for commit, wrong in enumerate([0, 0, 3, 3, 1, 0])]
    differing = trend(trends(written(tmp_path, *rows), "imu/cpp"), "/out x: messages that differ")
    assert [(one.at, one.before, one.after) for one in differing.changes] == [
        (2, 0.0, 3.0),
        (4, 3.0, 1.0),
        (5, 1.0, 0.0),
    ]


def test_a_regression_of_speed_is_told_with_its_interval_and_one_slow_run_is_none(tmp_path: Path):
    levels = [1.0] * 4 + [1.3] * 4
    times = [
        result(commit, 0, float(1e3 * level * np.exp(RANDOM.normal(0, 0.02))))
        for commit, level in enumerate(levels)
        for _ in range(3)
    ]
    times[4] = replace(times[4], median_ns=9e3)
    found = trend(trends(written(tmp_path, *times), "imu/cpp"), "median of a callback")
    (change,) = found.changes
    assert change.at == 4
    assert change.times is not None
    assert 1.2 < change.times.low < change.times.value < change.times.high < 1.4
    first = found.values[0]
    assert first is not None
    assert 900 < first.low <= first.value <= first.high < 1100


def test_times_of_another_machine_are_left_out(tmp_path: Path):
    rows = [*(result(1) for _ in range(5)), *(result(2, 0, 9e3, machine="b") for _ in range(4))]
    found = trends(written(tmp_path, *rows), "imu/cpp")
    assert (found.machine, trend(found, "median of a callback").values[1]) == ("a", None)


def test_a_case_that_never_ran_is_told(tmp_path: Path):
    with pytest.raises(UsageError, match="there are no results of gps/cpp in"):
        trends(written(tmp_path, result(1)), "gps/cpp")


def test_a_case_among_a_million_rows_is_shown_within_a_second(tmp_path: Path):
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [replace(result(1, 3), case=f"node{n}/cpp", group=f"node{n}") for n in range(1000)]
    written(tmp_path, *rows)
    (file,) = tmp_path.glob("results/*/*.parquet")
    table = pq.read_table(file)
    for day in range(10):  # as ten nights of 100,000 cases
        place = tmp_path / f"results/day=1970-02-{day + 1:02}"
        place.mkdir()
        pq.write_table(pa.concat_tables([table] * 100), place / "run.parquet")
    trends(tmp_path, "node1/cpp")  # whatever is imported
    start_s = time.process_time()
    found = trends(tmp_path, "node7/cpp")
    assert sum(one.runs for one in found.commits) == 1001
    assert time.process_time() - start_s < 1.0
