"""Sampling: messages for the inputs of a component, drawn from their distributions, as a dataset or
a bag."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..bag import BagError, BagWriter, Topic
from ..bag.convert import declare
from ..bag.metadata import OfferedQoS
from ..cdr.codec import codec
from ..cdr.column_encoder import ColumnEncoder
from ..component import Component, QoS, component_of
from ..dataset.backends import is_bag
from ..dataset.dataset import Dataset, Place
from ..dataset.form import Encoded
from ..dataset.stored_as import form_of_topic
from ..errors import DistError
from ..message.arrays import Bytes, Int64s
from ..message.batch import Batch
from ..message.definitions import definition, type_hash
from ..message.drawn_columns import Columns, starts
from ..progress import Progress
from ..temporary_folder import TemporaryFolder
from .correlation import Correlations, correlations
from .distribution import Distribution, as_distribution
from .fields import message_name
from .instances import instance
from .limits import MOST
from .plan import Plan
from .random import Random
from .recordings import BagRecordings
from .rule import Recordings
from .ticks import Ticks

"""Messages in one sample."""
_QOS = QoS()
_CHUNK, _CHUNK_BYTES = 4096, 4 << 20
_PROBES = 16
Correlation = Mapping[tuple[str, str], float]


@dataclass(frozen=True)
class SampledInput:
    """An input to draw messages for; without a distribution that of the message type counts."""

    name: str
    topic: str
    message_type: type[Any]
    distribution: Distribution
    qos: QoS = _QOS


def sample(
    component: Any,
    n: int = 10_000,
    seed: int = 0,
    *,
    path: Place | None = None,
    dist: Mapping[str, Any] | None = None,
    correlation: Correlation | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Dataset:
    """Draw `n` messages, of all inputs of a component together, in the order of their times.

    `component` is a Component or a function with @component. `dist` gives other distributions by
    input than it declares. `correlation` is that of fields across inputs, {("a.x", "b.y"): 0.8}, of
    the i-th messages of each; a component may have it as class attribute `data_correlation`. With a
    `path` the messages go straight to a new bag, and memory stays flat (or to another place that a
    Dataset can be saved to); a bag that is there is replaced only with `force`. The same seed gives
    the same bytes.

    Raises DistError for distributions that make no sense, BagError for a bag that cannot be
    written.
    """
    component_class = component_of(
        type(component) if isinstance(component, Component) else component
    )
    if component_class is None:
        raise DistError(
            f"{component!r} is no component; give a Component or a function with @component"
        )
    inputs = inputs_of(component_class, dist)
    if correlation is None:
        correlation = getattr(component_class, "data_correlation", None)
    drawing = Drawing(inputs, n, seed, correlation=correlation)
    if path is None:
        return drawing.to_dataset(progress)
    if not is_bag(os.fspath(path)):
        return drawing.to_dataset(progress).save(path)
    drawing.to_bag(path, force=force, progress=progress)
    return Dataset.load(path)


def inputs_of(
    component: type[Component], dist: Mapping[str, Any] | None = None
) -> list[SampledInput]:
    """The inputs of a component with their distributions, some of them replaced by those in
    `dist`."""
    given = dict(dist or {})
    unknown = given.keys() - component.inputs.keys()
    if unknown:
        raise DistError(
            f"{component.__name__} has no input '{min(unknown)}'; it has "
            f"{', '.join(component.inputs) or 'none'}"
        )
    return [
        SampledInput(
            name,
            port.topic,
            port.message_type,
            as_distribution(given.get(name, {} if port.dist is None else port.dist)),
            port.qos,
        )
        for name, port in component.inputs.items()
    ]


class Drawing:
    """`n` messages of several inputs; checked when it is made, drawn when it is written."""

    def __init__(
        self,
        inputs: Sequence[SampledInput],
        n: int,
        seed: int,
        *,
        correlation: Correlation | None = None,
        recordings: Recordings | None = None,
    ) -> None:
        _check_numbers(n, seed)
        if not inputs:
            raise DistError("the component has no inputs, so there is nothing to draw")
        self.count = n
        found = correlations(correlation or {})
        recordings = recordings or BagRecordings()
        plans = {one.name: Plan(one.distribution, one.message_type, one.name) for one in inputs}
        _check_correlated(found, plans)
        self.streams = [_Stream(one, plans[one.name], seed, found, recordings) for one in inputs]

    @property
    def bytes_expected(self) -> int:
        """About how many bytes all messages have."""
        return round(self.count * max(stream.size for stream in self.streams))

    def to_bag(self, path: Place, *, force: bool = False, progress: Progress | None = None) -> None:
        """Write the messages to a new bag; with `force` in place of one that is there, once all are
        written."""
        if any(stream.encoder is None for stream in self.streams):
            raise DistError(
                "an input is no ROS message, and a bag of its own holds only those; draw without a "
                "path"
            )
        if "://" in os.fspath(path):
            raise BagError(f"{path} cannot be written; draw to a path on this machine")
        place = Path(path)
        if place.exists() and not force:
            raise BagError(
                f"{place} exists already; choose another place or give --force to replace it"
            )
        _check_disk(place, self.bytes_expected)
        with (
            _replacing(place) as temporary,
            BagWriter(temporary, compression="none", timed=False) as writer,
        ):
            for stream in self.streams:
                declare(writer, stream.described, stream.topic)
            done = 0
            for batch in self._batches():
                writer.write_batch(batch)
                done += len(batch)
                if progress is not None:
                    progress(done, self.count)

    def to_dataset(self, progress: Progress | None = None) -> Dataset:
        """The messages in memory."""
        dataset = Dataset.create()
        forms = [
            form_of_topic(stream.described) if stream.encoder else None for stream in self.streams
        ]
        done = 0
        for block in self._blocks():
            for at, row in zip(block.stream.tolist(), block.row.tolist(), strict=True):
                stream, drawn = self.streams[at], block.drawn[at]
                time_ns = int(drawn.time_ns[row])
                form = forms[at]
                value = drawn.values[row] if form is None else Encoded(drawn.payload(row), form)
                dataset.append(stream.topic, value, time_ns)
            done += len(block.stream)
            if progress is not None:
                progress(done, self.count)
        return dataset

    def _batches(self) -> Iterator[Batch]:
        topics = tuple(stream.topic for stream in self.streams)
        counts = np.zeros(len(topics), np.int64)
        for block in self._blocks():
            sizes = np.array([len(drawn.buffer) for drawn in block.drawn])
            begins = starts(sizes)
            time_ns, offset, length, sequence = (
                np.empty(len(block.stream), np.int64) for _ in range(4)
            )
            for at, drawn in enumerate(block.drawn):
                mine = block.stream == at
                rows = block.row[mine]
                time_ns[mine] = drawn.time_ns[rows]
                offset[mine] = drawn.offset[rows] + begins[at]
                length[mine] = drawn.length[rows]
                sequence[mine] = counts[at] + np.arange(len(rows))
                counts[at] += len(rows)
            buffers = [drawn.buffer for drawn in block.drawn]
            buffer = buffers[0] if len(buffers) == 1 else np.concatenate(buffers)
            yield Batch(topics, block.stream, time_ns, time_ns, sequence, buffer, offset, length)

    def _blocks(self) -> Iterator[_Block]:
        """All messages, some at a time, in the order of their times; those of one time in that of
        the inputs."""
        left = self.count
        while left:
            for stream in self.streams:
                stream.fill()
            # Until then, no input has messages that are not drawn yet.
            end_ns = min(stream.last_ns for stream in self.streams)
            rows = [stream.take(end_ns) for stream in self.streams]
            which = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
            row = np.concatenate(rows)
            times = np.concatenate(
                [stream.drawn.time_ns[one] for stream, one in zip(self.streams, rows, strict=True)]
            )
            order = np.argsort(times, kind="stable")[:left]
            left -= len(order)
            yield _Block([stream.drawn for stream in self.streams], which[order], row[order])


@dataclass(frozen=True)
class _Drawn:
    """m messages of one input: CDR, or values of a class that has none."""

    time_ns: Int64s
    buffer: Bytes
    offset: Int64s
    length: Int64s
    values: list[Any]

    def payload(self, row: int) -> bytes:
        begin = int(self.offset[row])
        return self.buffer[begin : begin + int(self.length[row])].tobytes()


@dataclass(frozen=True)
class _Block:
    """Messages of several inputs: of which input each is, and where it is among what was drawn of
    that."""

    drawn: list[_Drawn]
    stream: Int64s
    row: Int64s


class _Stream:
    """The messages of one input, drawn some at a time: always as many, so that a smaller sample
    begins a larger one."""

    def __init__(
        self,
        wanted: SampledInput,
        plan: Plan,
        seed: int,
        correlated: Correlations,
        recordings: Recordings,
    ) -> None:
        self.topic = wanted.topic if wanted.topic.startswith("/") else f"/{wanted.topic}"
        self._type = wanted.message_type
        self._is_ros = hasattr(wanted.message_type, "get_fields_and_field_types")
        self.described = _described(self.topic, wanted)
        self.encoder = (
            ColumnEncoder(codec(self.described.type, self.described.definition))
            if self._is_ros
            else None
        )

        at = plan.at
        self.plan, self._correlated, self._recordings = plan, correlated, recordings
        probe = Random(seed, "probe")
        self._draw = self._source(probe, wanted.name)
        times = at.times(probe.named(wanted.name).named("at"))
        self.size = self._drawn(Ticks(times(_PROBES), at.start_ns))[1]
        self._chunk = int(min(_CHUNK, max(1, _CHUNK_BYTES // max(1, self.size))))
        random = Random(seed, "sample")
        self._draw = self._source(random, wanted.name)
        self._times, self._start_ns = at.times(random.named(wanted.name).named("at")), at.start_ns
        self._taken = 0
        self.drawn = self._none()

    def _source(self, random: Random, name: str) -> Callable[[Ticks], Columns]:
        across = {
            member.partition(".")[2]: self._correlated.stream(member, random)
            for member in self._correlated.members
            if member.partition(".")[0] == name
        }
        return self.plan.source(random.named(name), self._recordings, across)

    @property
    def last_ns(self) -> int:
        """The time of the last message that is drawn."""
        return int(self.drawn.time_ns[-1])

    def fill(self) -> None:
        """Draw more messages if all are taken."""
        if self._taken == len(self.drawn.time_ns):
            ticks = Ticks(self._times(self._chunk), self._start_ns)
            self.drawn, _ = self._drawn(ticks)
            self._taken = 0

    def take(self, end_ns: int) -> Int64s:
        """The rows of the messages up to a time that were not taken yet."""
        begin = self._taken
        self._taken = int(np.searchsorted(self.drawn.time_ns, end_ns, "right"))
        return np.arange(begin, self._taken)

    def _drawn(self, ticks: Ticks) -> tuple[_Drawn, float]:
        """Messages, and how many bytes one has on average."""
        columns = self._draw(ticks)
        if self.encoder is None:
            values = [instance(self._type, columns, row) for row in range(len(ticks))]
            none = self._none()
            return _Drawn(ticks.time_ns, none.buffer, none.offset, none.length, values), 1024.0
        buffer, offset, length = self.encoder.encode(columns, len(ticks))
        size = len(buffer) / max(1, len(ticks))
        return _Drawn(ticks.time_ns, buffer, offset, length, []), size

    def _none(self) -> _Drawn:
        none = np.empty(0, np.int64)
        return _Drawn(none, np.empty(0, np.uint8), none, none, [])


def _described(topic: str, wanted: SampledInput) -> Topic:
    name = message_name(wanted.message_type)
    if not hasattr(wanted.message_type, "get_fields_and_field_types"):
        return Topic(topic, name, "", "")
    qos = OfferedQoS(depth=wanted.qos.depth, durability=wanted.qos.durability)
    return Topic(topic, name, definition(name), "ros2msg", type_hash(name), (qos,))


def _check_numbers(n: Any, seed: Any) -> None:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= MOST:
        raise DistError(f"{n!r} messages cannot be drawn; give a whole number from 1 to {MOST}")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 1 << 64:
        raise DistError(f"{seed!r} is no seed; give a whole number from 0 on, below 2 ** 64")


def _check_correlated(found: Correlations, plans: Mapping[str, Plan]) -> None:
    for member in found.members:
        name, _, field = member.partition(".")
        if name not in plans:
            raise DistError(
                f"'{member}' is correlated, but there is no input '{name}'; write INPUT.FIELD with "
                f"one of {', '.join(plans)}"
            )
        plans[name].check_correlated(field)
        if field in plans[name].distribution.correlations.members:
            raise DistError(
                f"'{field}' of input '{name}' is correlated within its messages and across inputs; "
                "give all in one place"
            )


def _check_disk(place: Path, size: int) -> None:
    there = next(one for one in (place.absolute(), *place.absolute().parents) if one.is_dir())
    free = shutil.disk_usage(there).free
    if size > free:
        raise BagError(
            f"about {size / 1e9:.1f} GB are to be drawn, and there are {free / 1e9:.1f} GB on the "
            f"disk of {place}; draw fewer messages"
        )


@contextmanager
def _replacing(place: Path) -> Iterator[Path]:
    """A path to write a bag to, which then comes to its place, in exchange for a bag that is
    there."""
    is_bag = place.suffix == ".mcap" if place.is_file() else (place / "metadata.yaml").is_file()
    if place.exists() and not is_bag:
        raise BagError(f"{place} is no bag, so it is not replaced; choose another place")
    try:
        place.absolute().parent.mkdir(parents=True, exist_ok=True)
        folder = TemporaryFolder(f".{place.name}-", within=place.absolute().parent)
    except OSError as error:
        raise BagError(f"cannot create {place}: {error.strerror}") from error
    with folder:
        yield folder.path / place.name
        if place.exists():
            place.rename(folder.path / "before")
        (folder.path / place.name).rename(place)
