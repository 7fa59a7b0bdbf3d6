"""Recording values into a dataset from a running program, without a ROS graph.

A recorder is also a component, whose inputs `add_input` makes: wired to others
(`lockstep.host.wiring`), it records what they publish.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..closing import Closable
from ..component import Component, Input
from ..component.names import HOOKS
from ..errors import DatasetError
from ..message.time import NS_PER_S
from .columns import time_ns
from .dataset import Dataset, Place
from .messages import is_rosidl

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass
class _Input:
    type: type | None
    kept: deque[tuple[int, Any]]
    slot: int | None = None
    counts: dict[str, int] = field(default_factory=lambda: {"recorded": 0, "skipped": 0})


class DataRecorder(Component, Closable):
    """Records values of declared inputs; any number of threads may call `record`.

    `dataset` is a dataset, or a place for a new one; without it values stay in memory. With a ring
    buffer (`keep_last`, `keep_last_s`) only the newest values of each input are kept, in memory,
    until `save` or `close` writes them. Use it in a with-statement.
    """

    @dataclass(frozen=True)
    class Config:
        """How to record.

        `rate_hz`: of each input at most so many values a second, by their timestamps, on an even
        grid (None: all).
        `keep_last`, `keep_last_s`: the ring buffer, in values or seconds of each input.
        `auto_timestamp`: values without a timestamp get the current time; else they are refused.
        `flush_s`: what is written is flushed after so many seconds.
        """

        rate_hz: float | None = None
        keep_last: int | None = None
        keep_last_s: float | None = None
        auto_timestamp: bool = True
        flush_s: float = 1.0

    def __init__(
        self, dataset: Dataset | Place | None = None, config: Config | None = None
    ) -> None:
        self.config = config or DataRecorder.Config()
        for name in ("rate_hz", "keep_last", "keep_last_s"):
            value = getattr(self.config, name)
            if value is not None and not 0 < value < float("inf"):
                raise DatasetError(f"{name} is {value}; give a number above 0, or None")
        self._ring = self.config.keep_last is not None or self.config.keep_last_s is not None
        self._own = not isinstance(dataset, Dataset)
        if isinstance(dataset, Dataset):
            self._target = dataset
        else:
            self._target = Dataset.create("memory" if dataset is None else str(dataset))
        self.inputs = {}
        self._inputs: dict[str, _Input] = {}
        self._lock = threading.Lock()
        self._flushed_s = time.monotonic()
        self._paused = self._closed = False

    @property
    def dataset(self) -> Dataset:
        """What is recorded; with a ring buffer, what is in it now, in memory.

        Reading a bag that is recorded finishes it.
        """
        if not self._ring or self._closed:
            return self._target
        held = Dataset.create()
        self._pour(held)
        return held

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """Of each input, how many values were "recorded" and how many "skipped" by the rate or a
        pause."""
        with self._lock:
            return {name: dict(one.counts) for name, one in self._inputs.items()}

    def add_input(self, name: str, type: type | None = None) -> Self:
        """Declare an input; of values of another `type` than given, `record` raises DatasetError.

        It is in `inputs`, to be wired to the output of another component.
        """
        if name in HOOKS:
            raise DatasetError(
                f"an input cannot be named {name}, for which a component has another use; "
                f"use another name, such as /{name}"
            )
        with self._lock:
            if name in self._inputs:
                raise DatasetError(f"input {name} is declared twice; use another name")
            self._inputs[name] = _Input(type, deque(maxlen=self.config.keep_last))
        port: Input[Any] = Input(type or object)
        self.inputs = {**self.inputs, name: port.of(self, name)}
        setattr(self, f"on_{name}", partial(self._take, name))
        return self

    def record(self, name: str, value: Any, timestamp: Any = None) -> bool:
        """Record a value; True if it is kept, False if the rate or a pause left it out.

        `timestamp` counts from 1970: a float in seconds, an int in ns, or a ROS time. Default: the
        current time.
        """
        if timestamp is None:
            if not self.config.auto_timestamp:
                raise DatasetError(f"a value of {name} has no timestamp; give one")
            timestamp = time.time_ns()
        stamp_ns = _nanoseconds(timestamp, name)
        with self._lock:
            if self._closed:
                raise DatasetError(f"the recorder is closed; {name} cannot be recorded any more")
            to = self._inputs.get(name)
            if to is None:
                declared = ", ".join(self._inputs) or "none"
                raise DatasetError(f"input {name} is not declared ({declared}); call add_input")
            if to.type is not None and not _fits(value, to.type):
                raise DatasetError(
                    f"input {name} takes {to.type.__name__}, not {type(value).__name__}"
                )
            if self._paused or not self._due(to, stamp_ns):
                to.counts["skipped"] += 1
                return False
            if self._ring:
                self._keep(to, stamp_ns, value)
            else:
                self._target.append(name, value, stamp_ns)
                self._flush()
            to.counts["recorded"] += 1
            return True

    def pause(self) -> None:
        """Leave out all values until `resume`."""
        self._paused = True

    def resume(self) -> None:
        """Record again."""
        self._paused = False

    def flush(self) -> None:
        """Hand what is recorded to the operating system or server."""
        with self._lock:
            self._target.flush()

    def save(self, path: Place) -> Dataset:
        """Write what is recorded so far, or in the ring buffer, to another place, and return the
        dataset there."""
        return self.dataset.save(path)

    def close(self) -> None:
        """Write what is in a ring buffer and finish the dataset, unless it was given; a second time
        is harmless."""
        if self._closed:
            return
        if self._ring:
            self._pour(self._target)
        with self._lock:
            self._closed = True
            self._target.flush()
            if self._own:
                self._target.close()

    def _take(self, name: str, value: Any) -> None:
        """Record what comes to a wired input, at the time at which it was published."""
        self.record(name, value, self.now())

    def _due(self, to: _Input, stamp_ns: int) -> bool:
        """Whether the timestamp is the first one in its slot of the grid; time that runs backwards
        starts anew."""
        if self.config.rate_hz is None:
            return True
        slot = int(stamp_ns * self.config.rate_hz // NS_PER_S)
        if slot == to.slot:
            return False
        to.slot = slot
        return True

    def _keep(self, to: _Input, stamp_ns: int, value: Any) -> None:
        to.kept.append((stamp_ns, value))
        if self.config.keep_last_s is not None:
            oldest_ns = stamp_ns - round(self.config.keep_last_s * NS_PER_S)
            while to.kept and to.kept[0][0] < oldest_ns:
                to.kept.popleft()

    def _flush(self) -> None:
        now_s = time.monotonic()
        if now_s - self._flushed_s >= self.config.flush_s:
            self._flushed_s = now_s
            self._target.flush()

    def _pour(self, dataset: Dataset) -> None:
        """Append what the ring buffers hold, by time."""
        with self._lock:
            held = [
                (stamp_ns, number, name, value)
                for name, one in self._inputs.items()
                for number, (stamp_ns, value) in enumerate(one.kept)
            ]
        for stamp_ns, _, name, value in sorted(held, key=lambda item: item[0]):
            dataset.append(name, value, stamp_ns)


def _nanoseconds(timestamp: Any, name: str) -> Any:
    if isinstance(timestamp, (float, np.floating)):
        if not math.isfinite(timestamp):
            raise DatasetError(
                f"{timestamp} is no time for a value of {name}; give seconds as a float, "
                "nanoseconds as an int, or a ROS time"
            )
        whole_s = math.floor(timestamp)  # apart, for today's time in ns is no exact float
        return whole_s * NS_PER_S + round((float(timestamp) - whole_s) * NS_PER_S)
    stamp_ns = time_ns(timestamp)
    return timestamp if stamp_ns is None else stamp_ns


def _fits(value: Any, type: type) -> bool:
    """Whether a value is of a type; a message as a bag is decoded fits the ROS class of its
    type."""
    if isinstance(value, type):
        return True
    if is_rosidl(type) and hasattr(value, "__msgtype__"):
        package, _, name = value.__msgtype__.partition("/msg/")
        return bool(type.__module__.split(".")[0] == package and type.__name__ == name)
    return type is float and isinstance(value, int) and not isinstance(value, bool)
