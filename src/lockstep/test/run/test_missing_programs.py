"""A program that is not there: what is missing and what helps."""

import pytest
from lockstep.errors import UsageError
from lockstep.run.implementation import find_executable
from lockstep.run.processes import ask


@pytest.mark.parametrize(
    ("program", "remedy"),
    [
        ("ros2", "no ros2 command line: give 'executable: PACKAGE/EXECUTABLE'"),
        ("no_such_program", "no folder of PATH has it"),
        ("./no/such/file", "there is no such file"),
    ],
)
def test_the_sentence_says_what_helps(program, remedy, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="cannot find") as caught:
        ask({"cpp": [program]}, 10.0)
    assert remedy in str(caught.value)


def test_an_executable_that_is_not_there_is_told_with_what_helps(monkeypatch, tmp_path):
    (tmp_path / "share" / "pkg").mkdir(parents=True)
    (tmp_path / "lib" / "pkg").mkdir(parents=True)
    (tmp_path / "lib" / "pkg" / "node").touch(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    with pytest.raises(UsageError, match=r"has no executable 'nod' .*\(it has node\)"):
        find_executable("cpp", "pkg/nod")
    with pytest.raises(UsageError, match=r"'other' is in none .*; build it and source"):
        find_executable("cpp", "other/node")
    monkeypatch.setenv("AMENT_PREFIX_PATH", "")
    with pytest.raises(UsageError, match="no workspace is sourced"):
        find_executable("cpp", "pkg/node")
