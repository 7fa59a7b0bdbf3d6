"""How good the inputs of a verification are: what of the implementations they reach, and which
faults they expose."""

from __future__ import annotations

import ast
import gzip
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..bag import Bag
from ..component.source import SourceModule, source_of
from ..distributions.fields import structure
from ..distributions.model import Sample, drawing_of
from ..errors import CallbackError, DistError, RunError, UsageError
from ..host.protocol import resolved
from ..host.python_component import load_here, named_here
from ..message.arrays import Column
from ..message.rosidl import message_class
from ..progress import Progress
from ..run.direct_process import DirectProcess
from ..run.implementation import direct_command
from ..run.inputs import RunInputs
from ..run.model import Implementation
from ..run.processes import Processes
from ..temporary_folder import TemporaryFolder
from ..verify.inputs import inputs_of
from ..verify.model import Verification
from ..verify.plan import Plan, plan, with_nodes
from .fuzz import recorded
from .killing import Given, InProcesses, InThisProcess, Original, Runs
from .mutants import mutants
from .sequence import Inputs, to_frames

_BINS = 10
_SAMPLE = 20_000
_SHOWN_GAPS = 3


@dataclass(frozen=True)
class Coverage:
    """Lines and branches of an implementation that ran, of so many; `missing` lists the others as
    FILE:LINE."""

    lines: int
    of_lines: int
    branches: int
    of_branches: int
    missing: tuple[str, ...]


@dataclass(frozen=True)
class FieldBins:
    """Of one field of an input: bins of its declared distribution that have values, of so many; and
    those that have none."""

    field: str
    filled: int
    of: int
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class Mutation:
    """Planted faults of the Python component or node that the inputs expose, of so many; and those
    that they do not."""

    killed: int
    planted: int
    survivors: tuple[str, ...]

    @property
    def score(self) -> float:
        """The share that is exposed; 1 if nothing could be planted."""
        return self.killed / self.planted if self.planted else 1.0


@dataclass(frozen=True)
class Adequacy:
    """What was found out of `messages` inputs; what could not be is in `notes`, a sentence each."""

    messages: int
    coverage: dict[str, Coverage]
    bins: tuple[FieldBins, ...]
    mutation: Mutation | None
    notes: tuple[str, ...]

    def as_data(self) -> dict[str, Any]:
        """The same as JSON holds it."""
        found = asdict(self)
        if self.mutation is not None:
            found["mutation"]["score"] = self.mutation.score
        return found


def adequacy(verification: Verification, progress: Progress | None = None) -> Adequacy:
    """Measure the inputs of a verification, at most some thousand messages of them.

    Raises UsageError or BagError for a file that cannot be verified, RunError if an implementation
    crashes or hangs.
    """
    with ExitStack() as stack:
        place = stack.enter_context(TemporaryFolder("lockstep-adequacy-")).path
        verification = with_nodes(verification)
        planned = stack.enter_context(plan(verification))
        given = stack.enter_context(inputs_of(planned, place))
        inputs = recorded(given, planned.contract)
        notes: list[str] = []
        coverage: dict[str, Coverage] = {}
        for label, one in verification.implementations.items():
            covered = _covered(label, one, verification, inputs, place)
            if isinstance(covered, str):
                notes.append(f"{label}: {covered}")
            else:
                coverage[label] = covered
        bins = _bins(planned, given, place)
        if isinstance(bins, str):
            notes.append(f"declared distributions: {bins}")
        mutation = _mutation(planned, inputs, place, progress)
        if isinstance(mutation, str):
            notes.append(f"planted faults: {mutation}")
    return Adequacy(
        len(inputs),
        coverage,
        () if isinstance(bins, str) else tuple(bins),
        None if isinstance(mutation, str) else mutation,
        tuple(notes),
    )


def _covered(
    name: str, one: Implementation, verification: Verification, inputs: Inputs, place: Path
) -> Coverage | str:
    """The coverage of an implementation, or why there is none."""
    if one.is_node:
        return "of an ordinary node no lines are counted, which would change how it runs"
    parameters = dict(verification.parameters) | one.parameters
    folder = place / name
    folder.mkdir()
    command = direct_command(name, one)
    if one.component is not None:
        try:
            import coverage
        except ImportError:
            return "its coverage needs the package coverage; pip install coverage"
        modules = source_of(load_here(one.component)).modules
        data = folder / "coverage"
        own = ",".join(part.module.file for part in modules)
        options = ["--branch", f"--include={own}", f"--data-file={data}", "--rcfile="]
        command = [sys.executable, "-m", "coverage", "run", *options, *command[1:]]
        _run(name, command, {}, parameters, inputs, verification.run.timeout, folder)
        report = folder / "coverage.json"
        found = coverage.Coverage(data_file=data, branch=True, config_file=False)
        found.load()
        found.json_report(outfile=str(report))
        return _of_python(json.loads(report.read_text("utf-8")), modules)
    assert one.executable is not None
    written = folder / "gcov"
    environment = {"GCOV_PREFIX": str(written)}
    _run(name, command, environment, parameters, inputs, verification.run.timeout, folder)
    package = one.executable.partition("/")[0]
    counts = sorted(path for path in written.rglob("*.gcda") if package in path.parts)
    if not counts:
        return (
            "it is not built for coverage; build its package with "
            f"colcon build --packages-select {package} --cmake-args -DCMAKE_CXX_FLAGS=--coverage"
        )
    return cpp_coverage(counts, written)


