"""Direct runs of a component, behind frames on stdin and stdout (docs/direct-protocol.md).

lockstep_cpp's direct_run.cpp is the twin.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # while modules load, which makes no garbage

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ..cdr.codec import installed_codec
from ..cdr.message_error import MessageError
from ..component import Component, contract_of
from ..errors import FAILED, USAGE, BagError, CallbackError, RunError, UsageError, unforeseen
from ..message.rosidl import spare_generator
from ..message.time import NS_PER_S
from ..printable import printed_json, tell
from .ended import Ended
from .events import tell_error
from .frames import FrameParser, Frames, frame
from .in_process import InProcess
from .log import log_as_ros
from .protocol import MAX_SILENCE_S, MAX_UNACKNOWLEDGED, PARAMETER_VALUES, TIMER_PORTS, Kind
from .python_component import load, make, node_name
from .standard_streams import take_standard_input, take_standard_output

_READ_BYTES = 1 << 20
_PENDING_BYTES = 1 << 18
_MAX_SILENCE_NS = round(MAX_SILENCE_S * NS_PER_S)
_TIMES_EACH = 1 << 20
_MOST_NS = 0xFFFFFFFF
_VALUE_FIELDS = dict(PARAMETER_VALUES.values())


def serve_direct_runs(
    component_class: type[Component], output: int, log_level: str = "info", *, goes_on: bool = False
) -> int:
    """Answer frames of stdin on the descriptor `output` until stdin ends; returns the exit code.

    If it `goes_on`, a callback that raised ends the run only: what is left of it is passed over,
    and the next may start.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing is to be saved
    log_as_ros(node_name(component_class.__name__), log_level)
    try:
        _DirectRuns(component_class, take_standard_input(), output, goes_on=goes_on).serve()
    except (RunError, UsageError, BagError) as error:
        return _say(component_class, error, str(error))
    except BrokenPipeError as error:
        return _say(component_class, error, "nobody reads the frames of this run")
    except Exception as error:  # noqa: BLE001 - never a traceback, and never exit code 1
        return _say(component_class, error, unforeseen(error))
    return 0


def _say(component_class: type[Component], error: Exception, sentence: str) -> int:
    """Tell why the run ends; returns the exit code."""
    refused = isinstance(error, UsageError)
    tell_error(error, sentence, refused=refused)
    tell(f"{node_name(component_class.__name__)}: {sentence}")
    return USAGE if refused else FAILED


