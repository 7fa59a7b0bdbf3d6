"""The local page of runs: what it finds, what it serves, and to whom."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
from lockstep.errors import RunError, UsageError
from lockstep.suite.result import FieldResult, Result
from lockstep.suite.results import write_rows
from lockstep.verify.progress_file import how_far, told
from lockstep.view.found import Found
from lockstep.view.server import Viewer

KEY = {"differing": 2, "missing": 1, "extra": 0}
Get = Callable[..., tuple[int, dict[str, str], bytes]]


def write_run(folder: Path, verdict: str = "differs", **other: Any) -> None:
    folder.mkdir(parents=True)
    result = {
        "verdict": verdict,
        "reference": "python",
        "contract_mismatches": {},
        "runs": {
            "python": {"median_ns": 50e3, "cpu_ns": 80e3, "resources": {"peak_bytes": 40e6}},
            "cpp": {"median_ns": 1e3, "cpu_ns": None, "resources": None},
        },
        "comparisons": {
            "cpp": {"verdict": verdict, "grade": "different", "samples": 9, "keys": {"/a": KEY}}
        },
        **other,
    }
    (folder / "result.json").write_text(json.dumps(result), "utf-8")
    (folder / "report.html").write_text("<p>report", "utf-8")


def write_case(folder: Path, **other: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    case = {
        "case": "imu/cpp",
        "group": "imu",
        "implementation": "cpp",
        "verdict": "differs",
        "folder": str(folder / "imu/cpp"),
        **other,
    }
    with (folder / "cases.jsonl").open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(case) + "\n")


def write_results(place: Path, node: str = "imu") -> None:
    """Twelve runs of a case of a suite: it turns bad and slow with the second commit."""
    name = f"{node}/cpp"
    write_case(place / "0001-a", case=name, group=node)
    rows = []
    for number in range(12):
        late = number >= 6
        wrong = FieldResult("/out", "x", 3, 0.5, None)
        row = Result(
            name, node, "cpp", "differs" if late else "match", "", samples=9, wrong=3 * late
        )
        taken = (2e3 if late else 1e3) + number % 3
        more = {"commit": "12"[late] * 40, "machine": "a", "begun_s": 60.0 * number}
        rows.append(replace(row, fields=(wrong,) * late, median_ns=taken, **more))
    write_rows(place / "results", rows)


@contextmanager
def served(folder: Path) -> Iterator[Get]:
    """Asks a server for paths, with what else is to be sent."""
    with Viewer(folder, 0) as viewer:
        thread = threading.Thread(target=viewer.serve_forever, args=(0.01,))
        thread.start()

        def get(
            path: str, method: str = "GET", **headers: str
        ) -> tuple[int, dict[str, str], bytes]:
            connection = HTTPConnection("127.0.0.1", viewer.server_port, timeout=60)
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
            connection.close()
            return found

        try:
            yield get
        finally:
            viewer.shutdown()
            thread.join()


def test_runs_are_found_the_newest_first_with_what_they_took(tmp_path: Path) -> None:
    write_run(tmp_path / "old", "match")
    write_run(tmp_path / "nested/new")
    os.utime(tmp_path / "old/result.json", (1e9, 1e9))
    new, old = Found(tmp_path).as_data()["runs"]
    assert (new["path"], old["path"]) == ("nested/new", "old")
    assert (new["verdict"], old["verdict"], old["at"]) == ("differs", "match", 1e9)
    (cpp,) = new["implementations"]
    assert (cpp["wrong"], cpp["samples"]) == (3, 9)
    assert cpp["median_ns"] == [50e3, 1e3]
    assert cpp["cpu_ns"] == [80e3, None]
    assert cpp["peak_bytes"] == [40e6, None]


def test_a_result_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    found = Found(tmp_path)
    assert found.as_data()["runs"][0]["verdict"] == "differs"
    text = (tmp_path / "run/result.json").read_text("utf-8")
    (tmp_path / "run/result.json").write_text(text.replace("differs", "match"), "utf-8")
    assert found.as_data()["runs"][0]["verdict"] == "match"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"verdict": "match"}', '{"comparisons": 3}', "\udc80"]
)
def test_what_is_no_result_is_told_and_never_green(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/result.json").write_text(text, "utf-8", errors="surrogateescape")
    (run,) = Found(tmp_path).as_data()["runs"]
    assert run["verdict"] == "unreadable"


def test_the_last_line_of_a_case_counts_and_a_line_that_is_being_written_is_passed_over(
    tmp_path: Path,
) -> None:
    write_case(tmp_path / "suite")
    write_case(tmp_path / "suite", verdict="match")
    write_case(tmp_path / "suite", case="scan/cpp", group="scan", expected="no atan2 yet")
    with (tmp_path / "suite/cases.jsonl").open("a") as lines:
        lines.write('{"case": "half')
    (suite,) = Found(tmp_path).as_data()["suites"]
    assert {case["case"]: case["verdict"] for case in suite["cases"]} == {
        "imu/cpp": "match",
        "scan/cpp": "expected",
    }
    assert suite["cases"][0]["folder"] == "suite/imu/cpp"
    assert not suite["finished"]


def test_a_verification_tells_how_far_it_is_and_why_it_failed(tmp_path: Path) -> None:
    with told(tmp_path, None) as watch:
        watch("running cpp")(3, 9)
        far = how_far(tmp_path)
        assert (far.state, far.sentence, far.done, far.total) == ("running", "running cpp", 3, 9)
    assert not (tmp_path / "progress.json").exists()
    with pytest.raises(RunError), told(tmp_path, None) as watch:
        watch("running cpp")
        raise RunError("cpp hangs")
    (run,) = Found(tmp_path).as_data()["runs"]
    assert (run["verdict"], run["sentence"]) == ("failed", "cpp hangs")


def test_a_verification_whose_process_is_gone_was_killed(tmp_path: Path) -> None:
    left = {"pid": 2**22 + 1, "state": "running", "sentence": "running cpp", "done": 1, "total": 2}
    (tmp_path / "progress.json").write_text(json.dumps({**left, "at": 1.0}), "utf-8")
    assert how_far(tmp_path).state == "killed"


def test_the_page_may_run_its_own_script_only_and_a_report_is_in_a_sandbox(tmp_path: Path) -> None:
    write_run(tmp_path / "run")
    with served(tmp_path) as get:
        status, headers, page = get("/")
        assert (status, b"/view.js" in page) == (200, True)
        assert "script-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        status, headers, report = get("/run/run/report.html")
        assert (status, report) == (200, b"<p>report")
        assert headers["Content-Security-Policy"] == "sandbox allow-scripts"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert get("/runs.json")[0] == 200
        assert get("/run/run/report.html", "HEAD")[2] == b""


@pytest.mark.parametrize(
    "path",
    [
        "/run/../secret.txt",
        "/run/%2e%2e/secret.txt",
        "/run/link.txt",
        "/run//etc/hostname.txt",
        "/run/run/bag.mcap",
        "/run/run",
        "/run/" + "a/" * 3000,
        "/run/run/report.html%00.txt",
        "/secret.txt",
        "/run/circle.txt",
    ],
)
def test_nothing_else_than_reports_texts_and_pictures_of_the_folder_is_served(
    tmp_path: Path, path: str
) -> None:
    runs = tmp_path / "runs"
    write_run(runs / "run")
    (tmp_path / "secret.txt").write_text("secret")
    (runs / "run/bag.mcap").write_text("secret")
    (runs / "link.txt").symlink_to(tmp_path / "secret.txt")
    (runs / "circle.txt").symlink_to(runs / "circle.txt")
    with served(runs) as get:
        status, _, data = get(path)
    assert status == 404
    assert b"secret" not in data


def test_a_site_whose_name_leads_here_gets_nothing(tmp_path: Path) -> None:
    with served(tmp_path) as get:
        assert get("/runs.json", Host="evil.example:80")[0] == 403
        assert get("/runs.json", "POST")[0] == 501


def test_a_missing_folder_and_a_taken_port_are_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        Viewer(tmp_path / "none", 0)
    with (
        Viewer(tmp_path, 0) as first,
        pytest.raises(UsageError, match=f"port {first.server_port} cannot be served: Address"),
    ):
        Viewer(tmp_path, first.server_port)


def test_results_over_time_are_served_of_suites_in_the_folder_only(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    write_results(tmp_path / "runs/nightly")
    write_results(tmp_path / "secret")
    with served(tmp_path / "runs") as get:
        found = json.loads(get("/trends.json?suite=nightly/0001-a&case=imu/cpp")[2])
        assert [one["verdict"] for one in found["commits"]] == ["match", "differs"]
        assert found["turned_bad"] == [0, 1]
        changed = json.loads(get("/changes.json?suite=nightly/0001-a")[2])
        assert (changed["a"], changed["b"]) == ("1" * 40, "2" * 40)
        assert [one["better"] for one in changed["verdicts"]] == ["A"]
        for suite in ("../secret/0001-a", "", ".", "%00", "nowhere/0001-a"):
            answer = json.loads(get(f"/trends.json?suite={suite}&case=imu/cpp")[2])
            assert answer.keys() == {"error"}
