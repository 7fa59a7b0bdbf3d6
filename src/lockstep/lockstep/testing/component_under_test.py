"""The fixture `component` as a test sees it: ports by name, the run's time, parameters."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from ..bag import BagError
from ..cdr.codec import installed_codec
from ..cdr.message_error import MessageError
from ..cdr.rosidl_messages import RosidlDecoder
from ..component import Contract, stamp_ns
from ..component.contract import PortContract, service_of
from ..component.service import OF_RESPONSES
from ..errors import CallbackError, RunError, UsageError
from ..message.rosidl import message_class
from .harness import Harness

_MS = 1_000_000
PortT = TypeVar("PortT")


class InputUnderTest:
    """An input; what is sent has been consumed when `send` returns."""

    __slots__ = ("_encode", "_message_type", "_port", "_send")

    def __init__(self, port: PortContract, send: Callable[[int | None, Any, bytes], None]) -> None:
        self._port = port
        self._message_type = message_class(port.type)
        self._encode = installed_codec(port.type).encode
        self._send = send

    def send(self, msg: Any, time_ns: int | None = None) -> None:
        """Step time to `time_ns`, then deliver a message, and wait until the component has consumed
        it.

        Without a time, it is the message's header stamp if that is later than now, else 1 ms after
        now. Raises TypeError for a message of another type, ValueError for one that cannot be
        encoded, CallbackError if a callback raises, and RunError if the component crashes or hangs.
        """
        __tracebackhide__ = True
        if not isinstance(msg, self._message_type):
            raise TypeError(
                f"input '{self._port.name}' takes {self._port.type}, not {type(msg).__name__}"
            )
        try:
            data = self._encode(msg)
        except BagError as error:
            raise ValueError(f"input '{self._port.name}': {error}") from error
        self._send(time_ns, msg, data)


class ServiceUnderTest(InputUnderTest):
    """A service: an input of requests, which can also be called."""

    __slots__ = ("_responses",)

    def __init__(
        self,
        port: PortContract,
        send: Callable[[int | None, Any, bytes], None],
        responses: OutputUnderTest,
    ) -> None:
        super().__init__(port, send)
        self._responses = responses

    def call(self, request: Any, time_ns: int | None = None) -> Any:
        """Send a request, as `send` does; returns the response, which is among the messages of the
        output of responses, too.

        Fails the test if there is none.
        """
        __tracebackhide__ = True
        count = len(self._responses.messages)
        self.send(request, time_ns)
        if len(self._responses.messages) == count:
            raise AssertionError(f"service '{self._port.name}' did not answer")
        return self._responses.messages[count]


class OutputUnderTest:
    """An output, with all that it has published in this run.

    `messages` are rosidl messages, decoded from the bytes that were published; `times_ns` are the
    run's times at which they were, one for each.
    """

    __slots__ = ("_decode", "_port", "messages", "times_ns")

    def __init__(self, port: PortContract) -> None:
        self._port = port
        self._decode = RosidlDecoder(installed_codec(port.type))
        self.messages: list[Any] = []
        self.times_ns: list[int] = []

    @property
    def name(self) -> str:
        """As the contract calls it."""
        return self._port.name

    @property
    def last(self) -> Any:
        """The message that was published last; fails the test if there is none."""
        __tracebackhide__ = True
        if not self.messages:
            raise AssertionError(f"nothing was published on output '{self._port.name}'")
        return self.messages[-1]

    def clear(self) -> None:
        """Forget what was published."""
        self.messages.clear()
        self.times_ns.clear()

    def _take(self, time_ns: int, data: bytes) -> None:
        try:
            message = self._decode(data)
        except MessageError as error:
            raise RunError(
                f"output '{self._port.name}' published what is no valid {self._port.type}; it "
                f"{error}"
            ) from error
        self.messages.append(message)
        self.times_ns.append(time_ns)


class Ports(dict[str, PortT], Generic[PortT]):
    """Ports by name; raises KeyError, which says what there is, for another name."""

    def __init__(self, noun: str, ports: Mapping[str, PortT]) -> None:
        super().__init__(ports)
        self._noun = noun

    def __missing__(self, name: str) -> PortT:
        raise KeyError(f"there is no {self._noun} '{name}', but {', '.join(self) or 'none'}")


class ComponentUnderTest:
    """One implementation of a contract, running for one test.

    Ports are attributes: `component.<input>.send(message)`, `component.<output>.last`,
    `component.<service>.call(request)`. A port whose name is taken here is found as
    `component.inputs["name"]` or `component.outputs["name"]`.

    Time is that of the messages that are sent; 0 until the first. Timers fire on it, each at its
    own due time. Once a callback has raised or the component has crashed, the run is over, and
    `restart` begins another.
    """

    __slots__ = (
        "_durations_ns",
        "_harness",
        "_now_ns",
        "_over",
        "_parameters",
        "_steps",
        "contract",
        "implementation",
        "inputs",
        "outputs",
    )

    implementation: str
    """The implementation's name in the verify.yaml."""
    contract: Contract
    """What it promises: ports, parameters and timers."""
    inputs: Ports[InputUnderTest]
    outputs: Ports[OutputUnderTest]

    def __init__(
        self, implementation: str, harness: Harness, parameters: Mapping[str, Any]
    ) -> None:
        """Raises LookupError if the messages of a port are not installed. The run begins with
        `restart`."""
        self._harness = harness
        self._parameters = dict(parameters)
        self._over = "it has not begun"
        self._now_ns = self._steps = 0
        self._durations_ns: dict[str, list[int]] = {}
        self.implementation = implementation
        self.contract = harness.contract
        self.outputs = Ports(
            "output", {port.name: OutputUnderTest(port) for port in self.contract.outputs}
        )
        self.inputs = Ports(
            "input",
            {port.name: self._input(index) for index, port in enumerate(self.contract.inputs)},
        )

    def __repr__(self) -> str:
        return f"<{self.contract.component}, implementation '{self.implementation}'>"

    def __getattr__(self, name: str) -> Any:
        # Only for names that are not found otherwise.
        __tracebackhide__ = True
        if name.startswith("_"):
            raise AttributeError(name)
        for ports in (self.inputs, self.outputs):
            if name in ports:
                return ports[name]
        raise AttributeError(
            f"{self.contract.component} has no port '{name}'; its inputs are "
            f"{', '.join(self.inputs) or 'none'}, "
            f"its outputs {', '.join(self.outputs) or 'none'}"
        )

    @property
    def now_ns(self) -> int:
        """The run's time; 0 as long as it is not known."""
        return self._now_ns

    @property
    def durations_ns(self) -> dict[str, list[int]]:
        """Wall times of the callbacks of each input and timer, in order; live, of inputs only.

        Reading it ends the run: an executable tells its times at its end.
        """
        __tracebackhide__ = True
        if not self._over:
            self._end()
        return self._durations_ns

    def advance(self, time_ns: int) -> None:
        """Step time and wait until the timers that fall due have fired; time may also step back."""
        __tracebackhide__ = True
        self._step(_checked(time_ns), self._harness.advance)

    def set_parameters(self, parameters: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Set all of them or none while the component runs, as `ros2 param set` does.

        Names with dots go into a dict. Raises UsageError for what the component refuses; it then
        runs on as before. Skips the test for an executable in direct mode, which takes parameters
        only at its start.
        """
        __tracebackhide__ = True
        self._check_running()
        values = {**(parameters or {}), **more}
        self._watch(lambda: self._harness.set_parameters(values))

    def restart(self, parameters: Mapping[str, Any] | None = None, /, **more: Any) -> None:
        """Begin another run with a new component; time and outputs are as new, too.

        It has the parameters of the test, with these on top. Raises UsageError for what the
        component refuses.
        """
        __tracebackhide__ = True
        if not self._over:
            self._end()
        for output in self.outputs.values():
            output.clear()
        self._now_ns = self._steps = 0
        self._durations_ns = {}
        self._over = ""
        values = {**self._parameters, **(parameters or {}), **more}
        self._watch(lambda: self._harness.start(values, self._publish), ends=True)

    def _input(self, index: int) -> InputUnderTest:
        port = self.contract.inputs[index]
        if service_of(port) is None:
            return InputUnderTest(port, self._sender(index))
        responses = self.outputs[f"{port.name}{OF_RESPONSES}"]
        return ServiceUnderTest(port, self._sender(index), responses)

    def _sender(self, port: int) -> Callable[[int | None, Any, bytes], None]:
        def send(time_ns: int | None, msg: Any, data: bytes) -> None:
            __tracebackhide__ = True
            at_ns = self._time_for(msg) if time_ns is None else _checked(time_ns)
            self._step(at_ns, lambda at_ns: self._harness.deliver(port, at_ns, data))

        return send

    def _time_for(self, msg: Any) -> int:
        stamp = getattr(getattr(msg, "header", None), "stamp", None)
        stamped_ns = 0 if stamp is None else stamp_ns(stamp)
        return stamped_ns if stamped_ns > self._now_ns else self._now_ns + _MS

    def _step(self, time_ns: int, take: Callable[[int], None]) -> None:
        __tracebackhide__ = True
        self._check_running()
        self._watch(lambda: take(time_ns))
        self._now_ns = time_ns or self._now_ns
        self._steps += 1

    def _check_running(self) -> None:
        __tracebackhide__ = True
        if self._over:
            raise RuntimeError(f"the run is over ({self._over}); restart() begins another")

    def _watch(self, what: Callable[[], None], *, ends: bool = False) -> None:
        """Do it; whatever goes wrong ends the run, but for parameters that are refused while it
        goes on."""
        __tracebackhide__ = True
        try:
            what()
        except BaseException as error:
            if ends or not isinstance(error, UsageError):
                self._over = str(error).partition("\n")[0] or type(error).__name__
                self._harness.discard()
            if isinstance(error, CallbackError) and error.step is None:
                error.step = self._steps
            if isinstance(error, (RunError, UsageError)):
                raise error.with_traceback(None)  # noqa: B904 - it is the same, without our frames
            raise

    def _publish(self, output: int, time_ns: int, data: bytes) -> None:
        self.outputs[self.contract.outputs[output].name]._take(time_ns, data)

    def _end(self) -> None:
        __tracebackhide__ = True

        def end() -> None:
            self._durations_ns = self._harness.end()

        self._watch(end, ends=True)
        self._over = "its durations_ns were read"


@contextmanager
def component_under_test(
    implementation: str, harness: Harness, parameters: Mapping[str, Any]
) -> Iterator[ComponentUnderTest]:
    """A running component, whose run ends well with the with-statement or raises RunError."""
    component = ComponentUnderTest(implementation, harness, parameters)
    component.restart()
    try:
        yield component
    finally:
        if not component._over:
            component._end()


def _checked(time_ns: int) -> int:
    try:
        at_ns = operator.index(time_ns)
    except TypeError:
        raise TypeError(f"time_ns is a whole number of nanoseconds, not {time_ns!r}") from None
    if not 0 <= at_ns < 1 << 63:
        raise ValueError(f"time_ns is from 0 to 2^63 - 1, not {at_ns}")
    return at_ns
