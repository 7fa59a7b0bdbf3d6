"""Two versions on the same cases: which is better, where, and when nobody knows."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from lockstep.cli.ab import command
from lockstep.errors import UsageError
from lockstep.suite.ab import Ab, Better, ab
from lockstep.suite.result import FieldResult, Result
from lockstep.suite.results import write_rows

pytestmark = pytest.mark.skipif(not find_spec("duckdb"), reason="DuckDB is not installed")


def result(node: str, version: str, wrong: int = 0, median_ns: float = 1e3, **known: Any) -> Result:
    implementation = known.pop("implementation", "cpp")
    field = FieldResult("/out", "x", wrong, 0.5 * wrong, None)
    return Result(
        f"{node}/{implementation}",
        node,
        implementation,
        "differs" if wrong else "match",
        "",
        samples=100,
        wrong=wrong,
        fields=(field,) if wrong else (),
        median_ns=median_ns,
        cpu_ns=2e3,
        version=version,
        machine="a",
        **known,
    )


def written(folder: Path, *results: Result) -> Path:
    dated = [replace(one, begun_s=60.0 * n) for n, one in enumerate(results)]
    write_rows(folder / "results", dated)
    return folder


def better(found: Ab, node: str, what: str) -> Better:
    """Which is better at a measure, a field or by verdicts."""
    rows = {(one.node, one.measure): one.better for one in found.measures}
    rows |= {(one.node, one.field): one.better for one in found.fields}
    rows |= {(one.node, "verdicts"): one.better for one in found.verdicts}
    return rows[node, what]


def test_each_is_better_where_it_is(tmp_path: Path):
    times = (1.0, 1.02, 0.98, 1.01, 0.99)
    old = [result(n, "old1", 5 * (n == "imu"), 1e3 * t) for n in ("imu", "gps") for t in times]
    new = [result(n, "new1", 7 * (n == "gps"), 5e2 * t) for n in ("imu", "gps") for t in times]
    found = ab(written(tmp_path, *old, *new), "old1", "new1")
    assert (found.cases, found.runs) == (2, (10, 10))
    assert (better(found, "imu", "x"), better(found, "gps", "x")) == ("B", "A")
    assert (better(found, "imu", "verdicts"), better(found, "gps", "verdicts")) == ("B", "A")
    assert better(found, "", "median_ns") == "B"
    assert better(found, "imu", "cpu_ns") == "neither"
    (time,) = (m for m in found.measures if (m.node, m.measure) == ("", "median_ns"))
    assert time.ratio is not None
    assert time.ratio.value == pytest.approx(0.5, rel=0.05)
    assert found.exit_code == 1
    assert ab(tmp_path, "old1", "old1").exit_code == 0


def test_one_run_tells_fields_but_not_speed(tmp_path: Path):
    written(tmp_path, result("imu", "old1", 5, 9e3), result("imu", "new1", 0, 1e3))
    found = ab(tmp_path, "old1", "new1")
    assert better(found, "imu", "x") == "B"
    assert better(found, "imu", "median_ns") == "unknown"
    assert found.remarks[0].startswith("1 of 1 cases ran less than 3 times")
    assert found.exit_code == 0


def test_times_of_different_machines_are_not_compared(tmp_path: Path):
    elsewhere = [replace(result("imu", "new1"), machine="b") for _ in range(5)]
    written(tmp_path, *(result("imu", "old1") for _ in range(5)), *elsewhere)
    assert better(ab(tmp_path, "old1", "new1"), "imu", "median_ns") == "unknown"


def test_what_is_not_steady_is_told_by_runs_that_do_not_overlap(tmp_path: Path):
    old = [result("imu", "old1", wrong) for wrong in (3, 9, 5)]
    new = [result("imu", "new1", wrong) for wrong in (2, 4, 1)]
    assert better(ab(written(tmp_path, *old, *new), "old1", "new1"), "imu", "x") == "neither"


def test_a_lost_verdict_is_no_improvement(tmp_path: Path):
    lost = replace(result("imu", "new1"), verdict="no verdict", samples=0)
    written(tmp_path, result("imu", "old1", 5), lost)
    found = ab(tmp_path, "old1", "new1")
    assert (found.verdicts[0].lost, found.exit_code) == (1, 3)
    assert better(found, "imu", "verdicts") == "unknown"


def test_implementations_are_compared_by_their_newest_versions(tmp_path: Path):
    written(
        tmp_path,
        result("imu", "aaaa", 9),
        result("imu", "bbbb"),
        result("imu", "cccc", 4, implementation="rust"),
    )
    found = ab(tmp_path, "rust", "cpp")
    assert (found.cases, found.runs) == (1, (1, 1))
    assert better(found, "imu", "verdicts") == "B"
    assert ab(tmp_path, "cpp@aaaa", "cpp@bbbb").cases == 1


def test_a_commit_is_told_from_one_with_edited_files(tmp_path: Path):
    commits = ("1" * 40, "1" * 40 + "+", "2" * 40)
    written(tmp_path, *(result("imu", f"v{n}", n, commit=c) for n, c in enumerate(commits)))
    found = ab(tmp_path, "11111", "11111+")
    assert (found.verdicts[0].matching_a, found.verdicts[0].matching_b) == (1, 0)


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ("aaaa", "nobody", "'nobody' names no results"),
        ("aaaa", "bbbb1", "'bbbb1' may be bbbb11 or bbbb12; give more of it"),
        ("aaaa", "dddd", "have no case in common; run one suite with both"),
        ("go@aaaa", "aaaa", "there are no results of go@aaaa"),
    ],
)
def test_a_name_that_fits_nothing_or_several_is_told(tmp_path: Path, a: str, b: str, sentence: str):
    written(
        tmp_path,
        *(result("imu", version) for version in ("aaaa", "bbbb11", "bbbb12")),
        result("gps", "dddd"),
    )
    with pytest.raises(UsageError, match=sentence):
        ab(tmp_path, a, b)


def told(capsys: pytest.CaptureFixture[str], folder: Path, **options: bool) -> tuple[str, int]:
    """What the command prints of old1 and new1, and its exit code."""
    chosen = {"every": False, "as_json": False, **options}
    with pytest.raises(typer.Exit) as ended:
        command("old1", "new1", str(folder), **chosen)
    return capsys.readouterr().out, ended.value.exit_code


def test_the_command_says_who_is_better_where_and_prints_no_name_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    node = "im\x1b[31mu"
    written(tmp_path, result(node, "old1", 5), result(node, "new1", 7))
    out, code = told(capsys, tmp_path)
    assert code == 1
    assert "\x1b" not in out
    (row,) = (line for line in out.splitlines() if "/out x: messages that differ" in line)
    assert "5, at most 2.5 off" in row
    assert "7, at most 3.5 off" in row
    assert "A is better" in row
    assert "A (old1) is better in 1 of 10 respects, on im\\x1b[31mu" in out
    out, code = told(capsys, tmp_path, as_json=True)
    found = json.loads(out)
    assert (code, found["exit_code"]) == (1, 1)
    assert found["fields"][0]["better"] == "A"
