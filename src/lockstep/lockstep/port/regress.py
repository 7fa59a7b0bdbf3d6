"""Regression tests of a component or an ordinary node: golden bags, as few as tell as many planted
faults as the whole recording does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..bag import Bag, BagWriter
from ..component import Contract
from ..component.contract import PortContract, service_of
from ..errors import PortError
from ..host.protocol import resolved
from ..message.definitions import definition, type_hash
from ..progress import Progress
from ..run.inputs import RunInputs
from ..run.service_requests import with_requests
from ..search.killing import Given, InProcesses, InThisProcess, Original, Runs
from ..search.mutants import Mutant, mutants
from ..temporary_folder import TemporaryFolder
from .shared_tests import parameters_of, tolerance_code
from .subject import Subject, drawn, reference_of

LIMIT = 2000
Make = Callable[[Sequence[Given]], Original]
"""Runs the reference on some inputs."""
_MOST_BYTES = 1 << 28
_COMPRESSION = "zstd"


@dataclass(frozen=True)
class Regression:
    """What was written: the test and the folders of its golden bags with their `messages`.

    `killed` of `planted` faults are told from the component by the recording, and by the golden
    bags; `survivors` are those that neither tells.
    """

    test: Path
    golden: tuple[Path, ...]
    messages: int
    killed: int
    planted: int
    survivors: tuple[Mutant, ...]


@dataclass
class _Window:
    """A part of the recording from a fresh component on, and the mutants (by number) that it
    kills."""

    original: Original
    kills: set[int]


def regress(
    subject: Subject,
    bag: str,
    folder: Path,
    *,
    topics: Mapping[str, Sequence[str]] | None = None,
    limit: int = LIMIT,
    force: bool = False,
    progress: Progress | None = None,
) -> Regression:
    """Write a pytest file and its golden bags below `folder`; the first `limit` messages of the bag
    are searched.

    `topics` gives topics of the bag by input; by default those of the verify.yaml, or the only ones
    of their type. Raises PortError if there is a test already and `force` is not given, or if the
    bag tells no fault at all; BagError, UsageError or RunError if the component cannot run on it.
    """
    test = folder / f"test_{subject.node}_regression.py"
    place = folder / f"golden_{subject.node}"
    for path in (test, place):
        if path.exists() and not force:
            raise PortError(
                f"{path} exists already; choose another folder, or overwrite it with --force"
            )
    inputs = _inputs(subject, bag, topics, limit)
    planted = mutants(reference_of(subject))
    with TemporaryFolder("lockstep-regress-") as place_of_runs:
        make = _maker(subject, place_of_runs.path)
        whole = make(inputs)
        windows, killed = _windows(make, whole, planted, progress)
    if not killed:
        raise PortError(
            f"{bag} tells none of {len(planted)} planted faults from the component; choose another "
            "bag"
        )
    chosen = _fewest(windows, killed)
    if place.exists():
        shutil.rmtree(place)
    golden = []
    for number, window in enumerate(chosen, 1):
        golden.append(place / f"{number:02d}")
        _write(subject.contract, window.original, golden[-1])
    test.write_text(_test(subject, place, bag, chosen, len(killed), len(planted)), "utf-8")
    if subject.file is None:
        _write_verification(subject, folder, golden[0])
    survivors = tuple(mutant for number, mutant in enumerate(planted) if number not in killed)
    messages = sum(len(window.original.inputs) for window in chosen)
    return Regression(test, tuple(golden), messages, len(killed), len(planted), survivors)


def _maker(subject: Subject, folder: Path) -> Make:
    verification = subject.verification
    assert verification is not None
    tolerances, parameters = verification.compare.tolerances(), parameters_of(verification)
    runs: Runs = (
        InProcesses(subject.target, subject.contract, parameters, folder)
        if subject.is_node
        else InThisProcess(reference_of(subject), parameters)
    )
    return lambda inputs: Original(runs, inputs, tolerances)


def _inputs(
    subject: Subject, path: str, given: Mapping[str, Sequence[str]] | None, limit: int
) -> list[Given]:
    """The first messages for the inputs, at times of the run that are known."""
    found: list[Given] = []
    size = 0
    with Bag(path) as bag:
        topics = {port.name: resolved(port.topic) for port in subject.contract.inputs}
        chosen = {name: topics[port] for name, port in _topics(subject, bag, given).items()}
        clock = subject.verification.inputs.clock if subject.verification else "auto"
        with with_requests(RunInputs(bag, chosen, clock)) as inputs:
            ports = inputs.ports(subject.contract)
            for event in inputs.timeline().events():
                if event.topic not in ports or event.time_ns <= 0:
                    continue
                size += len(event.data)
                if len(found) == limit or size > _MOST_BYTES:
                    break
                found.append(Given(ports[event.topic], event.time_ns, event.data))
    if not found:
        raise PortError(f"{path} holds no message for the inputs of {subject.contract.component}")
    return found


def _topics(
    subject: Subject, bag: Bag, given: Mapping[str, Sequence[str]] | None
) -> dict[str, str]:
    """Topic of the bag → input."""
    declared = subject.verification.inputs.topics if subject.verification else {}
    chosen: dict[str, str] = {}
    for port in subject.contract.inputs:
        names = declared.get(port.name, [])
        names = list((given or {}).get(port.name, [names] if isinstance(names, str) else names))
        if port.name not in (given or {}) and not all(name in bag.topics for name in names):
            names = []
        if not names and subject.is_node and service_of(port) is not None:
            continue  # which may have been asked nothing
        for name in names or [_only_one(port, bag)]:
            if bag.topic(name).type not in _types(port):
                raise PortError(
                    f"topic {name} of {bag.path} is {bag.topic(name).type}, but input "
                    f"'{port.name}' takes {port.type}"
                )
            chosen[name] = port.name
    unknown = (given or {}).keys() - {port.name for port in subject.contract.inputs}
    if unknown:
        raise PortError(f"{subject.contract.component} has no input '{min(unknown)}'")
    return chosen


def _types(port: PortContract) -> tuple[str, ...]:
    """Of messages for an input; those of a service may be told by its events."""
    service = service_of(port)
    return (port.type,) if service is None else (port.type, f"{service[1]}_Event")


def _only_one(port: PortContract, bag: Bag) -> str:
    """The topic for an input that nobody names."""
    there = [name for name, topic in bag.topics.items() if topic.type in _types(port)]
    if len(there) != 1:
        raise PortError(
            f"{bag.path} has {len(there)} topics of {port.type}; say which is for input "
            f"'{port.name}' with --topic {port.name}:=/TOPIC"
        )
    return there[0]


def _windows(
    make: Make, whole: Original, planted: list[Mutant], progress: Progress | None
) -> tuple[list[_Window], set[int]]:
    """Short parts of the recording, which together kill every mutant that the whole of it kills,
    and those mutants."""
    windows: list[_Window] = []
    killed: set[int] = set()
    for number, mutant in enumerate(planted):
        if progress is not None:
            progress(number, len(planted))
        if any(_kills(window, number, mutant) for window in windows):
            killed.add(number)
            continue
        at = whole.killed_at(mutant)
        if at is not None:
            killed.add(number)
            window = _Window(_shortest(make, whole, mutant, at), {number})
            windows.append(window)
    for window in windows:
        for number in killed:
            _kills(window, number, planted[number])
    return windows, killed


def _kills(window: _Window, number: int, mutant: Mutant) -> bool:
    if number not in window.kills and window.original.killed_at(mutant) is not None:
        window.kills.add(number)
    return number in window.kills


def _shortest(make: Make, whole: Original, mutant: Mutant, at: int) -> Original:
    """The shortest part that ends where the mutant is seen first and still shows it, by
    doubling."""
    length = 1
    while length <= at:
        part = make(whole.inputs[at + 1 - length : at + 1])
        if part.killed_at(mutant) is not None:
            return part
        length *= 2
    return make(whole.inputs[: at + 1])


def _fewest(windows: list[_Window], killed: set[int]) -> list[_Window]:
    """Windows that together kill all of these, few and short: greedily, then without those that
    have become needless."""
    left, chosen = set(killed), list[_Window]()
    while left:
        best = max(
            windows,
            key=lambda w: (len(w.kills & left) / len(w.original.inputs), -len(w.original.inputs)),
        )
        chosen.append(best)
        left -= best.kills
    for window in sorted(chosen, key=lambda w: -len(w.original.inputs)):
        others = [other.kills for other in chosen if other is not window]
        if killed <= set().union(*others):
            chosen.remove(window)
    return sorted(chosen, key=lambda window: window.original.inputs[0].time_ns)


def _write(contract: Contract, original: Original, folder: Path) -> None:
    """The bags `inputs` and `outputs` of a window."""
    with _bag(folder / "inputs", contract.inputs) as writer:
        for given in original.inputs:
            writer.write(resolved(contract.inputs[given.port].topic), given.data, given.time_ns)
    with _bag(folder / "outputs", contract.outputs) as writer:
        for published in original.published:
            for index, time_ns, data in published:
                writer.write(resolved(contract.outputs[index].topic), data, time_ns)


def _bag(path: Path, ports: Sequence[PortContract]) -> BagWriter:
    writer = BagWriter(path, compression=_COMPRESSION, timed=False)
    for port in ports:
        hash_of_type = port.type_hash or type_hash(port.type)
        writer.add_topic(resolved(port.topic), port.type, definition(port.type), hash_of_type)
    return writer


def _test(
    subject: Subject,
    place: Path,
    bag: str,
    chosen: list[_Window],
    killed: int,
    planted: int,
) -> str:
    verification = subject.file or place.parent / f"verify_{subject.node}.yaml"
    relative = os.path.relpath(verification.resolve(), place.parent.resolve())
    tolerance = tolerance_code(subject.verification)
    imports = ["from lockstep.compare import Tolerance"] if tolerance != "{}" else []
    lines = [
        f'"""{subject.contract.component} still gives the outputs of its golden bags.',
        "",
        (
            f"They are {len(chosen)} parts of {Path(bag).name} that tell {killed} of {planted} "
            "planted faults from the component, as many"
        ),
        (
            f"as the recording does. Made by `lockstep regress {subject.target}`; the component "
            "has changed on purpose if you make them"
        ),
        "again.",
        '"""',
        "",
        "from pathlib import Path",
        "",
        "import pytest",
        *imports,
        "from lockstep.testing.golden import assert_golden",
        "",
        f'GOLDEN = Path(__file__).parent / "{place.name}"',
        f"TOLERANCE = {tolerance}",
        "",
        f'pytestmark = pytest.mark.lockstep("{relative}")',
        "",
        "",
        '@pytest.mark.parametrize("bag", sorted(path.name for path in GOLDEN.iterdir()))',
        "def test_the_outputs_are_those_of_the_golden_bag(component, bag):",
        "    assert_golden(component, GOLDEN / bag, TOLERANCE)",
    ]
    return "\n".join(lines) + "\n"


def _write_verification(subject: Subject, folder: Path, golden: Path) -> None:
    """A verify.yaml of the component alone, for a component that is in none."""
    topics = {port.name: resolved(port.topic) for port in subject.contract.inputs}
    data = drawn(reference_of(subject), subject.target)
    data["inputs"] = {"bag": f"{golden.parent.name}/{golden.name}/inputs", "topics": topics}
    text = yaml.safe_dump(data, sort_keys=False)
    (folder / f"verify_{subject.node}.yaml").write_text(text, "utf-8")


def told(regression: Regression) -> Iterator[str]:
    """What was written, and what no message of the recording tells."""
    yield (
        f"{regression.test}: {len(regression.golden)} golden bags with {regression.messages} "
        f"messages tell {regression.killed} of {regression.planted} planted faults, as the "
        "recording does"
    )
    if regression.survivors:
        yield f"{len(regression.survivors)} are told by nothing in it:"
        yield from (f"  {mutant}" for mutant in regression.survivors)
