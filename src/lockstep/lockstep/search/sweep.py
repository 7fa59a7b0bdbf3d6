"""The highest rate of inputs that a node sustains live, as an ordinary node that nothing holds
back."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from statistics import median

from ..bag import Bag, BagWriter, Message
from ..errors import RunError, UsageError
from ..message.time import NS_PER_S
from ..run.direct_program import direct_environment
from ..run.folder import create_folder
from ..run.forks import ForkServer
from ..run.implementation import command_of, contracts_of
from ..run.inputs import RunInputs
from ..run.live import LiveRun
from ..run.model import Implementation, Run
from ..run.processes import Processes, fork_server
from ..run.request import RunRequest
from ..verify.inputs import inputs_of
from ..verify.model import Verification
from ..verify.plan import Plan, plan, with_nodes
from ..verify.runs import Watch, a_run_has_begun

QUIET_S = 0.5
CLOSE = 1.1
"""Bisection ends where what fails is so many times what is sustained."""
STEPS = 6
"""A rate is doubled, or halved, at most so many times more than what the first try needs."""
HELD = 0.95
"""The share of the rate asked for that the player has to hold."""
DEPTHS = 10
"""Times the depth of the deepest queue of its inputs, a trial has messages: what waits in a queue
at its end is no sustained rate."""
MOST_BYTES = 1 << 31
_MOST_KEPT = 1 << 28
"""Bytes of the inputs that are repeated: of longer ones, what comes first."""


@dataclass(frozen=True)
class Tried:
    """One trial: messages per second asked for, and why it was not sustained, a sentence."""

    rate: float
    objection: str | None
    cpu_ns: float | None = None
    """Processor time of the node for each message."""


@dataclass(frozen=True)
class Sustained:
    """The highest rates of inputs, in messages per second of all inputs together, that an
    implementation took whole: one of each repetition."""

    name: str
    rates: tuple[float, ...]
    objection: str | None
    """What went wrong above the last of them; None if nothing did up to the highest rate asked
    for."""
    cpu_ns: float | None

    @property
    def rate(self) -> float:
        """The median; 0 if it never took all."""
        return median(self.rates)


def highest(tried: Callable[[float], Tried], start: float, at_most: float) -> tuple[Tried, Tried]:
    """The highest rate that is sustained and the lowest that is not, by bisection on a logarithmic
    scale.

    Of rate 0 if none is sustained down to start / 2**STEPS, and the same one twice if `at_most` is.
    """
    low = tried(min(start, at_most))
    if low.objection is None:
        high = low
        while high.objection is None:
            if high.rate >= at_most:
                return high, high
            low, high = high, tried(min(2 * high.rate, at_most))
    else:
        high = low
        for _ in range(STEPS):
            low = tried(high.rate / 2)
            if low.objection is None:
                break
            high = low
        else:
            return Tried(0.0, high.objection), high
    while high.rate > CLOSE * low.rate:
        middle = tried(math.sqrt(low.rate * high.rate))
        if middle.objection is None:
            low = middle
        else:
            high = middle
    return low, high


@dataclass(frozen=True)
class Effort:
    """How long a trial takes (s, of wall time), how often each search is repeated, and up to which
    rate (messages/s)."""

    trial_s: float = 2.0
    repeat: int = 3
    at_most: float = 100_000.0


def sweep(
    verification: Verification,
    folder: Path,
    names: Sequence[str] = (),
    effort: Effort = Effort(),
    watch: Watch | None = None,
) -> list[Sustained]:
    """Find for implementations (all, if none is named) the rate that each sustains, with inputs
    that are repeated as often as a trial needs.

    Components run as the ordinary nodes that they are, too. Raises UsageError for what cannot run
    live, RunError if one does not take all at any rate for another reason than the rate.
    """
    verification = with_nodes(verification)
    chosen = list(names) or list(verification.implementations)
    create_folder(folder)
    with ExitStack() as stack:
        planned = stack.enter_context(plan(verification, contracts_of))
        inputs = stack.enter_context(inputs_of(planned, folder, watch))
        longer = _Longer(inputs, folder, stack)
        processes = stack.enter_context(Processes(direct_environment()))
        forks = stack.enter_context(fork_server(processes))
        stack.enter_context(a_run_has_begun())
        return [
            _sustained(_Trials(planned, name, longer, forks, folder / name, effort), watch)
            for name in chosen
        ]


def _sustained(trials: _Trials, watch: Watch | None) -> Sustained:
    show = watch(f"sweeping {trials.name}") if watch else None
    found: list[tuple[Tried, Tried]] = []
    start = trials.own_rate
    for number in range(trials.effort.repeat):
        found.append(highest(trials.tried, start, trials.effort.at_most))
        start = found[-1][0].rate or start
        if show:
            show(number + 1, trials.effort.repeat)
    low, high = found[-1]
    return Sustained(trials.name, tuple(low.rate for low, _ in found), high.objection, low.cpu_ns)


class _Trials:
    """Runs one implementation at one rate after the other."""

    def __init__(
        self,
        planned: Plan,
        name: str,
        inputs: _Longer,
        forks: ForkServer,
        folder: Path,
        effort: Effort,
    ) -> None:
        self.name, self.effort = name, effort
        self._planned, self._inputs, self._forks = planned, inputs, forks
        self._folder, self._numbers = folder, count(1)
        self.own_rate = inputs.own_rate
        self._least = DEPTHS * max(port.qos.depth for port in planned.contract.inputs)

    def tried(self, rate: float) -> Tried:
        """Run it at so many messages per second."""
        folder = self._folder / f"{next(self._numbers)}_at_{rate:.0f}"
        folder.mkdir(parents=True)
        run = LiveRun(self._request(rate, folder), self._forks)
        try:
            run.play()
            result = run.finish()
        except RunError as error:
            return Tried(rate, str(error))
        finally:
            run.end()
        if result.untaken:
            return Tried(rate, result.untaken)
        achieved = json.loads((folder / "player.json").read_text("utf-8"))["rate"]
        if achieved["achieved"] < HELD * achieved["asked"]:
            return Tried(
                rate, f"{self.name}: the player sends no faster than {rate:.0f} messages/s"
            )
        return Tried(rate, None, result.cpu_ns)

    def _request(self, rate: float, folder: Path) -> RunRequest:
        declared = self._planned.verification
        one = declared.implementations[self.name]
        if one.launch is not None:
            raise UsageError(f"'{self.name}' is a launch file; sweep one of its nodes")
        plain = Implementation(command=command_of(self.name, one), parameters=one.parameters)
        rtf = rate / self.own_rate
        inputs = self._inputs.of(max(round(rate * self.effort.trial_s), self._least))
        options = Run(rtf=rtf, quiet=QUIET_S, timeout=declared.run.timeout)
        request = self._planned.request(self.name, inputs, folder)
        return replace(
            request,
            implementation=plain.model_copy(update={"remap": one.remap}),
            options=options,
            with_cause=False,
        )


class _Longer:
    """Inputs that are as long as is needed: bags that repeat them, of which the longest is kept."""

    def __init__(self, inputs: RunInputs, folder: Path, stack: ExitStack) -> None:
        self._inputs, self._folder, self._stack = inputs, folder, stack
        begin_ns = inputs.bag.start_ns + round(inputs.start_s * NS_PER_S)
        end_ns = None
        if math.isfinite(inputs.duration_s):
            end_ns = begin_ns + round(inputs.duration_s * NS_PER_S)
        chosen = inputs.bag.messages(list(inputs.topics), begin_ns, end_ns)
        self._messages = list(_up_to(_MOST_KEPT, chosen))
        if len(self._messages) < 2:
            raise UsageError("a sweep needs at least two messages")
        times = [message.log_time_ns for message in self._messages]
        # from one begin to the next, as if the last were followed after the mean time
        self._span_ns = max(1, (times[-1] - times[0]) * len(times) // (len(times) - 1))
        self.own_rate = len(times) * NS_PER_S / self._span_ns
        self._bag: Bag | None = None
        self._numbers = count(1)

    def of(self, messages: int) -> RunInputs:
        """Inputs of at least so many messages."""
        if self._bag is None or self._bag.count < messages:
            path = self._folder / f"inputs_{next(self._numbers)}"
            self._write(path, max(messages, len(self._messages)))
            self._bag = self._stack.enter_context(Bag(path))
        rest_s = messages / self.own_rate
        return replace(self._inputs, bag=self._bag, start_s=0.0, duration_s=rest_s)

    def _write(self, path: Path, most: int) -> None:
        mean = sum(len(message.data) for message in self._messages) / len(self._messages)
        if mean * most > MOST_BYTES:
            raise RunError(
                f"{most} messages of {mean:.0f} bytes for one trial are more than "
                f"{MOST_BYTES >> 30} GB; sweep with fewer seconds, or up to a lower rate"
            )
        with BagWriter(path) as writer:
            for topic in self._inputs.topics:
                known = self._inputs.bag.topic(topic)
                writer.add_topic(
                    topic,
                    known.type,
                    known.definition,
                    known.type_hash,
                    known.qos,
                    encoding=known.encoding,
                    message_encoding=known.message_encoding,
                )
            for turn in range(-(-most // len(self._messages))):
                for message in self._messages:
                    time_ns = message.log_time_ns + turn * self._span_ns
                    writer.write(message.topic, message.data, time_ns)


def _up_to(most_bytes: int, messages: Iterable[Message]) -> Iterator[Message]:
    """The first messages, and no more bytes than so many."""
    kept = 0
    for message in messages:
        kept += len(message.data)
        if kept > most_bytes:
            return
        yield message
