"""Searching for inputs on which implementations differ, and making them small."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from ..bag import Bag
from ..compare.deviation import Deviation
from ..component import Contract
from ..distributions.drawing import Drawing
from ..distributions.model import Sample, drawing_of
from ..distributions.random import Random
from ..errors import DIFFERENT, FAILED, MATCH, DistError, RunError, UsageError
from ..host.frames import FrameError
from ..progress import Progress
from ..run.folder import create_folder
from ..run.inputs import RunInputs
from ..run.timeline import Timeline
from ..temporary_folder import TemporaryFolder
from ..verify.inputs import inputs_of
from ..verify.model import Verification, alone
from ..verify.plan import Plan, plan, with_nodes
from .many_runs import ManyRuns, NodeRuns, Outcome
from .outcome_judge import Difference, OutcomeJudge
from .sequence import Inputs, codecs_of, from_frames, read_bag, to_frames
from .shrink import shrink

_RECORDED, _RECORDED_BYTES = 20_000, 64 << 20
_BULK, _BULK_BYTES = 1000, 16 << 20
_EXAMPLES_EACH_ROUND = 200
_STEPS_EACH_EXAMPLE = 20
_HANGS_AFTER_S = 2.0
_SHRINKING_CALLS = 300
_SHRINKING_S = 60.0
_TIMES_BEFORE, _TIMES_AFTER = 2, 20
_DEPENDS = (
    "depends on more than its inputs, such as chance, the clock, or what is left of a run before, "
    "so nothing can be judged by it"
)


@dataclass(frozen=True)
class Budget:
    """When to give up: after so many seconds or so many sequences, whatever comes first; None is no
    limit."""

    seconds: float | None = 60.0
    runs: int | None = None


@dataclass(frozen=True)
class Finding:
    """A sequence on which an implementation differs from the reference; it was found as one of
    `found` messages."""

    reference: str
    name: str
    steps: Inputs
    found: int
    difference: Difference
    deviations: list[Deviation]
    outcomes: tuple[Outcome, Outcome]

    @property
    def exit_code(self) -> int:
        """1, but 3 if both crash or hang, or raise in one step, which is no verdict."""
        a, b = self.outcomes
        if self.difference.port is not None:
            return DIFFERENT
        steps = {one.failure.step for one in self.outcomes if one.failure and one.end == "raised"}
        both_raise = a.end == b.end == "raised" and len(steps) == 1
        return FAILED if both_raise or (a.is_lost and b.is_lost) else DIFFERENT


@dataclass(frozen=True)
class Search:
    """What a search came to; `sources` says what inputs were made of, a phrase each.

    `sequences` were tried, of `messages` in all, each by every implementation.
    """

    verification: Verification
    contract: Contract
    seed: int
    sequences: int
    messages: int
    seconds: float
    sources: tuple[str, ...] = ()
    mismatched_contracts: Mapping[str, list[str]] = field(default_factory=dict)
    finding: Finding | None = None

    @property
    def exit_code(self) -> int:
        """0 if nothing was found, else that of the finding."""
        if self.mismatched_contracts:
            return DIFFERENT
        return MATCH if self.finding is None else self.finding.exit_code

    @property
    def most_that_differ(self) -> float:
        """With 95 % confidence, a smaller share than this of such sequences makes a difference."""
        return 1.0 if not self.sequences else 1.0 - 0.05 ** (1.0 / self.sequences)


def fuzz(
    verification: Verification,
    folder: Path,
    *,
    seed: int = 0,
    budget: Budget | None = None,
    examples: Path | None = None,
    progress: Progress | None = None,
) -> Search:
    """Run implementations directly, whatever the mode that is declared, on made-up inputs until one
    differs from the reference or the budget is spent.

    Logs go to `folder`, which must not exist. `examples` is the folder of what was found before,
    which is tried first. The same seed tries the same sequences. Raises UsageError before anything
    runs for what cannot run directly, RunError if an implementation does not do the same again on
    the same inputs.
    """
    if importlib.util.find_spec("hypothesis") is None:
        raise UsageError("a search needs the package hypothesis; pip install hypothesis")
    verification = _directly(verification)
    OutcomeJudge.check(verification.compare)
    timeout_s = verification.run.timeout
    if "timeout" not in verification.run.model_fields_set:
        timeout_s = _HANGS_AFTER_S
    with ExitStack() as stack:
        place = stack.enter_context(TemporaryFolder("lockstep-fuzz-")).path
        create_folder(folder)
        undo = stack.enter_context(ExitStack())
        undo.callback(shutil.rmtree, folder)
        parameters = dict(verification.parameters)
        every = verification.implementations
        components = {
            name: stack.enter_context(ManyRuns(name, one, parameters, timeout_s, folder))
            for name, one in every.items()
            if not one.is_node
        }
        for one in components.values():
            one.start()

        def told(implementations: Iterable[str]) -> dict[str, Contract]:
            return {name: components[name].contract for name in implementations}

        planned = stack.enter_context(plan(verification, told))
        undo.pop_all()  # from here on the logs are worth keeping
        contract = planned.contract
        if planned.mismatched:
            return Search(verification, contract, seed, 0, 0, 0.0, (), planned.mismatched)
        runs: dict[str, ManyRuns | NodeRuns] = {
            name: components[name]
            if name in components
            else stack.enter_context(NodeRuns(name, verification, contract, folder))
            for name in every
        }
        inputs = stack.enter_context(inputs_of(planned, place, most=_RECORDED))
        searching = _Searching(
            runs,
            planned,
            recorded(inputs, contract),
            budget or Budget(),
            seed,
            place,
            progress,
            examples,
        )
        return searching.search()


def _directly(verification: Verification) -> Verification:
    """The same in direct mode, with its ordinary nodes known as such; raises UsageError for what
    cannot run so."""
    if len(verification.implementations) < 2:
        raise UsageError(alone(verification.reference))
    for name, one in verification.implementations.items():
        if one.launch is not None or one.nodes is not None:
            raise UsageError(
                f"'{name}' is several processes, which can be verified but not searched; leave it "
                "out of this file, or take one node of it"
            )
    run = verification.run.model_copy(update={"mode": "direct"})
    return with_nodes(verification.model_copy(update={"run": run}))


class _BudgetSpent(BaseException):
    """Ends a search from within Hypothesis, which lets no other exceptions through."""


class _Differs(Exception):
    """Tells Hypothesis that an example is what it looks for."""


@dataclass(frozen=True)
class _Candidate:
    """A sequence, of that `length` when it was found, on which an implementation differs in a way
    (`Difference.kind`)."""

    name: str
    kind: str
    steps: Inputs
    length: int
    is_dear: bool
    """Whether each try costs a process, as crashes and hangs do, and all runs of ordinary nodes."""


class _Searching:
    def __init__(
        self,
        runs: dict[str, ManyRuns | NodeRuns],
        planned: Plan,
        recorded: Inputs,
        budget: Budget,
        seed: int,
        place: Path,
        progress: Progress | None,
        examples: Path | None,
    ) -> None:
        verification, contract = planned.verification, planned.contract
        self._runs, self._verification, self._contract = runs, verification, contract
        self._component = planned.component
        self._reference = verification.reference
        self._budget, self._seed, self._place, self._progress = budget, seed, place, progress
        self._judge = OutcomeJudge(contract, verification.compare)
        self._codecs = codecs_of(contract.inputs)
        self._pool: Inputs = ()
        self._database = None if examples is None else _Examples(examples, contract)
        self._recorded = recorded
        self._declared = verification.inputs.sample or Sample()
        self._drawing, self._why_not_drawn = self._drawn(seed)
        self._sequences = self._messages = 0
        self._with_nodes = any(isinstance(one, NodeRuns) for one in runs.values())
        self._start_s = time.monotonic()

    def search(self) -> Search:
        """Try what was found before, then round after round of long sequences as they are, and of
        short mutated ones."""
        finding = None
        try:
            found = self._first(self._kept()) or self._rounds()
            if found is not None:
                finding = self._confirmed(found)
        except _BudgetSpent:
            finding = None
        if finding is not None and self._database is not None:
            self._database.add(finding.steps)
        return Search(
            self._verification,
            self._contract,
            self._seed,
            self._sequences,
            self._messages,
            time.monotonic() - self._start_s,
            tuple(self._sources()),
            finding=finding,
        )

    def _sources(self) -> Iterator[str]:
        if self._verification.inputs.sample is None:
            yield f"{len(self._recorded)} recorded messages"
        if self._drawing is not None:
            yield "declared distributions"
        else:
            yield f"no declared distributions ({self._why_not_drawn})"
        yield "mutations"

    def _kept(self) -> Iterator[Inputs]:
        if self._database is not None:
            yield from self._database.kept()

    def _rounds(self) -> _Candidate | None:
        number = 0
        while True:
            found = self._first(self._long(number)) or self._generated(number)
            if found is not None:
                return found
            number += 1

    def _first(self, every: Iterator[Inputs]) -> _Candidate | None:
        """The first of some sequences on which an implementation differs, cut off after the step
        where it does."""
        for steps in map(self._possible, every):
            found = self._tried(steps)
            if found is None:
                continue
            candidate, difference = self._candidate(steps, *found), found[1]
            name = candidate.name
            cut = steps[: difference.step + 1]
            if len(cut) < len(steps):
                again = self._difference(name, cut)
                if again is not None and again.kind == difference.kind:
                    return replace(candidate, steps=cut)
            return candidate
        return None

    def _long(self, number: int) -> Iterator[Inputs]:
        """What is recorded and drawn, as it is; other parts of it in every round."""
        if self._recorded:
            random = Random(self._seed, f"part {number}")
            last = max(0, len(self._recorded) - _BULK)
            start = int(random.integers(0, last, 1)[0]) if number else 0
            yield self._recorded[start : start + _BULK]
        if self._drawing is not None:
            drawing, _ = self._drawn(self._seed + number)
            assert drawing is not None  # as it is for another seed
            place = self._place / f"drawn_{number}"
            drawing.to_bag(place)
            topics = {stream.topic: port for port, stream in enumerate(drawing.streams)}
            with Bag(place) as bag:
                timeline = Timeline(bag, list(topics), "times")
                self._pool = read_bag(topics, timeline, _BULK, _BULK_BYTES)
            yield self._pool

    def _drawn(self, seed: int) -> tuple[Drawing | None, str]:
        """What draws inputs from declared distributions, or why there is none."""
        declared = self._declared.model_copy(update={"n": _BULK, "seed": seed % (1 << 64)})
        try:
            return drawing_of(declared, self._contract, self._component), ""
        except (DistError, UsageError) as error:
            return None, str(error)

    def _generated(self, number: int) -> _Candidate | None:
        """A round of examples of Hypothesis, which shrinks the first that differs."""
        from hypothesis import HealthCheck, Phase, given, seed, settings
        from hypothesis.errors import HypothesisException

        from .strategies import Space, sequences

        plans = {}
        if self._drawing is not None:
            plans = {port: stream.plan for port, stream in enumerate(self._drawing.streams)}
        parameters: dict[str, Any] = dict(self._verification.parameters)
        space = Space.of(self._contract, self._recorded, self._pool, plans, parameters)
        best: _Candidate | None = None
        calls = 0

        @settings(
            max_examples=_EXAMPLES_EACH_ROUND,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
            print_blob=False,
            report_multiple_bugs=False,
        )
        @seed(f"{self._seed} {number}")
        @given(sequences(space, _STEPS_EACH_EXAMPLE))
        def example(made: Inputs) -> None:
            nonlocal best, calls
            steps = self._possible(made)
            if best is None:
                found = self._tried(steps)
                if found is None:
                    return
                best = self._candidate(steps, *found)
                if best.is_dear:
                    raise _BudgetSpent
                raise _Differs
            calls += 1
            if calls > _SHRINKING_CALLS:
                raise _BudgetSpent
            difference = self._difference(best.name, steps)
            if difference is None or difference.kind != best.kind:
                return
            if _size(steps) < _size(best.steps):
                best = replace(best, steps=steps)
            raise _Differs

        try:
            example()
        except (_BudgetSpent, _Differs, HypothesisException):
            if best is None:
                raise
        return best

    def _tried(self, steps: Inputs) -> tuple[str, Difference] | None:
        """Run all on a sequence; an implementation that differs from the reference, and where."""
        seconds, runs = self._budget.seconds, self._budget.runs
        if seconds is not None and time.monotonic() - self._start_s > seconds:
            raise _BudgetSpent
        if runs is not None and self._sequences >= runs:
            raise _BudgetSpent
        if not steps:
            return None
        self._sequences += 1
        self._messages += len(steps)
        if self._progress is not None:
            self._progress(self._sequences, self._messages)
        expected = self._runs[self._reference].run(steps)
        for name, one in self._runs.items():
            if name == self._reference:
                continue
            difference = self._judged(name, expected, one.run(steps), steps)
            if difference is not None:
                return name, difference
        return None

    def _candidate(self, steps: Inputs, name: str, difference: Difference) -> _Candidate:
        kind = difference.kind
        is_dear = self._with_nodes or "crashes" in kind or "hangs" in kind
        return _Candidate(name, kind, steps, len(steps), is_dear)

    def _possible(self, steps: Inputs) -> Inputs:
        """The sequence, whose time never steps back where there are ordinary nodes, for which it
        never does."""
        if not self._with_nodes:
            return steps
        times = accumulate((step.time_ns for step in steps), max)
        return tuple(replace(step, time_ns=at) for step, at in zip(steps, times, strict=True))

    def _difference(self, name: str, steps: Inputs) -> Difference | None:
        expected = self._runs[self._reference].run(steps)
        return self._judged(name, expected, self._runs[name].run(steps), steps)

    def _judged(
        self, name: str, expected: Outcome, outcome: Outcome, steps: Inputs
    ) -> Difference | None:
        names = self._reference, name
        return self._judge.difference(expected, outcome, names)

    def _confirmed(self, found: _Candidate) -> Finding:
        """The finding, tried again before it is shrunk, and in fresh processes afterwards."""
        pair = self._reference, found.name
        if not found.is_dear:
            self._again(pair, found.steps, _TIMES_BEFORE)

        def differs(tried: Inputs) -> bool:
            if self._possible(tried) != tried:
                return False
            difference = self._difference(found.name, tried)
            return difference is not None and difference.kind == found.kind

        small = shrink(found.steps, differs, self._codecs, time.monotonic() + _SHRINKING_S)
        times = _TIMES_BEFORE if self._with_nodes else _TIMES_AFTER
        difference, outcomes = self._again(pair, small, times, in_fresh_processes=True)
        deviations = self._judge.deviations(difference)
        return Finding(*pair, small, found.length, difference, deviations, outcomes)

    def _again(
        self, pair: tuple[str, str], steps: Inputs, times: int, *, in_fresh_processes: bool = False
    ) -> tuple[Difference, tuple[Outcome, Outcome]]:
        """The difference and outcomes; raises RunError if one of the two does not do the same every
        time, or there is none.

        A crash or hang is not tried so often, since each costs a process.
        """
        runs = self._runs[pair[0]], self._runs[pair[1]]
        before = runs[0].run(steps), runs[1].run(steps)
        if in_fresh_processes:
            for one in runs:
                one.renew()
                one.start()
        last = before
        for _ in range(1 if any(one.is_lost for one in before) else times):
            last = runs[0].run(steps), runs[1].run(steps)
            for name, then, now in zip(pair, before, last, strict=True):
                if not (then.is_lost and then.end == now.end):
                    self._check_same(name, then, now, steps)
        found = self._judged(pair[1], *last, steps)
        if found is None:
            raise RunError(
                f"{pair[1]} differed from {pair[0]}, but not again on the same {len(steps)} "
                "messages: "
                f"one of them {_DEPENDS}"
            )
        return found, last

    def _check_same(self, name: str, then: Outcome, now: Outcome, steps: Inputs) -> None:
        difference = self._judge.difference(then, now, (name, name), is_repeat=True)
        if difference is not None:
            raise RunError(
                f"{name} does not do the same again on the same {len(steps)} messages (first in "
                f"step {difference.step}): "
                f"it {_DEPENDS}"
            )


def _size(steps: Inputs) -> tuple[int, int]:
    """How large a sequence is: its messages, and bytes other than 0."""
    return len(steps), sum(len(step.data) - step.data.count(0) for step in steps)


def recorded(inputs: RunInputs, contract: Contract) -> Inputs:
    """The first some thousand of the inputs of a run."""
    return read_bag(inputs.ports(contract), inputs.timeline(), _RECORDED, _RECORDED_BYTES)


class _Examples:
    """Sequences on which implementations of a contract have differed, as Hypothesis's example
    database keeps them."""

    def __init__(self, folder: Path, contract: Contract) -> None:
        from hypothesis.database import DirectoryBasedExampleDatabase

        self._folder = folder
        self._inputs = len(contract.inputs)
        self._database = DirectoryBasedExampleDatabase(folder)
        ports = [(port.name, port.type) for port in contract.inputs]
        self._key = hashlib.sha256(repr((contract.component, ports)).encode()).digest()

    def kept(self) -> list[Inputs]:
        """All of them, short ones first; raises UsageError if one cannot be read."""
        try:
            found = [from_frames(data) for data in self._database.fetch(self._key)]
        except FrameError as error:
            raise UsageError(
                f"{self._folder} holds an example that {error}; delete the folder"
            ) from error
        return sorted(found, key=lambda steps: (len(steps), to_frames(steps)))

    def add(self, steps: Sequence[Any]) -> None:
        """Keep a sequence."""
        self._database.save(self._key, to_frames(steps))
