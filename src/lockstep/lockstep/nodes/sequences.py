"""Messages that did not arrive, told from the publication sequence numbers of those that did."""

from __future__ import annotations

from collections.abc import Callable


class Sequences:
    """The sequence numbers of one topic, whose messages do not say which of its publishers they are
    from."""

    def __init__(self) -> None:
        self._last: list[int] = []
        self.before = 0
        """Messages that publishers had sent before their first one arrived."""

    def lost_before(self, number: int, publishers: Callable[[], int]) -> int:
        """How many messages are missing before this one; `publishers` is asked only where that is
        not plain.

        A number that follows on none is a gap in the series below it, or the first of a publisher
        that is new.
        """
        if number - 1 in self._last:
            self._last[self._last.index(number - 1)] = number
            return 0
        below = [last for last in self._last if last < number]
        if len(self._last) < max(1, publishers()) or not below:
            if self._last and len(self._last) >= publishers():
                self._last.pop(0)  # of a publisher that has gone
            self._last.append(number)
            self.before += number - 1
            return 0
        last = max(below)
        self._last[self._last.index(last)] = number
        return number - last - 1
