"""Golden bags: recorded inputs, and the outputs that an implementation has to give for them."""

from __future__ import annotations

from pathlib import Path

from ..bag import Bag
from ..cdr.codec import installed_codec
from ..cdr.rosidl_messages import RosidlDecoder
from ..compare import diffdiff
from ..compare.tolerance import ToleranceLike, tolerances_of
from ..host.protocol import resolved
from .component_under_test import ComponentUnderTest


def assert_golden(
    component: ComponentUnderTest, folder: Path, tolerance: ToleranceLike = None
) -> None:
    """Send the messages of the bag `inputs` in a folder, and hold what is published against its bag
    `outputs`.

    Fails the test unless each output publishes the same messages at the same times, each field
    within its tolerance.
    """
    __tracebackhide__ = True
    inputs = {resolved(port.topic): port for port in component.contract.inputs}
    with Bag(folder / "inputs") as bag:
        decode = {name: RosidlDecoder(bag.codec(name)) for name in bag.topics}
        for message in bag.messages():
            port = component.inputs[inputs[message.topic].name]
            port.send(decode[message.topic](message.data), time_ns=message.log_time_ns)
    with Bag(folder / "outputs") as bag:
        for described in component.contract.outputs:
            output, topic = component.outputs[described.name], resolved(described.topic)
            expected = list(bag.messages([topic])) if topic in bag.topics else []
            times = [message.log_time_ns for message in expected]
            assert output.times_ns == times, f"{described.name}: other times than in {folder}"
            tolerances = tolerances_of(tolerance).at(described.name)
            wanted = RosidlDecoder(installed_codec(described.type))
            for tick, (message, found) in enumerate(zip(expected, output.messages, strict=True)):
                comparison = diffdiff(wanted(message.data), found, tol=tolerances)
                assert comparison.all_match, f"{topic} {tick} of {folder}: {comparison.summary()}"