def _run(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    parameters: Mapping[str, Any],
    inputs: Inputs,
    timeout_s: float,
    folder: Path,
) -> None:
    """Run the inputs to their end, or until a callback raises."""
    with Processes({**os.environ, "PYTHONUNBUFFERED": "1", **environment}) as processes:
        child = processes.start(name, command, folder / "node.log", pipes=True)
        process = DirectProcess(child, timeout_s)
        try:
            for _ in process.whole_run(parameters, len(inputs), to_frames(inputs)):
                pass
            process.close()
        except CallbackError:
            child.child.wait(timeout_s)  # it writes its counts as it ends


def _of_python(report: dict[str, Any], modules: Sequence[SourceModule]) -> Coverage:
    """Of the functions that belong to the component; what runs when a module is imported does not
    count."""
    lines = [0, 0]
    branches = [0, 0]
    missing: list[str] = []
    for part in modules:
        file = Path(part.module.file)
        spans = list(_bodies(part))
        found = next(
            (
                one
                for name, one in report["files"].items()
                if Path(name).resolve() == file.resolve()
            ),
            None,
        )
        if found is None:
            raise RunError(f"{file} did not run, so the coverage of the component is not known")

        def counted(line: int, spans: list[range] = spans) -> bool:
            return any(abs(line) in span for span in spans)

        for at, key in enumerate(("executed", "missing")):
            wanted = [line for line in found[f"{key}_lines"] if counted(line)]
            lines[at] += len(wanted)
            branches[at] += sum(counted(start) for start, _ in found[f"{key}_branches"])
            if key == "missing":
                missing += [f"{file.name}:{line}" for line in wanted]
    return Coverage(lines[0], sum(lines), branches[0], sum(branches), tuple(missing))


def _bodies(part: SourceModule) -> Iterator[range]:
    """The lines in the functions that the component uses of a module."""
    for statement in part.statements():
        for node in ast.walk(statement):
            if isinstance(node, ast.FunctionDef):
                body = node.body
                yield range(body[0].lineno, (body[-1].end_lineno or body[-1].lineno) + 1)


def cpp_coverage(counts: Sequence[Path], written: Path) -> Coverage:
    """What gcov reads from .gcda files, of the source files that they are named after.

    They were written with GCOV_PREFIX=`written`, so their .gcno files are where they would be
    without it. Raises UsageError if gcov or one of those is missing.
    """
    gcov = shutil.which("gcov")
    if gcov is None:
        raise UsageError("the counts of C++ need gcov, which comes with gcc; install it")
    lines: dict[tuple[str, int], bool] = {}
    branches: dict[tuple[str, int, int], bool] = {}
    for path in counts:
        notes = Path("/") / path.relative_to(written).with_suffix(".gcno")
        if not notes.is_file():
            raise UsageError(f"{notes} is gone, which gcov needs; build the package again")
        shutil.copy(notes, path.with_suffix(".gcno"))
        asked = [gcov, "--json-format", "--branch-probabilities", path.name]
        done = subprocess.run(asked, cwd=path.parent, capture_output=True, check=False)
        reports = list(path.parent.glob("*.gcov.json.gz"))
        if done.returncode or not reports:
            told = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no report"]
            raise UsageError(f"gcov cannot read {path.name}: {told[-1]}")
        source = path.with_suffix("").name  # vector_normalizer.cpp.gcda
        for report in reports:
            for file in json.loads(gzip.decompress(report.read_bytes()))["files"]:
                if Path(file["file"]).name == source:
                    _count(file, lines, branches)
            report.unlink()
    missing = tuple(f"{name}:{line}" for (name, line), ran in sorted(lines.items()) if not ran)
    return Coverage(sum(lines.values()), len(lines), sum(branches.values()), len(branches), missing)


def _count(
    file: dict[str, Any],
    lines: dict[tuple[str, int], bool],
    branches: dict[tuple[str, int, int], bool],
) -> None:
    name = Path(file["file"]).name
    for line in file["lines"]:
        at = name, int(line["line_number"])
        lines[at] = lines.get(at, False) or line["count"] > 0
        for number, branch in enumerate(line["branches"]):
            if not branch["throw"]:  # to where an exception goes, which no source says
                here = (*at, number)
                branches[here] = branches.get(here, False) or branch["count"] > 0


