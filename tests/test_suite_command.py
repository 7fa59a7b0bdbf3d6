"""`lockstep suite` as a stranger meets it: many cases at once, some of which take what is not
theirs, and none of which is green that is not."""

from __future__ import annotations

import json
import os
import re
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from lockstep.bag.url import read_if_there
from lockstep.cli.suite import command as suite_command
from lockstep.errors import USAGE, BagError, UsageError
from lockstep.suite.results import query
from s3_server import bucket, needs_s3
from stranger import Stranger
from verifications import CPP, PYTHON, Write

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("loky", "duckdb")),
    reason="loky or duckdb is not installed",
)
__all__ = ["bucket"]
CASES = "cases.jsonl"


def component(name: str) -> dict[str, str]:
    return {"component": f"suites:{name}"}


def write_suite(folder: Path, **suite: object) -> Path:
    file = folder / "suite.yaml"
    file.write_text(yaml.safe_dump({"verify": ["verify.yaml"], **suite}), "utf-8")
    return file


def verdicts(lines: str) -> dict[str, str]:
    """The verdicts of the lines of JSON, by implementation."""
    rows = [json.loads(line) for line in lines.splitlines()]
    return {row["implementation"]: row["verdict"] for row in rows if "verdict" in row}


def rows_of(text: str) -> dict[str, dict[str, object]]:
    rows = [json.loads(line) for line in text.splitlines()]
    return {row["implementation"]: row for row in rows if "verdict" in row}


