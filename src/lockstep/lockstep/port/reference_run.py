"""A run of the reference, a component in this process or an ordinary node in one of its own, which
is given one step after the other."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from ..component import Component
from ..host.in_process import InProcess, Publish
from ..host.python_component import make
from ..run.model import Implementation
from ..run.nodes.started import Start
from ..run.nodes.stepped import SteppedNode
from ..temporary_folder import TemporaryFolder
from .subject import Subject, reference_of

_TIMEOUT_S = 30.0


class ReferenceRun(Protocol):
    """Takes steps; what it publishes goes to whoever began it, before they return or raise."""

    def pass_time(self, time_ns: int) -> None:
        """What falls due until then happens."""

    def deliver(self, port: int, time_ns: int, data: bytes) -> None:
        """Time steps, and an input gets a message in CDR."""

    def advance(self, time_ns: int) -> None:
        """Time steps."""


@contextmanager
def reference_run(
    subject: Subject,
    parameters: Mapping[str, Any],
    publish: Publish,
    log: Callable[[str], None] = lambda line: None,
) -> Iterator[ReferenceRun]:
    """Begin a run; lines that a component logs go to `log`.

    Raises RunError where it fails, UsageError for parameters that it cannot have.
    """
    reference = reference_of(subject)
    with ExitStack() as stack:
        if subject.is_node:
            folder = stack.enter_context(TemporaryFolder("lockstep-reference-")).path
            node = Implementation(node=subject.target)
            name = subject.contract.component
            start = Start(name, node, subject.contract, parameters, folder, _TIMEOUT_S)
            yield stack.enter_context(SteppedNode(start, publish, keeps_log=False))
        else:
            stack.enter_context(_logged(reference, log))
            yield InProcess(make(reference), dict(parameters), publish)


@contextmanager
def _logged(component: type[Component], take: Callable[[str], None]) -> Iterator[None]:
    """Gives what a component logs meanwhile to `take`, line by line, instead of to stderr."""
    logger = logging.getLogger(component.__name__)
    handler = _Lines(take)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


class _Lines(logging.Handler):
    def __init__(self, take: Callable[[str], None]) -> None:
        super().__init__()
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(f"{record.levelname.lower()}: {record.getMessage()}")
