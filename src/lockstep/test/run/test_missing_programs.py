"""A program that is not there: what is missing and what helps."""

import pytest
from lockstep.errors import UsageError
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