def test_nothing_is_green_that_is_not(
    write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    candidates = ("Doubled", "TakesAllMemory", "TakesAllTime", "KillsItsWorker")
    implementations = {"cpp": CPP, "again": CPP}
    implementations |= {name: component(name) for name in candidates}
    implementations |= {"once": component("KillsItsWorkerOnce")}
    write_verification(implementations, duration=0.3, run={"mode": "direct", "timeout": 120})
    foretold = {"cases": "*/Doubled", "reason": "the sign of x", "until": "2999-01-01"}
    limits = [{"cases": "*/TakesAllTime", "time": 4}]
    write_suite(tmp_path, expected=[foretold], rules=limits, limits={"memory": "1 GB", "time": 100})
    done = stranger.run(
        *("suite", "suite.yaml", "--json", "--jobs", "2", "--junit", "suite.xml"),
        env={"SUITE_TEST_MARK": str(tmp_path / "mark")},
        timeout_s=280,
    )
    assert done.code == 3, done.err
    rows = rows_of(done.out)
    assert {name: row["standing"] for name, row in rows.items()} == {
        "again": "match",
        "once": "match",
        "Doubled": "expected",
        "TakesAllMemory": "no verdict",
        "TakesAllTime": "no verdict",
        "KillsItsWorker": "no verdict",
    }
    assert "MemoryError" in str(rows["TakesAllMemory"]["sentence"])
    assert rows["TakesAllTime"]["sentence"] == "it took longer than 4 s"
    assert "the process that ran it died, and so did another" in str(
        rows["KillsItsWorker"]["sentence"]
    )
    assert (tmp_path / "mark").exists()
    assert rows["Doubled"]["expected"] == "the sign of x (until 2999-01-01)"
    assert json.loads(done.out.splitlines()[-1])["cases"] == 6
    assert list(tmp_path.glob("runs/suite/results/day=*/*.parquet"))
    stranger.assert_nothing_left(within_s=5)


def test_a_reference_runs_once_and_only_what_changed_runs_again(
    write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text("from suites import VectorNormalizer as Port\n")
    implementations = {"cpp": CPP, "own": {"component": "own:Port"}, "again": CPP}
    write_verification(implementations, duration=0.3, run={"mode": "direct", "repeat": None})
    write_suite(tmp_path)
    environment = {"PYTHONPATH": f"{tmp_path}:{Path(__file__).parent}:{os.environ['PYTHONPATH']}"}
    asked = ("suite", "suite.yaml", "--jobs", "1")
    first = stranger.run(*asked, "--json", env=environment, timeout_s=250)
    assert first.code == 0, first.err
    assert sorted(row["kept_reference"] for row in rows_of(first.out).values()) == [False, True]
    folders = [Path(str(row["folder"])) for row in rows_of(first.out).values()]
    results = [json.loads((tmp_path / one / "result.json").read_text()) for one in folders]
    assert {result["verdict"] for result in results} == {"match"}
    assert sorted(len(result["noise_floor"]) for result in results) == [0, 1]

    unchanged = stranger.run(*asked, "--changed", env=environment, timeout_s=150)
    assert (unchanged.code, unchanged.err) == (0, "")
    assert "2 cases: 2 match (2 as before, and not run again)" in unchanged.out

    (tmp_path / "own.py").write_text("from suites import Doubled as Port\n")
    changed = stranger.run(*asked, "--changed", "--json", env=environment, timeout_s=250)
    assert changed.code == 1, changed.err
    rows = rows_of(changed.out)
    assert [row["carried"] for name, row in sorted(rows.items())] == [True, False]
    assert (rows["own"]["verdict"], rows["own"]["kept_reference"]) == ("differs", True)
    assert rows["own"]["fields"]

    failed = stranger.run(*asked, "--only-failed", "--json", env=environment, timeout_s=250)
    assert failed.code == 1, failed.err
    carried = {name: row["carried"] for name, row in rows_of(failed.out).items()}
    assert carried == {"again": True, "own": False}


def test_what_is_done_is_kept_when_somebody_interrupts_it(
    write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    implementations = {"cpp": CPP, "again": CPP, "slow": component("TakesAllTime")}
    write_verification(implementations, duration=0.3, run={"mode": "direct", "timeout": 120})
    write_suite(tmp_path)
    command = stranger.start("suite", "suite.yaml", "--jobs", "1")
    journal = command.wait_until(
        lambda: next((p for p in tmp_path.glob(f"runs/suite/*/{CASES}") if p.read_text()), None),
        "a case that is done",
        timeout_s=200,
    )
    command.wait_until(lambda: stranger.processes("TakesAllTime"), "the next one", timeout_s=150)
    command.signal_group(signal.SIGINT)
    done = command.end(timeout_s=150)
    assert done.code == 130
    assert done.err.splitlines()[-1] == "interrupted; all processes ended"
    assert verdicts(journal.read_text()) == {"again": "match"}
    assert list(tmp_path.glob("runs/suite/results/day=*/*.parquet"))
    stranger.assert_nothing_left(within_s=5)

    write_suite(tmp_path, rules=[{"cases": "*/slow", "time": 1}])
    resumed = stranger.run("suite", "suite.yaml", "--resume", "--json", timeout_s=200)
    assert resumed.code == 3, resumed.err
    assert verdicts(resumed.out) == {"again": "match", "slow": "no verdict"}
    assert verdicts(journal.read_text()) == {"again": "match", "slow": "no verdict"}


def test_a_suite_that_is_killed_leaves_nothing_running(
    write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    implementations = {"cpp": CPP, "slow": component("TakesAllTime")}
    write_verification(implementations, duration=0.3, run={"mode": "direct", "timeout": 120})
    write_suite(tmp_path)
    command = stranger.start("suite", "suite.yaml")
    command.wait_until(lambda: stranger.processes("TakesAllTime"), "a case", timeout_s=200)
    command.signal(signal.SIGKILL)
    assert command.end().code == -signal.SIGKILL
    stranger.assert_nothing_left(within_s=20)


def test_two_suites_at_once_in_one_folder_keep_all_they_have_done(
    write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    write_verification(
        {"cpp": CPP, "again": CPP}, duration=0.3, run={"mode": "direct", "repeat": None}
    )
    write_suite(tmp_path)
    commands = [stranger.start("suite", "suite.yaml", "--json") for _ in range(2)]
    ended = [command.end(timeout_s=200) for command in commands]
    assert [done.code for done in ended] == [0, 0], [done.err for done in ended]
    rows = [row for done in ended for row in rows_of(done.out).values()]
    assert sorted(row["kept_reference"] for row in rows) == [False, True]
    assert len({row["run"] for row in rows}) == 2
    assert len(list(tmp_path.glob("runs/suite/results/day=*/*.parquet"))) == 2


@needs_s3
@pytest.mark.usefixtures("bucket")
def test_what_cases_write_and_runs_of_references_are_kept_on_s3(
    write_verification: Write, stranger: Stranger, tmp_path: Path
) -> None:
    implementations = {"cpp": CPP, "again": CPP, "other": CPP}
    write_verification(implementations, duration=0.3, run={"mode": "direct", "repeat": None})
    suite = write_suite(tmp_path)
    asked = ("suite", "suite.yaml", "--json", "--jobs", "1", "--store", "s3://drives/nightly")
    done = stranger.run(*asked, timeout_s=200)
    assert done.code == 0, done.err
    rows = rows_of(done.out)
    assert [row["kept_reference"] for row in rows.values()] == [False, True]
    report = str(rows["other"]["folder"]) + "/result.json"
    assert report.startswith("s3://drives/nightly/000001-")
    assert json.loads(read_if_there(report, 1 << 20) or b"")["verdict"] == "match"
    assert query("s3://drives/nightly", "select count(*) from results")[1] == [(2,)]

    with pytest.raises(BagError, match=r"s3://nobodys/nightly/.*/begun does not exist") as lost:
        suite_command(suite, output=tmp_path / "runs", store="s3://nobodys/nightly")
    assert lost.value.exit_code == USAGE


@pytest.mark.parametrize(
    ("content", "options", "sentence"),
    [
        ({}, {"shard": "2/2"}, "shard 2/2 has no cases: the suite has 1"),
        ({}, {"shard": "3/2"}, "--shard 3/2 is none; give NUMBER/OF, such as 3/8"),
        ({}, {"resume": True}, "is unfinished; leave out --resume"),
        ({}, {"store": "/nightly"}, "--store /nightly is no URL; a folder of this machine is for"),
        ({"exclude": ["*"]}, {}, "the suite has no cases: of 1 in the matrix"),
        (
            {"matrix": {"parameters": {f"p{n}": {} for n in range(10)}}, "most": 9},
            {},
            "the matrix has 10 cases, and 9 are allowed; narrow it, or give most: 10",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_told(
    write_verification: Write,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: dict[str, object],
    options: dict[str, Any],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    write_verification({"python": PYTHON, "again": PYTHON})
    with pytest.raises(UsageError, match=re.escape(sentence)) as refused:
        suite_command(write_suite(tmp_path, **content), **options)
    assert refused.value.exit_code == USAGE
    assert not list(tmp_path.glob("runs/*/results"))


def test_cases_are_listed(
    write_verification: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_verification({"python": PYTHON, "again": PYTHON})
    with pytest.raises(typer.Exit):
        suite_command(write_suite(tmp_path), list_only=True)
    assert capsys.readouterr().out == "verify/again\n"
