"""Text of unknown origin, such as names of topics, as a terminal or the log of a CI may show it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, TextIO

_COMMAND = re.compile(r"^(\s*)::", re.MULTILINE)
_OLD_COMMAND = "##["
"""What begins a workflow command of GitHub anywhere in a line."""


def one_line(text: str) -> str:
    r"""The text with whatever but a tab cannot be printed as an escape (`\x1b`, `\n`, `\u202e`)."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def some_lines(text: str) -> str:
    """The same of a text of several lines, none of which is a workflow command of GitHub."""
    lines = "\n".join(map(one_line, text.split("\n")))
    return _COMMAND.sub(r"\1\\::", lines).replace(_OLD_COMMAND, r"##\[")


def printed_json(text: str) -> str:
    r"""A text of JSON that means the same and can be printed: `\u202e` for what cannot."""
    lines = (line if line.isprintable() else "".join(map(_json, line)) for line in text.split("\n"))
    return "\n".join(lines).replace(_OLD_COMMAND, r"\u0023#[")


def printable_data(data: Any) -> Any:
    """Dicts and lists with all their strings as lines that can be printed."""
    if isinstance(data, str):
        return one_line(data)
    if isinstance(data, dict):
        return {printable_data(name): printable_data(value) for name, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [printable_data(item) for item in data]
    return data


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table for a notebook, whose texts are never markup."""
    lines = [
        "".join(f"<{cell}>{escape(one_line(str(value)))}</{cell}>" for value in values)
        for cell, values in [("th", head), *(("td", row) for row in rows)]
    ]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f"<table><caption>{escape(some_lines(caption))}</caption>{body}</table>"


def tell(text: str, stream: TextIO | None = None) -> None:
    """Print some lines, by default on stderr, at once."""
    print(some_lines(text), file=stream or sys.stderr, flush=True)


def _escaped(letter: str) -> str:
    return (
        letter
        if letter.isprintable() or letter == "\t"
        else letter.encode("unicode_escape").decode("ascii")
    )


def _json(letter: str) -> str:
    if letter.isprintable() or letter in "\t\r":  # which JSON has only between its values
        return letter
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
