"""Tell of each folder of tests how many ran, failed and were skipped; fail if far fewer ran than
there are.

A run that a plugin, a crash or a wrong option cut short is green otherwise. How many there are is
what pytest collects in each folder; how many ran is read from the reports that tools/test leaves
in build, where those of C++ count too.
"""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

LEAST_SHARE = 0.9  # of what is collected; a test that needs what is not here is skipped, and counts


@dataclass
class Ran:
    """How many tests of a folder ran, by how they ended."""

    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, case: ET.Element) -> None:
        """Count a test case of a JUnit report."""
        ended = {child.tag for child in case}
        bad = ended & {"failure", "error"}
        self.outcomes["failed" if bad else "skipped" if "skipped" in ended else "passed"] += 1

    @property
    def count(self) -> int:
        return self.outcomes.total()


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


def ran(folder: Path) -> Ran:
    """What the reports say of a folder."""
    found = Ran()
    module = ".".join(folder.parts) + "."
    if (report := Path("build/pytest.xml")).is_file():
        for case in ET.parse(report).iter("testcase"):
            if (case.get("classname") or case.get("name") or "").startswith(module):
                found.add(case)
    for report in Path("build", folder.parent.name).glob("test_results/**/*.xml"):
        for case in ET.parse(report).iter("testcase"):
            found.add(case)
    return found


def main() -> int:
    """Print a line for each folder; gives the exit code."""
    missing = 0
    for folder in folders():
        there, result = collected(folder), ran(folder)
        told = ", ".join(f"{count} {ended}" for ended, count in sorted(result.outcomes.items()))
        print(f"{folder}: {result.count} tests ran: {told or 'none'}")
        if result.count < LEAST_SHARE * there:
            print(f"{folder}: {there} tests are there, and far fewer ran", file=sys.stderr)
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
