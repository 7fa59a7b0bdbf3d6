"""Text of unknown origin, such as names of topics, as a terminal or the log of a CI may show it."""

from __future__ import annotations

import re

_COMMAND = re.compile(r"^(\s*)(::|##\[)", re.MULTILINE)


def one_line(text: str) -> str:
    r"""The text with whatever but a tab cannot be printed as an escape (`\x1b`, `\n`, `\u202e`)."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def some_lines(text: str) -> str:
    """The same of a text of several lines, none of which is a workflow command of GitHub."""
    return _COMMAND.sub(r"\1\\\2", "\n".join(map(one_line, text.split("\n"))))


def _escaped(letter: str) -> str:
    return (
        letter
        if letter.isprintable() or letter == "\t"
        else letter.encode("unicode_escape").decode("ascii")
    )
