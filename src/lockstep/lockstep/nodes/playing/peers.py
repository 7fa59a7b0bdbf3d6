"""Whom a player waits for before it plays, and what of the graph it tells of meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from rclpy.node import Node

from ...errors import Hang
from .publishers import Publishers

WaitFor = Literal["nobody", "met", "any", "all"]
"""Nobody at all, who is there already, a subscriber of any topic, or one of each."""

PATIENT_S = 1.0
"""What is waited for longer is told."""
_WATCH_S = 1.0
_MEETING_S = 0.5
_CALM_S = 0.3
_LONGEST_MEETING_S = 3.0


class Meeting:
    """Whether all have met that are to meet; `others` says who else is missing."""

    def __init__(
        self,
        publishers: Publishers,
        wait_for: WaitFor,
        others: Callable[[], str | None],
        patience_s: float,
        say: Callable[[str], None],
    ) -> None:
        self._publishers = publishers
        self._wait_for = wait_for
        self._others = others
        self._patience_s = patience_s
        self._say = say
        self._began_s = time.monotonic()
        self._subscriptions = 0
        self._changed_s = self._began_s
        self._told: str | None = None

    def is_over(self) -> bool:
        """Asked again and again; raises Hang after too long, and tells what is missing before."""
        waited_s = time.monotonic() - self._began_s
        if self._wait_for == "met" and not self._is_calm(waited_s):
            return False
        missing = self._missing()
        if missing is None:
            return True
        if waited_s > self._patience_s:
            raise Hang(f"{missing} within {self._patience_s:g} s")
        if waited_s > PATIENT_S and missing != self._told:
            self._told = missing
            self._say(f"note: waiting for {self._patience_s:g} s at most: {missing}")
        return False

    def _is_calm(self, waited_s: float) -> bool:
        """Whether those have been found who are there, as far as anybody can know."""
        now_s = time.monotonic()
        if (subscriptions := self._publishers.subscriptions()) != self._subscriptions:
            self._subscriptions, self._changed_s = subscriptions, now_s
        is_calm = now_s - self._changed_s > _CALM_S and waited_s > _MEETING_S
        return is_calm or waited_s > _LONGEST_MEETING_S

    def _missing(self) -> str | None:
        if self._wait_for == "all" and (name := self._publishers.without_subscriber()):
            return f"no node subscribed to {name}"
        if self._wait_for == "any" and not self._publishers.subscriptions():
            return "no node subscribed to any topic"
        return self._others()


class Watch:
    """Looks about now and then: who gets nothing, and who publishes /clock, too."""

    def __init__(
        self, node: Node, publishers: Publishers, clock: str | None, say: Callable[[str], None]
    ) -> None:
        """`clock` is the topic that only this node should publish."""
        self._node = node
        self._publishers = publishers
        self._clock = clock
        self._say = say
        self._looked_s = 0.0

    def look(self, *, at_last: bool = False) -> None:
        """Cheap to call often; `at_last` looks at once."""
        now_s = time.monotonic()
        if now_s - self._looked_s < _WATCH_S and not at_last:
            return
        self._looked_s = now_s
        self._publishers.tell_incompatible(of_all=at_last)
        if self._clock is not None and self._node.count_publishers(self._clock) > 1:
            self._tell_others(self._clock)

    def _tell_others(self, clock: str) -> None:
        own = (self._node.get_namespace().rstrip("/"), self._node.get_name())
        infos = self._node.get_publishers_info_by_topic(clock)
        nodes = [(info.node_namespace.rstrip("/"), info.node_name) for info in infos]
        if own in nodes:
            nodes.remove(own)
        names = " and ".join(sorted({f"{namespace}/{name}" for namespace, name in nodes}))
        self._say(
            f"note: {names} publishes {clock}, too, so that time jumps between two clocks; "
            "end it, or play with --clock none"
        )
        self._clock = None
