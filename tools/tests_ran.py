"""Tell of each folder of tests how many ran, failed and were skipped; fail if far fewer ran than
there are.

A run that a plugin, a crash or a wrong option cut short is green otherwise. How many there are is
what pytest collects in each folder; how many ran is read from the reports that tools/test leaves
in build, where those of C++ count too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LEAST_SHARE = 0.9  # of what is collected; a test that needs what is not here is skipped, and counts


def folders() -> list[Path]:
    """All folders of tests."""
    return [Path("tests"), *sorted(Path("src").glob("*/test")), Path("launch/test")]


def collected(folder: Path) -> int:
    """How many tests pytest finds in a folder; those of C++ are not among them."""
    words = ["--collect-only", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], capture_output=True, text=True, check=False
    )
    return sum("::" in line and not line.startswith("SKIPPED") for line in done.stdout.splitlines())


def outcome(case: ET.Element) -> str:
    """How a test case of a JUnit report ended."""
    told = {child.tag for child in case}
    if told & {"failure", "error"}:
        return "failed"
    return "skipped" if "skipped" in told else "passed"


def ran(folder: Path) -> Counter[str]:
    """How many tests of a folder ran, by how they ended."""
    cases: list[ET.Element] = []
    if (report := Path("build/pytest.xml")).is_file():
        module = ".".join(folder.parts) + "."
        for case in ET.parse(report).iter("testcase"):
            # A module that is skipped as a whole is a case without a class.
            if (case.get("classname") or case.get("name") or "").startswith(module):
                cases.append(case)
    for report in Path("build", folder.parent.name).glob("test_results/**/*.xml"):
        cases.extend(ET.parse(report).iter("testcase"))
    return Counter(map(outcome, cases))


def main() -> int:
    """Print a line for each folder; gives the exit code."""
    missing = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = dict(zip(folders(), pool.map(collected, folders()), strict=True))
    for folder, there in counts.items():
        outcomes = ran(folder)
        told = ", ".join(f"{count} {ended}" for ended, count in sorted(outcomes.items()))
        print(f"{folder}: {outcomes.total()} tests ran: {told or 'none'}")
        if outcomes.total() < LEAST_SHARE * there:
            print(f"{folder}: {there} tests are there, and far fewer ran", file=sys.stderr)
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
