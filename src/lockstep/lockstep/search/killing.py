"""Which planted faults a sequence of inputs tells from the original."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ..cdr.codec import Codec, installed_codec
from ..compare import Tolerances
from ..compare.values import deviations
from ..component import Component
from ..errors import RunError, UsageError
from ..host.execution import InProcess
from ..host.python_component import make
from ..message.rosidl import type_name
from .mutants import Mutant

_PATIENCE = 20
_LEAST_PATIENCE_S = 2.0


class Given(NamedTuple):
    """A message in CDR for the input of that index, at a time of the run in ns."""

    port: int
    time_ns: int
    data: bytes


Published = list[tuple[int, int, bytes]]
"""What one step published: (index of the output, time in ns, message in CDR)."""


class Original:
    """What the component itself does with some inputs, and by which tolerances others are held
    against it."""

    def __init__(
        self,
        component: type[Component],
        parameters: dict[str, Any],
        inputs: Sequence[Given],
        tolerances: Tolerances,
    ) -> None:
        """Runs the component; raises RunError if a callback raises, UsageError for bad
        parameters."""
        self.inputs = inputs
        self.parameters = parameters
        self.component = component
        self._tolerances = tolerances
        self._codecs: list[Codec] = [
            installed_codec(type_name(port.message_type)) for port in component.outputs.values()
        ]
        start = time.perf_counter()
        self.published = list(_run(component, parameters, inputs))
        self._limit_s = _LEAST_PATIENCE_S + _PATIENCE * (time.perf_counter() - start)

    def killed_at(self, mutant: Mutant) -> int | None:
        """The index of the input at which a mutant is first seen to differ, beyond the tolerances;
        None if it never is.

        One that raises, hangs, or cannot be made differs there.
        """
        step = 0
        try:
            component = mutant.make()
            with _limited(self._limit_s):
                for published in _run(component, self.parameters, self.inputs):
                    if not self._alike(self.published[step], published):
                        return step
                    step += 1
        except (RunError, UsageError, _TooSlow):
            return step
        return None

    def _alike(self, expected: Published, found: Published) -> bool:
        if expected == found:
            return True
        if [one[:2] for one in expected] != [one[:2] for one in found]:
            return False
        for (index, _, a), (_, _, b) in zip(expected, found, strict=True):
            kind = self._codecs[index]
            if a != b and not all(
                one.passes for one in deviations(kind.decode(a), kind.decode(b), self._tolerances)
            ):
                return False
        return True


def _run(
    component: type[Component], parameters: dict[str, Any], inputs: Sequence[Given]
) -> Iterator[Published]:
    """What each input leads to."""
    published: Published = []
    logger = logging.getLogger(component.__name__)
    silenced, logger.disabled = logger.disabled, True
    try:
        host = InProcess(make(component), parameters, lambda *message: published.append(message))
        for port, time_ns, data in inputs:
            host.deliver(port, time_ns, data)
            yield published
            published = []
    finally:
        logger.disabled = silenced


class _TooSlow(BaseException):
    """A mutant does not come to an end. No Exception, which a callback's host would take for the
    component's."""


@contextlib.contextmanager
def _limited(limit_s: float) -> Iterator[None]:
    """Raises _TooSlow in this thread if what is done within takes longer."""
    thread = ctypes.c_ulong(threading.get_ident())
    lock = threading.Lock()
    over = False

    def end() -> None:
        with lock:
            if not over:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TooSlow))

    timer = threading.Timer(limit_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        with lock:
            over = True
        timer.cancel()
