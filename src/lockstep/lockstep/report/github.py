"""Comparisons as GitHub Actions shows them: annotations, and a summary of the step in Markdown.

Format: workflow commands,
https://docs.github.com/actions/reference/workflow-commands-for-github-actions.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence

from ..compare import Comparison
from ..compare.summary import summary_of_key
from ..printable import one_line, some_lines

_SHOWN = 10  # annotations of one kind that GitHub shows for a step


def workflow_commands(
    comparisons: Mapping[str, Comparison],
    remarks: Mapping[str, Sequence[str]] | None = None,
    objections: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[str]:
    """An error for each key that differs, or a notice that all match; each a line for stdout.

    Remarks, by name of a comparison, are warnings; objections to one, or to what was not compared,
    are errors.
    """
    for name, lines in (remarks or {}).items():
        if lines:
            yield f"::warning title={_property(name)}::{_data(chr(10).join(lines))}"
    errors = [
        f"::error title={_property(name)}::{_data(chr(10).join(lines))}"
        for name, lines in (objections or {}).items()
        if lines
    ]
    for name, comparison in comparisons.items():
        for key in comparison.keys.values():
            if not key.matches:
                lines = "\n".join(summary_of_key(key, comparison.names))
                errors.append(f"::error title={_property(f'{name}: {key.topic}')}::{_data(lines)}")
    yield from errors[:_SHOWN]
    if len(errors) > _SHOWN:
        yield f"::notice title=lockstep::{len(errors) - _SHOWN} more topics differ"
    if not errors:
        found = ", ".join(f"{name}: {comparison.grade}" for name, comparison in comparisons.items())
        yield f"::notice title=lockstep::{_data(found)}"


def markdown(
    comparisons: Mapping[str, Comparison],
    remarks: Mapping[str, Sequence[str]] | None = None,
    objections: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The summary of a step: a table of keys for each comparison, and all that differs."""
    lines: list[str] = []
    for name, why in (objections or {}).items():
        if why and name not in comparisons:
            lines += [f"### ❌ {_cell(name)}", "", _pre(why), ""]
    for name, comparison in comparisons.items():
        why = (objections or {}).get(name, ())
        mark = "✅" if comparison.all_match and not why else "❌"
        grade = "no match" if comparison.all_match and why else comparison.grade
        lines += [f"### {mark} {_cell(name)}: {grade}", ""]
        lines += [_pre(why), ""] if why else []
        if told := (remarks or {}).get(name):
            lines += [f"⚠️ {_pre(told)}", ""]
        lines += ["| topic | type | aligned | differ | missing | extra | grade |"]
        lines += ["|---|---|---:|---:|---:|---:|---|"]
        for key in comparison.keys.values():
            cells = (
                f"<code>{_cell(key.topic)}</code>",
                _cell(key.type),
                key.aligned.count,
                key.judged.differing,
                len(key.aligned.only_a),
                len(key.aligned.only_b),
                key.grade,
            )
            lines.append(f"| {' | '.join(map(str, cells))} |")
        lines.append("")
        for key in comparison.keys.values():
            if not key.matches:
                text = html.escape("\n".join(summary_of_key(key, comparison.names)))
                lines += [f"<pre>{text}</pre>", ""]
    return "\n".join(lines) + "\n"


def _pre(lines: Sequence[str]) -> str:
    return f"<pre>{html.escape(chr(10).join(map(one_line, lines)))}</pre>"


def _data(text: str) -> str:
    """Escaped as the message of a workflow command."""
    return some_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(one_line(text)).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    """Escaped as text in a table."""
    return html.escape(one_line(text)).replace("|", "&#124;").replace("`", "&#96;")
