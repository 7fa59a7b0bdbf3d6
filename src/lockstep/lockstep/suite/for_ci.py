"""The results of a suite for continuous integration: JUnit XML, workflow commands and Markdown of
GitHub, grouped by node, and a badge.

Formats as in report/junit.py and report/github.py; the badge is SVG.
"""

from __future__ import annotations

import html
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..printable import one_line
from ..report.github import cell, workflow_command
from .groups import Group, grouped, in_words, worst
from .result import Result, Standing

_SHOWN = 10  # annotations of one kind that GitHub shows for a step
_GREEN, _RED = "#2e7d32", "#c62828"
_LETTER_PX = 7
_MARKS: dict[Standing, str] = {
    "match": "✅",
    "expected": "☑️",
    "no verdict": "❔",
    "differs": "❌",
}


def write_junit(path: Path, results: Sequence[Result]) -> None:
    """A suite for each node, a test case for each case; a case without verdict is an error, one
    that was expected not to match is skipped. Raises OSError."""
    root = ET.Element("testsuites", name="lockstep")
    for group in grouped(results):
        counts = {
            "tests": len(group.results),
            "failures": group.counts["differs"],
            "errors": group.counts["no verdict"],
            "skipped": group.counts["expected"],
        }
        suite = ET.SubElement(root, "testsuite", name=one_line(group.name))
        for attribute, count in counts.items():
            suite.set(attribute, str(count))
        for result in group.results:
            _add_case(suite, result)
    for attribute in ("tests", "failures", "errors", "skipped"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
    ET.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, "utf-8", xml_declaration=True)


def _add_case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=one_line(result.group),
        name=one_line(result.case.removeprefix(f"{result.group}/")),
        time=f"{result.duration_s:.3f}",
    )
    sentence = one_line(result.sentence)
    if result.standing == "differs":
        failure = ET.SubElement(case, "failure", type=result.grade or "contract", message=sentence)
        failure.text = "\n".join(_details(result))
    elif result.standing == "no verdict":
        error = ET.SubElement(case, "error", type="no verdict", message=sentence)
        error.text = "\n".join(_details(result))
    elif result.standing == "expected":
        ET.SubElement(case, "skipped", message=one_line(f"{result.expected}: {result.sentence}"))
    if result.remarks:
        ET.SubElement(case, "system-out").text = "\n".join(map(one_line, result.remarks))


def workflow_commands(results: Sequence[Result]) -> Iterator[str]:
    """An error for each case that is not green, the worst first; each a line for stdout."""
    wrong = worst(results, len(results))
    for result in wrong[:_SHOWN]:
        yield workflow_command("error", result.case, "\n".join(_details(result)))
    if len(wrong) > _SHOWN:
        yield workflow_command("notice", "lockstep", f"{len(wrong) - _SHOWN} more cases fail")
    if not wrong:
        yield workflow_command("notice", "lockstep", in_words(Group("", tuple(results)).counts))


def markdown(results: Sequence[Result]) -> str:
    """A comment's worth: how many cases stand how, by node, and the three worst."""
    every = Group("", tuple(results))
    mark = "✅" if every.is_green else "❌"
    lines = [f"### {mark} lockstep: {in_words(every.counts)}", ""]
    if found := worst(results):
        lines += ["The worst:", ""]
        for result in found:
            details = "\n".join(_details(result))
            lines += [
                f"{_MARKS[result.standing]} <code>{cell(result.case)}</code>",
                "",
                f"<pre>{html.escape(details)}</pre>",
                "",
            ]
    lines += ["| node | cases | match | known not to | without verdict | differ |"]
    lines += ["|---|---:|---:|---:|---:|---:|"]
    for group in grouped(results):
        mark = "✅" if group.is_green else "❌"
        numbers = (len(group.results), *group.counts.values())
        lines.append(f"| {mark} {cell(group.name)} | {' | '.join(map(str, numbers))} |")
    return "\n".join(lines) + "\n"


def badge(results: Sequence[Result]) -> str:
    """SVG that says how many cases of how many match."""
    every = Group("", tuple(results))
    label, told = "lockstep", f"{every.counts['match']} of {len(results)} match"
    colour = _GREEN if every.is_green else _RED
    left, right = (_LETTER_PX * len(text) + 12 for text in (label, told))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{label}: {told}"><title>{label}: {told}</title>'
        f'<rect width="{left}" height="20" fill="#424242"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        '<g fill="#fff" text-anchor="middle" font-size="11" '
        'font-family="Verdana,DejaVu Sans,sans-serif">'
        f'<text x="{left / 2:g}" y="14">{label}</text>'
        f'<text x="{left + right / 2:g}" y="14">{told}</text></g></svg>\n'
    )


def _details(result: Result) -> Iterator[str]:
    """What is to be known of a case that is not green."""
    yield one_line(result.sentence)
    for field in result.fields[:3]:
        yield one_line(field.sentence())
    if result.folder:
        yield one_line(f"see {result.folder}")
