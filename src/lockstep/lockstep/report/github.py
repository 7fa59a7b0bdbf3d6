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
            yield workflow_command("warning", name, "\n".join(lines))
    errors = [
        workflow_command("error", name, "\n".join(lines))
        for name, lines in (objections or {}).items()
        if lines
    ]
    for name, comparison in comparisons.items():
        for key in comparison.keys.values():
            if not key.matches:
                lines = "\n".join(summary_of_key(key, comparison.names))
                errors.append(workflow_command("error", f"{name}: {key.topic}", lines))
    yield from errors[:_SHOWN]
    if len(errors) > _SHOWN:
        yield workflow_command("notice", "lockstep", f"{len(errors) - _SHOWN} more topics differ")
    if not errors:
        found = ", ".join(f"{name}: {comparison.grade}" for name, comparison in comparisons.items())
        yield workflow_command("notice", "lockstep", found)


def workflow_command(kind: str, title: str, text: str) -> str:
    """An annotation: a line for stdout. `kind` is error, warning or notice."""
    return f"::{kind} title={_property(title)}::{_data(text)}"


def markdown(
    comparisons: Mapping[str, Comparison],
    remarks: Mapping[str, Sequence[str]] | None = None,
    objections: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The summary of a step: a table of keys for each comparison, and all that differs."""
    lines: list[str] = []
    for name, why in (objections or {}).items():
        if why and name not in comparisons:
            lines += [f"### ❌ {cell(name)}", "", _pre(why), ""]
    for name, comparison in comparisons.items():
        why = (objections or {}).get(name, ())
        mark = "✅" if comparison.all_match and not why else "❌"
        grade = "no match" if comparison.all_match and why else comparison.grade
        lines += [f"### {mark} {cell(name)}: {grade}", ""]
        lines += [_pre(why), ""] if why else []
        if told := (remarks or {}).get(name):
            lines += [f"⚠️ {_pre(told)}", ""]
        lines += ["| topic | type | aligned | differ | missing | extra | grade |"]
        lines += ["|---|---|---:|---:|---:|---:|---|"]
        for key in comparison.keys.values():
            cells = (
                f"<code>{cell(key.topic)}</code>",
                cell(key.type),
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


def cell(text: str) -> str:
    """Escaped as text in a table."""
    return html.escape(one_line(text)).replace("|", "&#124;").replace("`", "&#96;")
