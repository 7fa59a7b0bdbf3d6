"""Names of unknown origin cannot act on whoever reads them."""

import pytest
from lockstep.cli.ending import tell_errors
from lockstep.cli.show import console, print_line
from lockstep.errors import UsageError
from lockstep.printable import one_line, some_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/imu/größe → [0]\t1", "/imu/größe → [0]\t1"),
        ("\x1b[2J\x1b]0;MATCH\x07", r"\x1b[2J\x1b]0;MATCH\x07"),
        ("\x9b2J\x7f", r"\x9b2J\x7f"),
        ("a\nMATCH: b\r", r"a\nMATCH: b\r"),
        ("\u202egnp\u2028", r"\u202egnp\u2028"),
        ("\udcff", r"\udcff"),
    ],
)
def test_what_cannot_be_printed_is_an_escape(text, shown):
    assert one_line(text) == shown


def test_no_line_of_several_is_a_workflow_command():
    assert some_lines("a\n  ::error::b\n##[group]c") == "a\n  \\::error::b\n\\##[group]c"


def test_a_line_on_a_terminal_holds_no_control_sequence(capsys):
    print_line(console, "/x\x1b[1A\x1b[2KMATCH")
    assert capsys.readouterr().out == "/x\\x1b[1A\\x1b[2KMATCH\n"


def test_an_error_that_names_a_topic_holds_no_control_sequence(capsys):
    def command():
        raise UsageError("no topic /x\x1b[2J\n::error::y")

    with pytest.raises(SystemExit):
        tell_errors(command)
    assert capsys.readouterr().err == "error: no topic /x\\x1b[2J\n\\::error::y\n"
