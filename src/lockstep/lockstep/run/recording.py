"""What a direct run puts out, written into a bag."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..bag import BagWriter
from ..bag.metadata import OfferedQoS
from ..cdr.codec import codec
from ..component import Contract
from ..host.frames import Frames
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, resolved
from ..message.batch import Batch
from ..message.definitions import definition, type_hash
from ..message.time import NS_PER_S

_ACKNOWLEDGEMENT_TYPE = "lockstep_interfaces/msg/Acknowledgement"


class Recording:
    """Writes outputs in the order in which they were published, logged at the run's time."""

    def __init__(self, writer: BagWriter, contract: Contract, *, with_cause: bool) -> None:
        self._writer = writer
        self._topics = tuple(resolved(port.topic) for port in contract.outputs)
        self._counts = np.zeros(len(self._topics), np.int64)
        for port in contract.outputs:
            qos = OfferedQoS(
                depth=port.qos.depth,
                reliability=port.qos.reliability,
                durability=port.qos.durability,
            )
            described = definition(port.type), type_hash(port.type)
            writer.add_topic(resolved(port.topic), port.type, *described, (qos,))
        self._acknowledge = None
        if with_cause:
            described = definition(_ACKNOWLEDGEMENT_TYPE), type_hash(_ACKNOWLEDGEMENT_TYPE)
            writer.add_topic(ACKNOWLEDGEMENT_TOPIC, _ACKNOWLEDGEMENT_TYPE, *described)
            self._acknowledge = codec(_ACKNOWLEDGEMENT_TYPE, described[0]).encode

    def write(self, blocks: Iterable[Frames], consumed: int) -> None:
        """Append outputs; `consumed` steps were done when they came."""
        for outputs in blocks:
            sequence = np.zeros(len(outputs), np.int64)
            for port in np.unique(outputs.port).tolist():
                its = outputs.port == port
                number = int(np.count_nonzero(its))
                sequence[its] = np.arange(self._counts[port], self._counts[port] + number)
                self._counts[port] += number
            self._writer.write_batch(
                Batch(
                    topics=self._topics,
                    topic=outputs.port,
                    log_time_ns=outputs.time_ns,
                    publish_time_ns=outputs.time_ns,
                    sequence=sequence,
                    buffer=outputs.buffer,
                    offset=outputs.offset,
                    length=outputs.length,
                )
            )
            if self._acknowledge is not None:
                seconds, nanoseconds = np.divmod(outputs.time_ns, NS_PER_S)
                message = {
                    "node": "",
                    "ready": True,
                    "steps": consumed,
                    "topics": list(self._topics),
                    "published_topic": outputs.port.astype(np.uint32),
                    "published_stamp": [
                        {"sec": sec, "nanosec": nanosec}
                        for sec, nanosec in zip(seconds.tolist(), nanoseconds.tolist(), strict=True)
                    ],
                    "published_step": outputs.step.astype(np.uint64),
                    "duration_ns": np.empty(0, np.uint64),
                }
                at_ns = int(outputs.time_ns[-1])
                self._writer.write(ACKNOWLEDGEMENT_TOPIC, self._acknowledge(message), at_ns)