class _DirectRuns:
    """One run after the other, as many as there are until the input ends."""

    def __init__(
        self, component_class: type[Component], frames: int, output: int, *, goes_on: bool
    ) -> None:
        self._class = component_class
        self._goes_on = goes_on
        self._failed = False
        self._component: Component | None = None
        self._frames = frames
        self._output = output
        self._pending = bytearray(
            frame(Kind.CONTRACT, contract_of(component_class).to_json().encode())
        )
        self._parameters: dict[str, Any] = {}
        self._run: InProcess | None = None
        self._is_over = False
        self._done = 0
        self._flushed_ns = 0
        self._parameter = installed_codec("rcl_interfaces/msg/Parameter")

    def serve(self) -> None:
        parser = FrameParser()
        while True:
            self._say_done()
            self._flush()
            data = os.read(self._frames, _READ_BYTES)
            if not data:
                break
            frames = parser.feed(data)
            if frames is not None:
                self._take(frames)
        if not self._is_over or self._parameters or not parser.is_empty:
            raise RunError("stdin ended before the run did")

    def _take(self, frames: Frames) -> None:
        data: Any = frames.buffer.base
        ends = (frames.offset + frames.length).tolist()
        columns = (frames.kind, frames.port, frames.step, frames.time_ns, frames.offset)
        rows = zip(*(column.tolist() for column in columns), ends, strict=True)
        for kind, port, step, time_ns, start, end in rows:
            if self._failed and kind in (Kind.INPUT, Kind.ADVANCE):
                continue
            if kind == Kind.INPUT:
                run = self._at(step)
                self._check_port(port)
                self._attempt(run.deliver, port, time_ns, data[start:end])
            elif kind == Kind.PARAMETER:
                self._add_parameter(data[start:end])
            elif kind in (Kind.ADVANCE, Kind.START, Kind.END) and start != end:
                raise RunError(
                    f"{Kind(kind).name} came with {end - start} bytes, but it has no payload"
                )
            elif kind == Kind.ADVANCE:
                self._attempt(self._at(step).advance, time_ns)
            elif kind == Kind.START:
                self._start()
            elif kind == Kind.END:
                self._end()
            else:
                raise RunError(f"a frame of kind {kind} came, which no harness sends")

    def _start(self) -> None:
        if self._run is not None and not self._is_over:
            raise RunError("START came before the END of the run")
        self._is_over = self._failed = False
        self._run, self._done = None, -1
        self._component = make(self._class)
        self._attempt(self._begin, self._component)
        self._say_done()
        self._parameters = {}

    def _begin(self, component: Component) -> None:
        self._run = InProcess(component, self._parameters, self._publish)

    def _attempt(self, what: Callable[..., None], *args: Any) -> None:
        try:
            what(*args)
        except CallbackError as error:
            now_ns = self._run.now() if self._run else 0
            self._add(frame(Kind.FAILED, str(error).encode(), step=self._steps, time_ns=now_ns))
            self._flush()
            if not self._goes_on:
                raise
            self._failed = True
            self._close(refuses=False)
            return
        overdue = time.perf_counter_ns() - self._flushed_ns > _MAX_SILENCE_NS
        if overdue or self._steps - self._done >= MAX_UNACKNOWLEDGED:
            self._say_done()
        if overdue or len(self._pending) >= _PENDING_BYTES:
            self._flush()

    @property
    def _steps(self) -> int:
        return self._run.steps if self._run else 0

    def _at(self, step: int) -> InProcess:
        """The run that takes this step."""
        if self._run is None or self._is_over:
            raise RunError("a step came before START")
        if step != self._run.steps:
            raise RunError(f"step {self._run.steps} should have come, but step {step % 2**64} came")
        return self._run

    def _check_port(self, port: int) -> None:
        if port >= len(self._class.inputs):
            raise RunError(
                f"a message came for input {port}, but there are {len(self._class.inputs)} inputs"
            )

    def _publish(self, port: int, time_ns: int, data: bytes) -> None:
        self._add(frame(Kind.OUTPUT, data, port, self._steps, time_ns))

    def _add_parameter(self, data: bytes) -> None:
        if self._run is not None and not self._is_over:
            raise RunError("a PARAMETER came after START")
        try:
            message = self._parameter.decode(data)
        except MessageError as error:
            raise RunError(f"a PARAMETER came that is no valid one; it {error}") from error
        field = _VALUE_FIELDS.get(message.value.type)
        if field is None:
            raise UsageError(f"parameter '{message.name}' has no value")
        value = getattr(message.value, field)
        self._parameters[message.name] = value.tolist() if isinstance(value, np.ndarray) else value

    def _end(self) -> None:
        if self._failed:
            self._is_over = True
            self._finish()
            return
        if self._run is None or self._is_over:
            raise RunError("END came before START")
        self._is_over = True
        self._close(refuses=True)
        self._say_done()
        for index, name in enumerate(self._class.inputs):
            self._say_times(index, self._run.durations_ns[name])
        for index, name in enumerate(self._class.timers):
            self._say_times(TIMER_PORTS + index, self._run.durations_ns[name])
        self._finish()

    def _close(self, *, refuses: bool) -> None:
        """Let the component of this run publish nothing any more."""
        assert self._component is not None
        Ended(self._component, refuses=refuses)

    def _finish(self) -> None:
        self._add(frame(Kind.FINISHED, step=self._steps))
        self._done = self._steps

    def _say_times(self, port: int, durations: Any) -> None:
        times = np.minimum(np.frombuffer(durations, np.uint64), _MOST_NS).astype("<u4")
        for start in range(0, len(times), _TIMES_EACH):
            self._add(frame(Kind.TIMES, times[start : start + _TIMES_EACH].tobytes(), port))

    def _say_done(self) -> None:
        if self._run is not None and self._done != self._steps:
            self._done = self._steps
            self._add(frame(Kind.DONE, step=self._steps))

    def _add(self, data: bytes) -> None:
        self._pending += data
        if len(self._pending) >= 4 * _PENDING_BYTES:  # of one callback
            self._flush()

    def _flush(self) -> None:
        left = memoryview(self._pending)
        while left:
            left = left[os.write(self._output, left) :]
        self._pending = bytearray()
        self._flushed_ns = time.perf_counter_ns()


def main() -> None:
    """`python3 -m lockstep.host.direct_run MODULE:CLASS --direct | --contract`.

    `--many` is `--direct` that goes on after a run that a callback has ended, which is quicker than
    to start anew.
    """
    spare_generator()
    target, mode = sys.argv[1:]
    output = take_standard_output()
    try:
        component_class = load(target)
    except UsageError as error:
        tell_error(error, str(error))
        tell(f"host: {error}")
        sys.exit(USAGE)
    gc.freeze()
    gc.enable()
    if mode == "--contract":
        with os.fdopen(output, "w", encoding="utf-8") as stdout:
            stdout.write(f"{printed_json(contract_of(component_class).to_json())}\n")
        sys.exit(0)
    sys.exit(serve_direct_runs(component_class, output, goes_on=mode == "--many"))


if __name__ == "__main__":
    main()
