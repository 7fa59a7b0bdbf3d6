"""What one implementation did with the inputs, in whatever mode it ran."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..bag import Bag, BagError
from ..errors import Loss, RunError
from .resources import Resources


@dataclass(frozen=True)
class Failure:
    """A callback that raised and so ended a direct run: during which step of how many, and what."""

    step: int
    of_steps: int
    sentence: str


def failed_as_declared(declared: Sequence[str], a: Failure | None, b: Failure | None) -> bool:
    """Whether two runs failed as was declared: in one step, with a text of `declared` in both
    exceptions."""
    if a is None or b is None or a.step != b.step:
        return False
    return any(text in a.sentence and text in b.sentence for text in declared)


HOW_TO_DECLARE = (
    "if that is what they shall do, name a text of both exceptions under compare: failures:"
)


@dataclass(frozen=True)
class NodeTopics:
    """The topics of one node of a system."""

    publishes: tuple[str, ...]
    subscribes: tuple[str, ...]


@dataclass(frozen=True)
class RunResult:
    """Messages by topic and where the outputs are; `median_ns` and `p99_ns` are of the callbacks of
    messages."""

    name: str
    bag: Path | str
    sent: dict[str, int]
    recorded: dict[str, int]
    first_input_ns: int
    wall_s: float | None
    median_ns: float | None
    p99_ns: float | None
    resources: Resources | None = None
    failure: Failure | None = None
    black_box: bool = False
    """Whether nobody tells which of the messages that were sent it has taken."""
    untaken: str | None = None
    """What is known that a black box did not take of what was sent, a sentence."""
    remarks: tuple[str, ...] = ()
    """What is to be known of the run, in sentences."""
    nodes: Mapping[str, NodeTopics] = field(default_factory=dict)
    """Of several nodes as one system: what each of them says and hears, by name."""

    @property
    def cpu_ns(self) -> float | None:
        """Processor time for each message that was sent, of callbacks and all that is around
        them."""
        sent = sum(self.sent.values())
        return self.resources.cpu_s * 1e9 / sent if self.resources is not None and sent else None

    def outputs(self) -> Bag:
        """The bag that was written; raises RunError if it does not hold all that was recorded."""
        try:
            bag = Bag(self.bag)
        except BagError as error:
            raise RunError(f"{self.name}: {error}") from error
        written = {
            topic: bag.topics[topic].count if topic in bag.topics else 0 for topic in self.recorded
        }
        if bag.problem is None and written == self.recorded:
            return bag
        bag.close()
        raise Loss(
            f"{self.name}: {bag.problem or f'{bag.path} does not hold all that was recorded'}"
        )


def in_and_out(run: RunResult) -> str:
    """How many messages a run was given and gave, by topic, as a sentence."""
    given, made = (
        ", ".join(f"{count} on {topic}" for topic, count in counts.items()) or "none"
        for counts in (run.sent, run.recorded)
    )
    return f"{run.name}: messages in: {given}; out: {made}"


def leak(run: RunResult) -> str | None:
    """That memory grows with each message, as a sentence."""
    if run.resources is None or run.resources.growth_bytes is None:
        return None
    return (
        f"{run.name} takes {run.resources.growth_bytes / 1e3:.3g} kB more memory with each message,"
        " as with a leak or a list that only grows; at the end "
        f"{run.resources.peak_bytes / 1e6:.0f} MB"
    )


def check_counts(
    name: str, sent: Mapping[str, int], recorded: Mapping[str, int], silent: Collection[str] = ()
) -> None:
    """Raises RunError if a topic had no message, or nothing was published at all: that would prove
    nothing.

    `silent` are topics that need not carry a message.
    """
    for topic, count in sent.items():
        if not count and topic not in silent:
            raise RunError(f"{name}: the chosen part of the bag holds no message for {topic}")
    if not sum(recorded.values()) and not recorded.keys() <= set(silent):
        raise RunError(
            f"{name} never answered: it published nothing on {', '.join(recorded) or 'any topic'}"
        )