def _bins(planned: Plan, inputs: RunInputs, place: Path) -> list[FieldBins] | str:
    """The bins of a large sample of the declared distributions that the inputs fill, or why there
    are none."""
    contract = planned.contract
    declared = planned.verification.inputs.sample or Sample()
    try:
        wanted = declared.model_copy(update={"n": _SAMPLE})
        drawing = drawing_of(wanted, contract, planned.component)
    except (DistError, UsageError) as error:
        return str(error)
    drawing.to_bag(place / "drawn")
    found = []
    with Bag(place / "drawn") as drawn:
        for port, stream in zip(contract.inputs, drawing.streams, strict=True):
            topics = [name for name, to in inputs.topics.items() if to == resolved(port.topic)]
            fields = structure(message_class(port.type)).fields
            for path, about in fields.items():
                if about.is_number or about.kind == "bool":
                    a = _flat(drawn, [stream.topic], path)
                    b = _flat(inputs.bag, topics, path)
                    found.append(field_bins(f"{port.name}.{path}", a, b))
    return [one for one in found if one.of]


def _flat(bag: Bag, topics: Sequence[str], path: str) -> Column:
    """All values of a field of some topics, end to end."""
    parts: list[Column] = []
    for topic in topics:
        column = bag.columns(topic, [path])[path]
        rows = [column] if column.dtype != object else list(column)
        while any(np.asarray(row).dtype == object for row in rows):
            rows = [inner for row in rows for inner in np.asarray(row)]
        parts += [np.asarray(row).reshape(-1) for row in rows]
    return np.concatenate(parts) if parts else np.empty(0)


def field_bins(field: str, drawn: Column, values: Column) -> FieldBins:
    """Which bins of drawn values have some of `values`.

    Few different values are a bin each; of others there are ten with equally many drawn values. NaN
    and both infinities are bins of their own if they were drawn.
    """
    drawn, values = drawn.astype(np.float64), values.astype(np.float64)
    bins: list[tuple[str, bool]] = []
    for name, special in (("NaN", np.isnan), ("inf", np.isposinf), ("-inf", np.isneginf)):
        if special(drawn).any():
            bins.append((name, bool(special(values).any())))
    finite, here = drawn[np.isfinite(drawn)], values[np.isfinite(values)]
    single = np.unique(finite)
    if len(single) <= _BINS:
        bins += [(f"{value:g}", bool((here == value).any())) for value in single.tolist()]
    else:
        edges = np.unique(np.quantile(finite, np.linspace(0, 1, _BINS + 1)))
        counts, _ = np.histogram(here, edges)
        bins += [
            (f"{low:.4g} to {high:.4g}", bool(count))
            for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True)
        ]
    gaps = tuple(name for name, filled in bins if not filled)
    return FieldBins(field, len(bins) - len(gaps), len(bins), gaps)


def _mutation(
    planned: Plan, inputs: Inputs, place: Path, progress: Progress | None
) -> Mutation | str:
    """The mutation score of the reference, or why there is none."""
    verification = planned.verification
    name = verification.reference
    one = verification.implementations[name]
    parameters = dict(verification.parameters) | one.parameters
    runs: Runs
    if one.component is not None:
        reference: type[Any] = load_here(one.component)
        runs = InThisProcess(reference, parameters)
    elif one.node is not None:
        reference = named_here(one.node)
        runs = InProcesses(one.node, planned.contract, parameters, place)
    else:
        return f"'{name}' is neither a Python component nor a class of rclpy nodes"
    given = [Given(step.port, step.time_ns, step.data) for step in inputs]
    try:
        original = Original(runs, given, verification.compare.tolerances())
    except RunError as error:
        return str(error)
    planted = mutants(reference)
    survivors = []
    for number, mutant in enumerate(planted):
        if original.killed_at(mutant) is None:
            survivors.append(str(mutant))
        if progress is not None:
            progress(number + 1, len(planted))
    return Mutation(len(planted) - len(survivors), len(planted), tuple(survivors))


def lines(found: Adequacy) -> Iterator[str]:
    """The result as text."""
    yield f"{found.messages} messages"
    for name, one in found.coverage.items():
        yield (
            f"{name}: {one.lines} of {one.of_lines} lines{_percent(one.lines, one.of_lines)} and "
            f"{one.branches} of {one.of_branches} "
            f"branches{_percent(one.branches, one.of_branches)} run"
        )
        if one.missing:
            yield f"  not run: {', '.join(one.missing)}"
    if found.bins:
        filled, of = sum(one.filled for one in found.bins), sum(one.of for one in found.bins)
        yield f"declared distributions: {filled} of {of} bins{_percent(filled, of)} have values"
        for bins in found.bins:
            if bins.gaps:
                more = len(bins.gaps) - _SHOWN_GAPS
                shown = ", ".join(bins.gaps[:_SHOWN_GAPS]) + (f", {more} more" if more > 0 else "")
                yield f"  {bins.field}: no {shown}"
    if found.mutation is not None:
        mutation = found.mutation
        share = _percent(mutation.killed, mutation.planted)
        yield (
            f"mutation score: {mutation.killed} of {mutation.planted} planted faults{share} are "
            "exposed"
        )
        yield from (f"  not exposed: {one}" for one in mutation.survivors)
    yield from found.notes


def _percent(part: int, whole: int) -> str:
    return f" ({math.floor(100 * part / whole)} %)" if whole else ""
