"""The thread that compresses and writes what a recording hands it, which no signal interrupts."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from ..errors import BagError

_WAITING = 2  # steps that may wait for the disk, however large they are


class WritingThread:
    """Does steps one after the other.

    What a step raises is raised by one of the next calls, once. Of steps that wait, those beyond
    `cache_bytes` are waited for.
    """

    def __init__(self, cache_bytes: int) -> None:
        self._cache_bytes = cache_bytes
        self._thread = ThreadPoolExecutor(1, "lockstep-bag-writer")
        self._steps: deque[tuple[Future[None], int]] = deque()
        self._told = False

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the steps that are not done."""
        return sum(size for step, size in self._steps if not step.done())

    def submit(self, step: Callable[..., None], *items: Any, size: int = 0) -> None:
        """Have a step done, which writes so many bytes; raises what an earlier one met."""
        self._steps.append((self._thread.submit(step, *items), size))
        while self._steps and (self._is_behind() or self._steps[0][0].done()):
            self._await_oldest()

    def close(self, step: Callable[..., None], *items: Any) -> None:
        """Have a last step done, and wait for all."""
        self._steps.append((self._thread.submit(step, *items), 0))
        try:
            while self._steps and not self._told:
                self._await_oldest()
        finally:
            self._thread.shutdown()

    def _is_behind(self) -> bool:
        return (
            len(self._steps) > _WAITING and sum(size for _, size in self._steps) > self._cache_bytes
        )

    def _await_oldest(self) -> None:
        try:
            self._steps[0][0].result()
        except BagError:
            self._told = True
            raise
        self._steps.popleft()
