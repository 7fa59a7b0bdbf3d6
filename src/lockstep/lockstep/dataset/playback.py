"""Playing a dataset back in real time, without a ROS graph.

A playback is also a component, whose outputs are the keys of its dataset: wired to others
(`lockstep.host.wiring`), it gives them the values and their time.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..closing import Closable
from ..component import Component, Output
from ..errors import DatasetError
from ..message.time import NS_PER_S
from .dataset import Dataset, Place
from .messages import installed
from .source import Record

if TYPE_CHECKING:
    from typing_extensions import Self

Callback = Callable[[Record], object]


class DataPlayback(Component, Closable):
    """Hands the values of a dataset to callbacks at the times they have.

    Each value has an absolute deadline, counted from the start of playing, so that pacing does not
    drift however long a callback takes: a late value goes out at once, none is left out. Other
    threads may pause, seek, step and stop.
    """

    @dataclass(frozen=True)
    class Config:
        """How to play: `rate` times as fast (`math.inf`: without waiting), `loop` over and over,
        from `start_offset` seconds after the start of the dataset, for `duration` seconds of it,
        only `keys` (None: all), and `paused` at first."""

        rate: float = 1.0
        loop: bool = False
        start_offset: float = 0.0
        duration: float | None = None
        keys: Collection[str] | None = None
        paused: bool = False

    def __init__(self, dataset: Dataset | Place, config: Config | None = None) -> None:
        self.config = config or DataPlayback.Config()
        _check_rate(self.config.rate)
        self._loaded: Dataset | None = None
        if not isinstance(dataset, Dataset):
            dataset = self._loaded = Dataset.load(dataset)
        self._dataset = dataset
        if self.config.keys is not None:
            self._dataset = self._dataset.select(self.config.keys)
        self._origin_ns = self._dataset.start_ns
        self._start_ns = self._origin_ns + round(self.config.start_offset * NS_PER_S)
        self._end_ns = self._dataset.end_ns + 1
        if self.config.duration is not None:
            end_ns = self._start_ns + round(self.config.duration * NS_PER_S)
            self._end_ns = min(self._end_ns, end_ns)
        self.outputs = {key: Output(object).of(self, key) for key in self._dataset}
        self._callbacks: dict[str | None, list[Callback]] = {}
        self._changed = threading.Condition()
        self._rate = self.config.rate
        self._paused = self.config.paused
        self._playing = self._stopped = False
        self._steps = 0
        self._seek_ns: int | None = None
        self._position_ns = self._held_ns = self._start_ns
        self._anchor_ns = self._start_ns
        self._anchor_s = 0.0
        self._latest_s = 0.0

    def close(self) -> None:
        """Close the dataset if it was given as a place."""
        if self._loaded is not None:
            self._loaded.close()

    def on(self, key: str | None, callback: Callback) -> Self:
        """Call `callback(record)` for each value of a key, or of all (None).

        An error in it ends the playing.
        """
        if key is not None and key not in self._dataset:
            listed = ", ".join(sorted(self._dataset)) or "no keys"
            raise DatasetError(f"there is no key {key} to play; there is {listed}")
        self._callbacks.setdefault(key, []).append(callback)
        return self

    @property
    def position_s(self) -> float:
        """Seconds from the start of the dataset to the value that was played last."""
        return (self._position_ns - self._origin_ns) / NS_PER_S

    @property
    def latest_s(self) -> float:
        """By how many seconds the latest value was late."""
        return self._latest_s

    def play_realtime(self, callback: Callback | None = None) -> int:
        """Play until the end, or until `stop`; returns the number of values that were played.

        `callback` gets every value, as if added by `on(None, callback)` for this time only.
        """
        with self._changed:
            if self._playing:
                raise DatasetError("the playback is playing already; stop it first")
            self._playing, self._stopped = True, False
            self._latest_s = 0.0
        try:
            return self._play([callback] if callback is not None else [])
        finally:
            with self._changed:
                self._playing = False
                self._changed.notify_all()

    def pause(self) -> None:
        """Hold still before the next value."""
        with self._changed:
            if not self._paused:
                self._held_ns = self._now_ns()
            self._paused = True
            self._changed.notify_all()

    def resume(self) -> None:
        """Go on from where it was held."""
        with self._changed:
            if self._paused:
                self._paused = False
                self._anchor(self._held_ns)
            self._changed.notify_all()

    def step(self, count: int = 1) -> None:
        """While it is paused, play the next `count` values at once."""
        with self._changed:
            if not self._paused:
                raise DatasetError("only a paused playback can step; call pause first")
            self._steps += count
            self._changed.notify_all()

    def seek(self, offset_s: float) -> None:
        """Go on `offset_s` seconds after the start of the dataset, playing or paused."""
        with self._changed:
            self._seek_ns = self._origin_ns + round(offset_s * NS_PER_S)
            self._changed.notify_all()

    def set_rate(self, rate: float) -> None:
        """Go on `rate` times as fast as recorded."""
        _check_rate(rate)
        with self._changed:
            now_ns = self._held_ns if self._paused else self._now_ns()
            self._rate = rate
            self._anchor(now_ns)
            self._changed.notify_all()

    def stop(self) -> None:
        """End the playing now; `play_realtime` returns as soon as a running callback does."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def _play(self, extra: list[Callback]) -> int:
        played = 0
        start_ns = self._start_ns
        with self._changed:
            self._position_ns = self._held_ns = start_ns
            self._anchor(start_ns)
        while True:
            for record in self._dataset.stored(start_ns, self._end_ns):
                if not self._wait_for(record.stamp_ns):
                    break
                decoded = record.decoded()
                self._publish(decoded)
                for callback in itertools.chain(
                    self._callbacks.get(record.key, ()), self._callbacks.get(None, ()), extra
                ):
                    callback(decoded)
                played += 1
            with self._changed:
                if self._stopped:
                    return played
                if self._seek_ns is not None:
                    start_ns, self._seek_ns = self._seek_ns, None
                    self._position_ns = self._held_ns = start_ns
                    self._anchor(start_ns)
                elif self.config.loop and played:
                    # The next round begins when this one ends, not when it is noticed.
                    if self._rate < math.inf:
                        self._anchor_s += (self._end_ns - self._anchor_ns) / self._rate / NS_PER_S
                    start_ns = self._anchor_ns = self._position_ns = self._start_ns
                    self._held_ns = start_ns
                else:
                    return played

    def _publish(self, record: Record) -> None:
        """Give a value to what is wired to its key; where there is ROS, as a message of ROS."""
        host: Any = getattr(self, "host", None)
        if host is not None:
            host.drive(record.stamp_ns, record.key, installed(record.value))

    def _wait_for(self, stamp_ns: int) -> bool:
        """Wait until a value is due; False if it shall not be played because of a stop or a
        seek."""
        with self._changed:
            while not self._stopped and self._seek_ns is None:
                if self._paused:
                    if self._steps:
                        self._steps -= 1
                        self._position_ns = self._held_ns = stamp_ns
                        return True
                    self._changed.wait()
                    continue
                self._steps = 0
                early_s = self._deadline_s(stamp_ns) - time.monotonic()
                if early_s <= 0:
                    self._position_ns = stamp_ns
                    if self._rate < math.inf:
                        self._latest_s = max(self._latest_s, -early_s)
                    return True
                self._changed.wait(early_s)
            return False

    def _anchor(self, time_ns: int) -> None:
        """From now on, `time_ns` of the dataset is now."""
        self._anchor_ns, self._anchor_s = time_ns, time.monotonic()

    def _deadline_s(self, stamp_ns: int) -> float:
        return self._anchor_s + (stamp_ns - self._anchor_ns) / self._rate / NS_PER_S

    def _now_ns(self) -> int:
        """The time of the dataset that is now."""
        if not self._playing or self._rate == math.inf:
            return self._position_ns
        return self._anchor_ns + round((time.monotonic() - self._anchor_s) * self._rate * NS_PER_S)


def _check_rate(rate: float) -> None:
    if not rate > 0:
        raise DatasetError(f"{rate} is no rate; give a number above 0")
