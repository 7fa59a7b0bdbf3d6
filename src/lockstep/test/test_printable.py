"""Names of unknown origin cannot act on whoever reads them."""

import io
import json
import sys
from types import SimpleNamespace

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.bag.text import text
from lockstep.bag.text_reader import read_text
from lockstep.cdr.codec import Codec
from lockstep.cli import show
from lockstep.cli.commands import loaded
from lockstep.cli.ending import tell_errors
from lockstep.cli.show import console, print_command, print_json, print_line, print_wide
from lockstep.compare import compare
from lockstep.compare.text_diff import text_diff
from lockstep.errors import UsageError
from lockstep.nodes.process import exit_with
from lockstep.port.send import send_prompt
from lockstep.printable import one_line, printed_json, some_lines
from lockstep.testing.log import show_log
from rich.table import Table

CODEC = Codec("pkg/msg/X", "string x")
HOSTILE = "/\x1b[1A\u202e\x7f\n::error::[red]:warning:##[group]"
SHOWN = r"/\x1b[1A\u202e\x7f\n::error::[red]:warning:##[group]"


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
    assert some_lines("a\n  ::error::b\nx ##[group]c") == "a\n  \\::error::b\nx ##\\[group]c"


@pytest.mark.parametrize(
    "value", ["\x7f\x9b\u202e", "\U000e0001", "##[group]", "größe\n::x", "\ud800"]
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_that_is_printed_means_the_same(value, ascii_only):
    shown = printed_json(json.dumps({value: [value]}, indent=1, ensure_ascii=ascii_only))
    assert json.loads(shown) == {value: [value]}
    assert all(line.isprintable() for line in shown.split("\n")) and "##[" not in shown


def test_a_line_on_a_terminal_holds_no_control_sequence(capsys):
    print_line(console, "/x\x1b[1A\x1b[2KMATCH")
    assert capsys.readouterr().out == "/x\\x1b[1A\\x1b[2KMATCH\n"


def test_an_error_that_names_a_topic_holds_no_control_sequence(capsys):
    def command():
        raise UsageError("no topic /x\x1b[2J\n::error::y")

    with pytest.raises(SystemExit):
        tell_errors(command)
    assert capsys.readouterr().err == "error: no topic /x\\x1b[2J\n\\::error::y\n"


def test_a_line_is_no_markup_no_emoji_and_no_workflow_command(capsys):
    print_line(console, "[red]x[/] :warning:\n::error::y ##[group]z")
    assert capsys.readouterr().out == "[red]x[/] :warning:\n\\::error::y ##\\[group]z\n"


def test_only_a_workflow_command_is_printed_as_one(capsys):
    print_command("::notice title=[x]::y")
    assert capsys.readouterr().out == "::notice title=[x]::y\n"


def test_data_for_programs_stays_what_it_is(capsys):
    print_json({"name": f"{HOSTILE}"})
    assert json.loads(capsys.readouterr().out) == {"name": HOSTILE}


def test_a_cell_of_a_table_is_no_markup_and_no_control_sequence(capsys):
    table = Table("[b]name[/]", title=":warning:")
    table.add_row("\x1b[2J[red]\u202ex[/]")
    print_wide(console, table)
    out = capsys.readouterr().out
    assert "[b]name[/]" in out and ":warning:" in out and r"\x1b[2J[red]\u202ex[/]" in out
    assert len({len(line) for line in out.splitlines()[1:]}) == 1


def shown_at(width):
    shown = io.StringIO()
    out = type(console)(file=shown, force_terminal=True, width=width, no_color=True)
    table = Table("topic", "messages")
    table.columns[1].no_wrap = True
    table.add_row("/a_topic_of_30_letters_in_length", "1234567")
    print_wide(out, table)
    return shown.getvalue()


def test_a_table_cuts_no_name_on_a_narrow_terminal():
    assert "/a_topic_of_30_letters_in_length" in shown_at(80)
    assert "│ /a_topic_of_30_lette │  1234567 │" in shown_at(35).replace("1234567  ", " 1234567 ")
    assert shown_at(28) == "/a_topic_of_30_letters_in_length\n  messages: 1234567\n"


def test_a_narrow_terminal_shows_the_columns_that_matter():
    shown = io.StringIO()
    out = type(console)(file=shown, force_terminal=True, width=44, no_color=True)
    table = Table("", "in → out", "differing", "verdict")
    table.add_row("a pair of names", "1000 → 1000", "3", "differs")
    print_wide(out, table, essential=(0, 2, 3))
    head, *_, last = shown.getvalue().splitlines()[1:]
    assert "differing" in head and "verdict" in head and "in → out" not in head
    assert "a wider terminal shows in → out" in last


def test_a_table_in_a_file_cuts_nothing(capsys):
    table = Table("topic")
    table.add_row("/x" * 100)
    print_wide(console, table)
    assert "/x" * 100 in capsys.readouterr().out


def test_a_progress_bar_shows_a_name_as_it_is(monkeypatch):
    shown = io.StringIO()
    monkeypatch.setattr(show, "stderr", type(show.stderr)(file=shown, force_terminal=True))
    with show.progress_bar("[red]\x1b[2J\nx") as progress:
        progress(1, 2)
    assert r"[red]\x1b[2J\nx" in shown.getvalue()


def recorded(folder, value):
    with BagWriter(folder) as writer:
        writer.add_topic(HOSTILE, "pkg/msg/X", "string x")
        writer.write(HOSTILE, CODEC.encode({"x": value}), 0)
    return folder


def test_info_shows_a_topic_on_a_line_of_its_table(tmp_path, capsys):
    loaded("info").main([str(recorded(tmp_path / "bag", "x"))], standalone_mode=False)
    (row,) = (line for line in capsys.readouterr().out.splitlines() if "pkg/msg/X" in line)
    assert SHOWN.replace("##[", r"##\[") in row


def test_a_text_diff_holds_no_control_sequence(tmp_path):
    a, b = (Bag(recorded(tmp_path / name, f"{name}\u202e\x1b[2J")) for name in "ab")
    comparison = compare(a, b)
    lines = list(text_diff(comparison, comparison.keys[HOSTILE]))
    assert lines[0].startswith("--- a\t" + SHOWN)
    assert all(line.replace("\t", " ").isprintable() for line in lines)
    assert [line for line in lines if line.startswith("-x")] == [r"-x: 'a\u202e\x1b[2J'"]


def test_the_text_of_a_bag_can_be_printed_and_read_again(tmp_path):
    value = "\u202e\x7f\x9b##[group]"
    lines = list(text(Bag(recorded(tmp_path / "bag", value))))
    assert all(line.isprintable() and "##[" not in line for line in lines)
    assert not any(line.startswith("::") for line in lines)
    (tmp_path / "bag.txt").write_text("\n".join(lines))
    read_text(tmp_path / "bag.txt", tmp_path / "again", lambda _: ("string x", "ros2msg", ""))
    (message,) = Bag(tmp_path / "again").messages()
    assert (message.topic, CODEC.decode(message.data).x) == (HOSTILE, value)


def test_a_prompt_on_a_terminal_holds_no_control_sequence(capsys, monkeypatch):
    prompt = SimpleNamespace(to_markdown=lambda: "::std::x\n\x1b[2J\u202e")
    send_prompt(prompt, "print")
    assert capsys.readouterr().out == "::std::x\n\x1b[2J\u202e\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    send_prompt(prompt, "print")
    assert capsys.readouterr().out == "::std::x\n\\x1b[2J\\u202e\n"


def test_the_log_of_a_process_that_is_passed_on_holds_no_control_sequence(tmp_path, capsys):
    (tmp_path / "log").write_bytes(b"[INFO] a\n\x1b[2J\xff\r::error::b\n")
    show_log(SimpleNamespace(log=tmp_path / "log"))
    assert capsys.readouterr().err == "[INFO] a\n\\x1b[2J\ufffd\\r::error::b\n"


def test_an_error_of_a_node_holds_no_control_sequence(capsys):
    def main():
        raise UsageError(f"no topic {HOSTILE}")

    with pytest.raises(SystemExit):
        exit_with(main, name="player")
    assert "\x1b" not in capsys.readouterr().err
