"""Which step of a run each message answers, as the acknowledgements of its host tell.

Format: docs/lockstep-protocol.md.
"""

from __future__ import annotations

import numpy as np

from ..bag import Bag, BagError
from ..cdr.message_error import MessageError
from ..errors import CompareError
from ..host.protocol import ACKNOWLEDGEMENT_TOPIC, LOCKSTEP
from ..message.arrays import Int64s
from ..message.batch import Batch

_PATHS = ("topics", "published_topic", "published_step")


class Steps:
    """The steps that the messages of a bag answer, as the batches of its acknowledgements are read.

    Raises CompareError if the bag has none.
    """

    def __init__(self, bag: Bag) -> None:
        self._bag = bag
        if not (
            ACKNOWLEDGEMENT_TOPIC in bag.topics
            and bag.codec(ACKNOWLEDGEMENT_TOPIC).fields().keys() >= set(_PATHS)
        ):
            raise CompareError(
                f"{bag.path} does not tell which step each message answers; record it by a run "
                "with compare: {align: cause} in its verify.yaml, or align by time or tick"
            )
        self._codec = bag.codec(ACKNOWLEDGEMENT_TOPIC)
        self._steps: dict[str, list[Int64s]] = {}
        self._done = 0

    def add(self, batch: Batch) -> None:
        """Take the next acknowledgements."""
        try:
            found = self._codec.columns(batch.buffer, batch.offset, batch.length, _PATHS)
        except MessageError as error:
            raise error.of(ACKNOWLEDGEMENT_TOPIC, self._done + error.tick) from error
        self._done += len(batch)
        topics, published, steps = (list(found[path]) for path in _PATHS)
        count = np.array([len(names) for names in topics])
        entries = np.array([len(numbers) for numbers in published])
        number, step = (np.concatenate(rows).astype(np.int64) for rows in (published, steps))
        if len(number) != len(step) or (number >= np.repeat(count, entries)).any():
            raise BagError(
                f"{self._bag.path} is damaged: an acknowledgement in it does not agree with "
                "itself; record it again"
            )
        name = np.concatenate(topics)[np.repeat(np.cumsum(count) - count, entries) + number]
        for topic in set(name.tolist()):
            self._steps.setdefault(topic, []).append(step[name == topic])

    def of(self, topic: str) -> Int64s:
        """The step that each message of a topic answers, (n,).

        Raises BagError unless there is one for each.
        """
        if topic.startswith(LOCKSTEP):
            raise CompareError(f"{topic} answers no steps; align it by time or tick")
        found = np.concatenate([np.empty(0, np.int64), *self._steps.get(topic, [])])
        count = self._bag.topics[topic].count if topic in self._bag.topics else 0
        if len(found) != count:
            raise BagError(
                f"{self._bag.path} is not whole: its acknowledgements tell of {len(found)} "
                f"messages of {topic}, it holds {count}; record it again"
            )
        return found
