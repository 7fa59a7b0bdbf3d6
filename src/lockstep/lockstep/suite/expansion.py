"""From a suite to its cases: the files that globs name, times the matrix, less what is excluded."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path

from ..bag import url
from ..bag.bag_files import stem
from ..errors import UsageError
from ..verify.model import Verification, alone, is_verify_file, load
from .case import Case, Expectation, verification_of
from .model import Matrix, Suite

_MAGIC = "*?["


def cases_of(suite: Suite) -> list[Case]:
    """The cases, in the order in which they are to run; raises UsageError where there are none, or
    more than the suite allows, and where a choice does not fit a file."""
    files = _verify_files(suite)
    loaded = {file: load(file) for file in files.values()}
    bags = None if suite.matrix.bags is None else _bags(suite, suite.matrix.bags)
    size = sum(_size(suite.matrix, loaded[file], bags) for file in files.values())
    if size > suite.most:
        raise UsageError(
            f"the matrix has {size:,} cases, and {suite.most:,} are allowed; narrow it, or give "
            f"most: {size} in the suite if that many are meant"
        )
    found = [
        case
        for group, file in files.items()
        for case in _cases(suite.matrix, group, file, loaded[file], bags)
        if _is_chosen(suite, case.name)
    ]
    if not found:
        raise UsageError(
            f"the suite has no cases: of {size} in the matrix, include and exclude leave none"
        )
    repeated = [name for name, n in Counter(case.folder_name for case in found).items() if n > 1]
    if repeated:
        raise UsageError(f"two cases are called {repeated[0]}; rename one of their files")
    checked: dict[str, bool] = {}
    ruled = []
    for case in found:  # bags make no difference to whether the choices fit the file
        choices = replace(case, bag=case.bag and "", bag_name=None, name=case.group).definition
        if choices not in checked:
            checked[choices] = _goes_by_time(verification_of(case))
        ruled.append(_ruled(suite, replace(case, exclusive=checked[choices])))
    return sorted(ruled, key=lambda case: (-case.priority, case.exclusive))


def shard_of(cases: Sequence[Case], number: int, of: int) -> list[Case]:
    """The number-th (from 1) of so many parts, which have all cases between them; those of one
    reference and its inputs stay together where that is possible."""
    grounds = list(dict.fromkeys(case.ground for case in cases))
    if len(grounds) < of:
        chosen = list(cases)[number - 1 :: of]
    else:
        mine = set(grounds[number - 1 :: of])
        chosen = [case for case in cases if case.ground in mine]
    if not chosen:
        raise UsageError(
            f"shard {number}/{of} has no cases: the suite has {len(cases)}; give fewer shards"
        )
    return chosen


def _verify_files(suite: Suite) -> dict[str, Path]:
    """The verify files by what they are called: their paths without suffix."""
    files: dict[str, Path] = {}
    for pattern in suite.verify:
        matched = [path for path in _matched(suite.folder, pattern) if is_verify_file(path)]
        if not matched:
            raise UsageError(f"verify: '{pattern}' matches no verify file in {suite.folder}")
        for path in matched:
            inside = Path(_relative(path, suite.folder))
            files.setdefault(str(inside.with_suffix("")), path)
    return files


def _matched(folder: Path, pattern: str) -> list[Path]:
    return [Path(name) for name in sorted(glob.glob(str(folder / pattern), recursive=True))]


def _relative(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path).lstrip("/")


def _bags(suite: Suite, patterns: Sequence[str]) -> dict[str, str]:
    """The bags by what they are called: what a pattern leaves open, without suffixes."""
    named: dict[str, str] = {}
    for pattern in patterns:
        if url.is_url(pattern):
            places = url.matching(pattern) if url.is_pattern(pattern) else [pattern]
        else:
            places = [str(path.resolve()) for path in _matched(suite.folder, pattern)]
        if not places:
            raise UsageError(f"matrix.bags: '{pattern}' matches nothing in {suite.folder}")
        for place in places:
            if place in named.values():
                continue
            name = stem(_open_part(place, pattern, suite.folder))
            named[name if name not in named else stem(place).lstrip("/")] = place
    return named


def _open_part(place: str, pattern: str, folder: Path) -> str:
    """A path without what comes before the first wildcard of its pattern."""
    first = next((i for i, letter in enumerate(pattern) if letter in _MAGIC), len(pattern))
    head = pattern[: pattern.rfind("/", 0, first) + 1]
    start = head if url.is_url(pattern) else str((folder / head).resolve()) + "/"
    return place.removeprefix(start)


def _implementations(matrix: Matrix, verification: Verification) -> list[str]:
    others = [name for name in verification.implementations if name != verification.reference]
    if not others:
        raise UsageError(alone(verification.reference))
    return [
        name for name in others if any(fnmatchcase(name, one) for one in matrix.implementations)
    ]


def _size(matrix: Matrix, verification: Verification, bags: Mapping[str, str] | None) -> int:
    """How many cases a file has."""
    is_recorded, is_drawn = _inputs_of(verification)
    return (
        len(_implementations(matrix, verification))
        * (len(bags) if bags is not None and is_recorded else 1)
        * len(matrix.parameters or (None,))
        * (len(matrix.seeds) if matrix.seeds is not None and is_drawn else 1)
        * len(matrix.modes or (None,))
    )


def _inputs_of(verification: Verification) -> tuple[bool, bool]:
    """Whether the inputs come from a bag, and whether they are drawn."""
    return verification.inputs.is_recorded, verification.inputs.sample is not None


def _cases(
    matrix: Matrix,
    group: str,
    file: Path,
    verification: Verification,
    bags: Mapping[str, str] | None,
) -> Iterator[Case]:
    is_recorded, is_drawn = _inputs_of(verification)
    for bag_name, parameters_name, seed, mode, implementation in product(
        bags if bags is not None and is_recorded else (None,),
        matrix.parameters or (None,),
        matrix.seeds if matrix.seeds is not None and is_drawn else (None,),
        matrix.modes or (None,),
        _implementations(matrix, verification),
    ):
        parts = (
            implementation,
            bag_name,
            parameters_name,
            None if seed is None else f"seed-{seed}",
            mode,
        )
        yield Case(
            name="/".join((group, *(part for part in parts if part is not None))),
            group=group,
            file=file.resolve(),
            implementation=implementation,
            bag=None if bags is None or bag_name is None else bags[bag_name],
            bag_name=bag_name,
            parameters={}
            if matrix.parameters is None or parameters_name is None
            else matrix.parameters[parameters_name],
            parameters_name=parameters_name,
            seed=seed,
            mode=mode,
        )


def _is_chosen(suite: Suite, name: str) -> bool:
    included = any(fnmatchcase(name, pattern) for pattern in suite.include)
    return included and not any(fnmatchcase(name, pattern) for pattern in suite.exclude)


def _goes_by_time(verification: Verification) -> bool:
    """Whether what comes out may depend on what else a machine does: of live runs those of black
    boxes, and those whose inputs a simulator or another player sends."""
    inputs = verification.inputs
    return verification.run.mode == "live" and (
        any(one.is_node for one in verification.implementations.values())
        or not (inputs.is_recorded or inputs.sample is not None)
    )


def _ruled(suite: Suite, case: Case) -> Case:
    """A case with its limits, what it needs, its priority and what is expected of it."""
    priority, limits = 0.0, suite.limits
    time_s, memory = limits.time, limits.memory
    cores = limits.cores or 1
    exclusive = case.exclusive if limits.exclusive is None else limits.exclusive
    for rule in suite.rules:
        if fnmatchcase(case.name, rule.cases):
            priority = priority if rule.priority is None else rule.priority
            time_s = time_s if rule.time is None else rule.time
            memory = memory if rule.memory is None else rule.memory
            cores = cores if rule.cores is None else rule.cores
            exclusive = exclusive if rule.exclusive is None else rule.exclusive
    expected = next((one for one in suite.expected if fnmatchcase(case.name, one.cases)), None)
    return replace(
        case,
        priority=priority,
        time_s=time_s,
        memory_bytes=memory,
        cores=cores,
        exclusive=exclusive,
        expected=None
        if expected is None
        else Expectation(expected.verdict, expected.reason, expected.until),
    )
