"""What is kept of cases: lines while a suite runs, rows over time, files for CI."""

import json
import math
import os
import time
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import pytest
from lockstep.errors import ReportError, RunError, UsageError
from lockstep.suite.case import Case, Expectation
from lockstep.suite.for_ci import badge, markdown, workflow_commands, write_junit
from lockstep.suite.groups import outlived, worst
from lockstep.suite.journal import last_results, new_run, resumed_run
from lockstep.suite.result import FieldResult, Result, expected_of
from lockstep.suite.results import query, write_rows
from lockstep.suite.run_suite import Done
from stranger import small_disk

FIELD = FieldResult("/odom", "pose.x", 3, 0.25, "a sign")


def result(case, verdict="match", **known):
    group, implementation = case.split("/")[:2]
    return Result(case, group, implementation, verdict, f"{verdict}, that is", **known)


GREEN = result("scan/cpp")
RED = result("imu/cpp", "differs", samples=10, wrong=3, fields=(FIELD,), grade="wrong values")
REDDER = result("imu/rust", "differs", samples=10, wrong=9)
UNKNOWN = result("gps/cpp", "no verdict")
FORETOLD = result("imu/old", "differs", samples=10, wrong=10, expected="not ported (until 2027)")


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([GREEN], 0),
        ([GREEN, FORETOLD], 0),
        ([GREEN, UNKNOWN], 3),
        ([UNKNOWN, RED], 1),
    ],
)
def test_what_differs_outweighs_what_is_not_known(results, code):
    assert Done(Path(), tuple(results)).exit_code == code


def test_an_expected_failure_counts_again_after_its_date_and_excuses_nothing_else():
    expectation = Expectation("differs", "no atan2", date(2026, 12, 1))
    case = Case("imu/cpp", "imu", Path(), "cpp", expected=expectation)
    until, after = date(2026, 12, 1), date(2026, 12, 2)
    assert expected_of(case, RED, until).standing == "expected"
    assert expected_of(case, RED, until).expected == "no atan2 (until 2026-12-01)"
    assert expected_of(case, RED, after).standing == "differs"
    assert expected_of(case, result("imu/cpp", "no verdict"), until).standing == "no verdict"
    assert expected_of(case, result("imu/cpp"), until).standing == "match"
    assert outlived([result("imu/cpp")], ["imu/cpp"]) == ["imu/cpp"]


def test_the_worst_has_most_messages_that_are_wrong():
    found = worst([GREEN, UNKNOWN, RED, FORETOLD, REDDER])
    assert [one.case for one in found] == ["imu/rust", "imu/cpp", "gps/cpp"]


