"""Comparisons as JUnit XML: a suite each, a test case for each key.

Format: the elements that Jenkins, GitLab and GitHub actions agree on (testsuites, testsuite,
testcase, failure, system-out). What cannot be printed is escaped, and with it what XML 1.0 cannot
hold.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..compare import Comparison
from ..compare.summary import summary_of_key
from ..printable import one_line


def write_junit(
    path: Path,
    comparisons: Mapping[str, Comparison],
    remarks: Mapping[str, Sequence[str]] | None = None,
    objections: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write the outcome of comparisons, with remarks on some, by name; raises OSError.

    Objections, by name of a comparison or of what was not compared, are a failure of its own.
    """
    root, objections = ET.Element("testsuites", name="lockstep"), objections or {}
    compared = [*comparisons, *(name for name in objections if name not in comparisons)]
    for name in compared:
        keys = comparisons[name].keys.values() if name in comparisons else ()
        why = "\n".join(map(one_line, objections.get(name, ())))
        suite = ET.SubElement(
            root,
            "testsuite",
            name=one_line(name),
            tests=str(len(keys) + bool(why)),
            failures=str(sum(not key.matches for key in keys) + bool(why)),
            errors="0",
        )
        if why:
            case = ET.SubElement(suite, "testcase", classname=one_line(name), name="verdict")
            failure = ET.SubElement(case, "failure", type="no match", message=why.split("\n")[0])
            failure.text = why
        for key in keys:
            case = ET.SubElement(
                suite, "testcase", classname=one_line(name), name=one_line(key.topic)
            )
            lines = "\n".join(summary_of_key(key, comparisons[name].names))
            if key.matches:
                ET.SubElement(case, "system-out").text = lines
            else:
                failure = ET.SubElement(
                    case, "failure", type=key.grade, message=lines.split("\n")[0]
                )
                failure.text = lines
        if lines_of := (remarks or {}).get(name):
            ET.SubElement(suite, "system-out").text = "\n".join(map(one_line, lines_of))
    for attribute in ("tests", "failures"):
        root.set(attribute, str(sum(int(suite.get(attribute, "0")) for suite in root)))
    ET.indent(root)
    ET.ElementTree(root).write(path, "utf-8", xml_declaration=True)
