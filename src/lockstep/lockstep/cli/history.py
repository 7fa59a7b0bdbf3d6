"""`lockstep history`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import UsageError
from ..verify.commit import EDITED
from ..verify.history import Line, change, lines_of, step_of
from ..verify.versions import Version
from .show import console, print_json, print_line


def command(
    component: Annotated[
        str,
        typer.Argument(
            help="Name of a component as in its contract, or of a verify.yaml.", show_default=False
        ),
    ],
    old: Annotated[
        str | None,
        typer.Argument(
            help="A version: its id, of which the first digits will do, or cpp:2.",
            show_default=False,
        ),
    ] = None,
    new: Annotated[
        str | None, typer.Argument(help="The version to hold against it.", show_default=False)
    ] = None,
    folder: Annotated[
        Path, typer.Option("--folder", "-f", help="Where to look for versions, at any depth.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Tell the versions of the implementations of a component, and what changed between them.

    The versions are those that `lockstep verify` has kept in `.lockstep/versions` beside each
    verify.yaml: of sources, binaries and models, green and red; commit them. Times are those of one
    run; whether a version is faster than another is what `lockstep ab` tells.

    **Examples**

    lockstep history VectorNormalizer

    lockstep history VectorNormalizer cpp:1 cpp:3

    lockstep history imu_filter 3f9a1c2 77be014 --json
    """
    lines = lines_of(component, folder)
    if (old is None) != (new is None):
        raise UsageError("one version is nothing to compare; give two, or none for all of them")
    if old is not None and new is not None:
        before, after = (step_of(lines, word)[1].newest for word in (old, new))
        _compare(before, after, as_json)
    elif as_json:
        print_json([_as_data(line) for line in lines])
    else:
        for line in lines:
            for text in _told(line):
                print_line(console, text)


def _compare(old: Version, new: Version, as_json: bool) -> None:
    if as_json:
        print_json({"old": asdict(old), "new": asdict(new), "changed": asdict(change(old, new))})
        return
    for version in (old, new):
        print_line(console, f"{version.implementation} {_headline(version)}")
    for text in _changes(old, new) or ["nothing has changed"]:
        print_line(console, f"  {text}")


def _as_data(line: Line) -> dict[str, Any]:
    good, bad = line.turned_bad or (None, None)
    return {
        "file": str(line.file),
        "component": line.component,
        "implementation": line.implementation,
        "last_good": good and good.id,
        "first_bad": bad and bad.id,
        "steps": [
            {
                "number": step.number,
                "again": step.again,
                "verdicts": [asdict(version) for version in step.verdicts],
            }
            for step in line.steps
        ],
    }


def _told(line: Line) -> Iterator[str]:
    yield f"{line.component}, {line.implementation} of {line.file}"
    before: Version | None = None
    for step in line.steps:
        again = "" if step.again is None else f", as {step.again} again"
        yield f"  {step.number} {_headline(step.verdicts[0])}{again}"
        if before is not None:
            yield from (f"      {text}" for text in _changes(before, step.verdicts[0]))
        for old, new in pairwise(step.verdicts):
            yield f"    verified again {_headline(new)}"
            yield from (f"      {text}" for text in _changes(old, new))
        before = step.newest
    if line.turned_bad is not None:
        good, bad = line.turned_bad
        yield f"  does not match since {_at(bad)}; the last that did is {good.id}, {_at(good)}"


def _headline(version: Version) -> str:
    words = [f"{version.id} {version.at}"]
    if version.commit is not None:
        words.append(_at(version))
    if version.declared is not None:
        words.append(f"version {version.declared}")
    if version.against is None:
        words.append("the reference")
    else:
        words.append(_verdict(version))
    if version.speed.median_ns is not None:
        words.append(f"{version.speed.median_ns / 1e3:.1f} µs")
    return ", ".join(words)


def _verdict(version: Version) -> str:
    assert version.against is not None
    reference = f"{version.against.reference} {version.against.version}"
    if version.verdict == "match":
        return f"matches {reference}: {version.grade}"
    wrong = f", {version.wrong} of {version.samples} messages" if version.samples else ""
    return f"differs from {reference}: {version.grade}{wrong}"


def _at(version: Version) -> str:
    if version.commit is None:
        return version.at
    edited = " and what was edited" if version.commit.endswith(EDITED) else ""
    return f"commit {version.commit[:10]}{edited}"


def _changes(old: Version, new: Version) -> list[str]:
    found = change(old, new)
    return [
        *([f"changed: {', '.join(found.parts)}"] if found.parts else []),
        *([f"judged by {', '.join(found.ground)}"] if found.ground else []),
        *([f"verdict: {found.verdict}"] if found.verdict is not None else []),
        *found.fields,
    ]