def test_junit_has_a_suite_for_each_node(tmp_path):
    file = tmp_path / "new/suite.xml"
    write_junit(file, [GREEN, RED, UNKNOWN, FORETOLD])
    root = ET.parse(file).getroot()
    assert {key: root.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    assert [suite.get("name") for suite in root] == ["imu", "gps", "scan"]
    (failure,) = root.iter("failure")
    assert "/odom pose.x: 3 messages differ, at most 0.25 off: a sign" in failure.text


def test_github_is_told_the_worst_first():
    lines = list(workflow_commands([GREEN, RED, REDDER, UNKNOWN]))
    assert [line.split("::")[1] for line in lines] == [
        "error title=imu/rust",
        "error title=imu/cpp",
        "error title=gps/cpp",
    ]
    text = markdown([GREEN, RED, REDDER, UNKNOWN, FORETOLD])
    assert text.startswith("### ❌ lockstep: 1 match, 1 known not to match, 1 without verdict")
    assert "| ❌ imu | 3 | 0 | 1 | 0 | 2 |" in text
    assert "| ✅ scan | 1 | 1 | 0 | 0 | 0 |" in text
    assert list(workflow_commands([GREEN])) == ["::notice title=lockstep::1 match"]


def test_names_of_cases_are_escaped_for_all_readers(tmp_path):
    odd = result("a<b>&\x1b]::error::/x", "differs")
    write_junit(tmp_path / "suite.xml", [odd])
    assert ET.parse(tmp_path / "suite.xml").getroot()[0].get("failures") == "1"
    (line,) = workflow_commands([odd])
    assert "\x1b" not in line
    assert line.startswith("::error title=a<b>&")
    assert "<b>" not in markdown([odd])


def test_the_badge_is_an_image_that_tells_how_many_match():
    root = ET.fromstring(badge([GREEN, RED]))
    assert root.get("aria-label") == "lockstep: 1 of 2 match"


def test_a_full_disk_ends_a_run_that_can_be_resumed(small_disk):
    with new_run(small_disk) as journal:
        journal.add(GREEN)
        (small_disk / "others").write_bytes(bytes(60_000))
        with pytest.raises(RunError, match=r"cannot be kept in .*: No space left on device; make"):
            for number in range(100):
                journal.add(result(f"imu/{number}" + "x" * 1000))
    (small_disk / "others").unlink()
    with resumed_run(small_disk) as journal:
        assert "scan/cpp" in journal.results
        journal.add(RED)
    assert last_results(small_disk)["imu/cpp"] == RED


def test_what_is_done_is_kept_though_the_last_line_was_cut_off(tmp_path):
    with new_run(tmp_path) as journal:
        journal.add(GREEN)
        journal.add(RED)
    lines = journal.folder / "cases.jsonl"
    text = lines.read_text()
    lines.write_text(text[: len(text) - 40])
    with resumed_run(tmp_path) as again:
        assert again.folder == journal.folder
        assert again.results == {"scan/cpp": GREEN}
        again.add(RED)
        again.finish()
    assert last_results(tmp_path) == {"scan/cpp": GREEN, "imu/cpp": RED}
    with (
        pytest.raises(UsageError, match="is unfinished; leave out --resume"),
        resumed_run(tmp_path),
    ):
        pass


def test_a_run_that_goes_on_is_resumed_by_nobody(tmp_path):
    with new_run(tmp_path) as journal:
        journal.add(GREEN)
        with pytest.raises(UsageError, match="is unfinished"), resumed_run(tmp_path):
            pass


def test_the_newest_result_of_a_case_counts_whatever_the_clock_says(tmp_path, monkeypatch):
    for now, verdict in (("20261130", "differs"), ("20251130", "match")):
        monkeypatch.setattr(time, "strftime", lambda _, now=now: now)
        with new_run(tmp_path) as journal:
            journal.add(result("imu/cpp", verdict))
    assert last_results(tmp_path)["imu/cpp"].verdict == "match"


def test_rows_are_queried_over_days_and_runs(tmp_path):
    pytest.importorskip("duckdb")
    day_s = 86_400.0
    for number, run in enumerate(("first", "second")):
        rows = [replace(one, begun_s=day_s * number, run=run) for one in (GREEN, RED)]
        write_rows(tmp_path / "results", rows)
    half = tmp_path / "results/day=1970-01-01/.third.parquet.tmp"  # as one that was killed leaves
    half.write_bytes(b"PAR1")
    names, rows = query(
        tmp_path, "select day, verdict, count(*) as n from results group by all order by all"
    )
    assert names == ["day", "verdict", "n"]
    assert [(str(day), verdict, n) for day, verdict, n in rows] == [
        ("1970-01-01", "differs", 1),
        ("1970-01-01", "match", 1),
        ("1970-01-02", "differs", 1),
        ("1970-01-02", "match", 1),
    ]
    sql = "select unnest(fields).largest from results where run = 'first'"
    assert query(tmp_path, sql)[1] == [(0.25,)]
    with pytest.raises(UsageError, match="the query has no answer"):
        query(tmp_path, "selec 1")


def test_rows_hold_whatever_a_result_holds(tmp_path):
    pytest.importorskip("duckdb")
    field = FieldResult("/odom", "pose.x", 3, math.inf, None)
    odd = ("a 'name' \\ \" \n \0 é 😀", "\udc80")  # the second as of a file whose name is no text
    row = replace(RED, sentence=odd[0], folder=odd[1], fields=(field,), speed_up=math.nan)
    write_rows(tmp_path / "it's" / "results", [replace(row, begun_s=1.000001, remarks=odd[:1])])
    sql = "select sentence, folder, fields, speed_up, remarks, epoch(begun), seed from results"
    _, (row_of_it,) = query(tmp_path / "it's", sql)
    sentence, folder, fields, speed_up, remarks, begun_s, seed = row_of_it
    assert (sentence, folder, remarks) == (odd[0], "?", [odd[0]])
    assert fields == [asdict(field)]
    assert math.isnan(speed_up) and begun_s == 1.000001 and seed is None


@pytest.mark.parametrize("size", ["100k", "1200k"])  # neither room for JSON, nor for Parquet then
def test_where_there_is_no_room_that_is_told_and_nothing_is_left(tmp_path, size):
    pytest.importorskip("duckdb")
    rows = [replace(RED, begun_s=0.0, sentence=os.urandom(500).hex()) for _ in range(1000)]
    with small_disk(tmp_path / "disk", f"size={size}") as disk:
        with pytest.raises(ReportError, match=r"cannot be kept in .*No space left on device"):
            write_rows(disk, rows)
        assert not [path for path in disk.rglob("*") if path.is_file()]


def test_where_there_are_no_results_that_is_told(tmp_path):
    with pytest.raises(UsageError, match="there are no results in"):
        query(tmp_path, "select 1")


def test_a_million_rows_answer_within_a_second(tmp_path):
    pytest.importorskip("duckdb")
    pytest.importorskip("pyarrow")
    import pyarrow as pa
    import pyarrow.parquet as pq

    write_rows(tmp_path / "results", [replace(RED, begun_s=0.0, run="first")])
    (file,) = tmp_path.glob("results/*/*.parquet")
    one = pq.read_table(file)
    for day in range(10):  # as ten nights of 100,000 cases
        place = tmp_path / f"results/day=1970-02-{day + 1:02}"
        place.mkdir()
        table = pa.concat_tables([one] * 1000).combine_chunks()
        pq.write_table(pa.concat_tables([table] * 100), place / "run.parquet")
    start_s = time.process_time()
    _, rows = query(tmp_path, "select node, count(*), avg(wrong) from results group by all")
    assert rows == [("imu", 1_000_001, 3.0)]
    assert time.process_time() - start_s < 1.0


def test_a_result_survives_json(tmp_path):
    from lockstep.suite.result import as_data, from_data

    known = replace(RED, remarks=("one",), begun_s=1.5)
    assert from_data(json.loads(json.dumps(as_data(known)))) == known
