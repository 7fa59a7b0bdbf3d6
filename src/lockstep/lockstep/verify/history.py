"""The line of versions of a component, of the registry: what each was, and what changed between
two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from pathlib import Path

from ..errors import UsageError
from .field_results import FieldResult
from .fingerprints import difference
from .versions import Against, Version, read_versions, registries

_SHORTEST = 4  # digits of an id that name a version
_GROUND = {
    "reference": "another implementation as reference",
    "version": "another version of the reference",
    "contract": "another contract",
    "dataset": "other inputs",
    "compare": "other tolerances or options of comparing",
}


@dataclass(frozen=True)
class Step:
    """A version in its line, counted from 1, with the verdicts on it, the newest last.

    `again` is the number of the step that was the same before, if it was reverted to.
    """

    number: int
    verdicts: tuple[Version, ...]
    again: int | None = None

    @property
    def newest(self) -> Version:
        """The last verdict on it."""
        return self.verdicts[-1]


@dataclass(frozen=True)
class Line:
    """The versions of one implementation in one verify.yaml, the oldest first."""

    file: Path
    component: str
    implementation: str
    steps: tuple[Step, ...]

    @property
    def turned_bad(self) -> tuple[Version, Version] | None:
        """The last verdict that was a match, and the first of those since, which are none; None if
        it matches, or never did."""
        verdicts = [verdict for step in self.steps for verdict in step.verdicts]
        for good, bad in reversed(list(pairwise(verdicts))):
            if bad.verdict != "differs":
                return None
            if good.verdict == "match":
                return good, bad
        return None


@dataclass(frozen=True)
class Change:
    """What changed between two versions; phrases. `ground` is in what they were judged by
    otherwise: then other verdicts need not come from the versions."""

    parts: tuple[str, ...]
    ground: tuple[str, ...]
    verdict: str | None
    fields: tuple[str, ...]


def lines_of(component: str, folder: Path) -> list[Line]:
    """The lines of versions of a component that are registered below a folder.

    It is named as in its contract, with or without what is before `:` or `/`, or by the name of a
    verify.yaml. Raises UsageError if there is none of it.
    """
    found, named = [], set()
    for place in registries(folder):
        file = _verify_file(place)
        by_name: dict[str, list[Version]] = {}
        for version in read_versions(place):
            by_name.setdefault(version.implementation, []).append(version)
        for name, versions in by_name.items():
            called = versions[-1].component
            named.add(called)
            if component in (called, *called.replace("/", ":").split(":")[1:], file.stem):
                found.append(Line(file, called, name, tuple(_steps(versions))))
    if not found:
        known = f"there is {', '.join(sorted(named))}" if named else "run lockstep verify"
        raise UsageError(f"no version of {component} is registered below {folder}; {known}")
    return found


def step_of(lines: Iterable[Line], word: str) -> tuple[Line, Step]:
    """The step of an id, of which the first digits will do, or `IMPLEMENTATION NUMBER` with a `:`
    between them; raises UsageError where there is none, or several."""
    name, _, number = word.partition(":")
    found = [
        (line, step)
        for line in lines
        for step in line.steps
        if (name, number) == (line.implementation, str(step.number))
        or (len(word) >= _SHORTEST and step.again is None and step.newest.id.startswith(word))
    ]
    if len(found) != 1:
        why = "is none of its versions" if not found else "may be several of its versions"
        raise UsageError(f"'{word}' {why}; give an id, or IMPLEMENTATION:NUMBER, such as cpp:2")
    return found[0]


def change(old: Version, new: Version) -> Change:
    """What changed from one version to another."""
    parts = [
        difference(key, old.parts.get(key), new.parts.get(key))
        for key in dict.fromkeys((*old.parts, *new.parts))
        if old.parts.get(key) != new.parts.get(key)
    ]
    if new.declared != old.declared:
        parts.append(f"declared version {old.declared} → {new.declared}")
    verdict = None
    if old.verdict != new.verdict:
        verdict = f"{old.verdict} → {new.verdict}"
    elif old.grade != new.grade:
        verdict = f"{old.grade} → {new.grade}"
    return Change(
        tuple(parts),
        tuple(_ground(old.against, new.against)),
        verdict,
        tuple(_fields(old.fields, new.fields)),
    )


def _verify_file(place: Path) -> Path:
    """The verify.yaml that a file of versions is of."""
    name = place.parent.parent.parent / place.stem
    named = [name.with_name(f"{name.name}{suffix}") for suffix in (".yaml", ".yml")]
    return next(filter(Path.is_file, named), named[0])


def _steps(versions: Sequence[Version]) -> Iterator[Step]:
    numbers: dict[str, int] = {}
    runs = groupby(versions, key=lambda version: version.id)
    for number, (name, verdicts) in enumerate(runs, 1):
        yield Step(number, tuple(verdicts), numbers.get(name))
        numbers.setdefault(name, number)


def _ground(old: Against | None, new: Against | None) -> Iterator[str]:
    if old is not None and new is not None:
        for name, what in _GROUND.items():
            if getattr(old, name) != getattr(new, name):
                yield what


def _fields(old: Sequence[FieldResult], new: Sequence[FieldResult]) -> Iterator[str]:
    before = {(one.topic, one.field): one for one in old}
    now = {(one.topic, one.field): one for one in new}
    for key, one in before.items():
        if key not in now:
            yield f"no more: {one.sentence()}"
    for key, one in now.items():
        if key not in before:
            yield f"new: {one.sentence()}"
        elif one != before[key]:
            yield f"was: {before[key].sentence()}; is: {one.sentence()}"
