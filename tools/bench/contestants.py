"""What is measured: one function for each library and kind of work, written as that library's own
documentation does it.

Each imports and prepares what is not measured and returns a Contest. Contestants of a row must find
the same messages and the same numbers in them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from .bags import BagPlan, scratch

Check = tuple[int, float]
"""How many messages or bytes were seen, and the sum of something in them."""


@dataclass(frozen=True)
class Task:
    """A bag of `count` messages on one topic; `paths` are the numeric fields wanted, `probe` the
    one to check."""

    path: Path
    topic: str
    count: int
    paths: tuple[str, ...]
    probe: str
    plan: BagPlan | None
    other: Path | None = None
    """A second bag, to compare with the first."""


class Contest(NamedTuple):
    """`work` is measured, `check` looks at what it returned; `seconds` finds in it the time that
    counts, if not all, `others_cpu_s` the processor time of processes that it has started."""

    work: Callable[[], Any]
    check: Callable[[Any], Check]
    seconds: Callable[[Any], float] | None = None
    others_cpu_s: Callable[[Any], float] | None = None


Contestant = Callable[[Task], Contest]


# raw messages: (count, bytes)


def _counted(result: tuple[int, int]) -> Check:
    return result[0], float(result[1])


def lockstep_raw(task: Task) -> Contest:
    """Bag.messages: one object for each message."""
    from lockstep.bag import Bag

    def work() -> tuple[int, int]:
        count = size = 0
        with Bag(task.path) as bag:
            for message in bag.messages([task.topic]):
                count += 1
                size += len(message.data)
        return count, size

    return Contest(work, _counted)


def lockstep_batches(task: Task) -> Contest:
    """Bag.batches: the same messages as arrays."""
    from lockstep.bag import Bag

    def work() -> tuple[int, int]:
        count = size = 0
        with Bag(task.path) as bag:
            for batch in bag.batches([task.topic]):
                count += len(batch)
                size += int(batch.length.sum())
        return count, size

    return Contest(work, _counted)


def rosbags_raw(task: Task) -> Contest:
    """rosbags.rosbag2.Reader, which AnyReader would only wrap."""
    from rosbags.rosbag2 import Reader

    def work() -> tuple[int, int]:
        count = size = 0
        with Reader(task.path) as reader:
            chosen = [c for c in reader.connections if c.topic == task.topic]
            for _, _, data in reader.messages(chosen):
                count += 1
                size += len(data)
        return count, size

    return Contest(work, _counted)


def mcap_raw(task: Task) -> Contest:
    """The mcap library, in file order, which is its fastest."""
    from mcap.reader import make_reader

    def work() -> tuple[int, int]:
        count = size = 0
        with task.path.open("rb") as stream:
            reader = make_reader(stream)
            for _, _, message in reader.iter_messages([task.topic], log_time_order=False):
                count += 1
                size += len(message.data)
        return count, size

    return Contest(work, _counted)


# columns by path: (messages, sum of the probe)


def _sum_of_column(task: Task, columns: Mapping[str, Any]) -> Check:
    import numpy as np

    column = np.asarray(columns[task.probe])
    return len(column), float(column.sum(dtype=np.float64))


def lockstep_columns(task: Task) -> Contest:
    """Bag.columns."""
    from lockstep.bag import Bag

    def work() -> Mapping[str, Any]:
        with Bag(task.path) as bag:
            return bag.columns(task.topic, list(task.paths))

    return Contest(work, partial(_sum_of_column, task))


def rosbags_columns(task: Task) -> Contest:
    """Deserialize each message and put its fields into arrays, which is faster than to collect
    lists first."""
    from operator import attrgetter

    import numpy as np
    from rosbags.highlevel import AnyReader

    def work() -> Mapping[str, Any]:
        fields = attrgetter(*task.paths)
        columns: list[Any] = []
        with AnyReader([task.path]) as reader:
            chosen = [c for c in reader.connections if c.topic == task.topic]
            messages = reader.messages(connections=chosen)
            for index, (connection, _, data) in enumerate(messages):
                values = fields(reader.deserialize(data, connection.msgtype))
                if not columns:
                    arrays = map(np.asarray, values)
                    columns = [np.empty((task.count, *a.shape), a.dtype) for a in arrays]
                for column, value in zip(columns, values, strict=True):
                    column[index] = value
        return dict(zip(task.paths, columns, strict=True))

    return Contest(work, partial(_sum_of_column, task))


def baglab_columns(task: Task) -> Contest:
    """baglab's C++ backend as baglab calls it; arrays in messages come as lists."""
    from baglab_mcap_backend import BagReader  # type: ignore[import-not-found]

    def work() -> Mapping[str, Any]:
        columns: Mapping[str, Any] = BagReader(str(task.path)).read_topic(task.topic, task.paths)
        return columns

    return Contest(work, partial(_sum_of_column, task))


def roboto_columns(task: Task) -> Contest:
    """roboto's cursor into one Arrow table, whose columns are not converted any further.

    It takes whole messages, because to project the numeric fields of these takes it about twice as
    long.
    """
    import pyarrow
    from mcap_codec import (  # type: ignore[import-not-found]
        TimestampSource,
        TopicName,
        open_mcap_file,
    )

    def work() -> Any:
        with task.path.open("rb", buffering=0) as file:

            def read(offset: int, length: int) -> bytes:
                return os.pread(file.fileno(), length, offset)

            with open_mcap_file(
                read,
                task.path.stat().st_size,
                channel=TopicName(task.topic),
                timestamp=TimestampSource("message_log_time"),
            ) as cursor:
                return cursor.to_record_batch_reader().read_all()

    def check(table: Any) -> Check:
        first, *rest = task.probe.split(".")
        column = table[first].combine_chunks()
        for name in rest:
            column = column.field(name)
        if pyarrow.types.is_nested(column.type):
            column = column.flatten()
        return len(table), float(column.to_numpy().sum(dtype="float64"))

    return Contest(work, check)


# pixels: (bytes, sum of first pixels)


def lockstep_pixels(task: Task) -> Contest:
    """Every image as a view (height, width, channels), one chunk of the bag at a time."""
    from lockstep.bag import Bag
    from lockstep.message.images import IMAGE_FIELDS, pixels

    def work() -> tuple[int, int]:
        size = total = 0
        with Bag(task.path) as bag:
            for columns in bag.stream_columns(task.topic, IMAGE_FIELDS):
                for image in pixels(columns):
                    size += image.nbytes
                    total += int(image[0, 0].sum())
        return size, total

    return Contest(work, _counted)


def rosbags_pixels(task: Task) -> Contest:
    """Every image deserialized, and its data given their shape."""
    from rosbags.highlevel import AnyReader

    def work() -> tuple[int, int]:
        size = total = 0
        with AnyReader([task.path]) as reader:
            for connection, _, data in reader.messages():
                message: Any = reader.deserialize(data, connection.msgtype)
                image = message.data.reshape(message.height, message.width, 3)
                size += image.nbytes
                total += int(image[0, 0].sum())
        return size, total

    return Contest(work, _counted)


def plain_reading(task: Task) -> Contest:
    """The file read through a buffer of 8 MB that is used again; what the disk cache can give."""
    buffer = bytearray(8 << 20)

    def work() -> None:
        with task.path.open("rb", buffering=0) as file:
            while file.readinto(buffer):
                pass

    def check(_: object) -> Check:
        return 0, 0.0

    return Contest(work, check)


# writing: (messages, 0)


@contextmanager
def _new_bag() -> Iterator[Path]:
    """A path for a bag that is deleted afterwards."""
    place = scratch(os.getpid())
    place.mkdir()
    try:
        yield place / "bag"
    finally:
        shutil.rmtree(place)


def _messages(task: Task) -> tuple[BagPlan, list[int], list[bytes]]:
    assert task.plan is not None
    times: list[int] = []
    payloads: list[bytes] = []
    for some, block in task.plan.messages(task.count):
        times += some.tolist()
        payloads += map(bytes, block)
    return task.plan, times, payloads


def _written(count: int) -> Check:
    return count, 0.0


def lockstep_write(task: Task) -> Contest:
    """One BagWriter.write for each message."""
    from lockstep.bag import BagWriter

    plan, times, payloads = _messages(task)
    definition, type_hash = plan.definition, plan.type_hash

    def work() -> int:
        with _new_bag() as path:
            with BagWriter(path, compression=plan.compression) as writer:
                writer.add_topic(plan.topic, plan.type, definition, type_hash)
                for time_ns, payload in zip(times, payloads, strict=True):
                    writer.write(plan.topic, payload, time_ns)
            return sum(writer.counts.values())

    return Contest(work, _written)


def lockstep_write_columns(task: Task) -> Contest:
    """One BagWriter.write_columns for all messages."""
    import numpy as np
    from lockstep.bag import BagWriter

    assert task.plan is not None
    plan = task.plan
    blocks = list(plan.messages(task.count))
    times = np.concatenate([times for times, _ in blocks])
    data = np.concatenate([data for _, data in blocks])
    definition, type_hash = plan.definition, plan.type_hash

    def work() -> int:
        with _new_bag() as path:
            with BagWriter(path, compression=plan.compression) as writer:
                writer.add_topic(plan.topic, plan.type, definition, type_hash)
                writer.write_columns(plan.topic, data, times)
            return sum(writer.counts.values())

    return Contest(work, _written)


def rosbags_write(task: Task) -> Contest:
    """One Writer.write for each message."""
    from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

    plan, times, payloads = _messages(task)
    definition, type_hash = plan.definition, plan.type_hash
    chunks = CompressionMode.STORAGE if plan.compression == "zstd" else CompressionMode.NONE

    def work() -> int:
        with _new_bag() as path:
            writer = Writer(path, version=9, storage_plugin=StoragePlugin.MCAP)
            writer.set_compression(chunks, CompressionFormat.ZSTD)
            with writer:
                connection = writer.add_connection(
                    plan.topic, plan.type, msgdef=definition, rihs01=type_hash
                )
                for time_ns, payload in zip(times, payloads, strict=True):
                    writer.write(connection, time_ns, payload)
            return writer.counts[connection.id]

    return Contest(work, _written)


def mcap_write(task: Task) -> Contest:
    """One add_message for each message; a bare file."""
    from mcap.writer import CompressionType, Writer

    plan, times, payloads = _messages(task)
    definition = plan.definition.encode()
    compression = CompressionType[plan.compression.upper()]

    def work() -> int:
        with _new_bag() as path, path.open("wb") as stream:
            writer: Any = Writer(stream, compression=compression)
            writer.start("ros2", "bench")
            schema = writer.register_schema(plan.type, "ros2msg", definition)
            channel = writer.register_channel(plan.topic, "cdr", schema)
            for time_ns, payload in zip(times, payloads, strict=True):
                writer.add_message(channel, time_ns, payload, time_ns)
            writer.finish()
        return len(payloads)

    return Contest(work, _written)


# comparing: (messages that are aligned, messages that differ)


def lockstep_compare(task: Task) -> Contest:
    """compare() of two bags, with a tolerance that all differences but those of pixels are
    within."""
    from lockstep.compare import compare

    def work() -> Any:
        assert task.other is not None
        return compare(task.path, task.other, tolerance={"*": 1e-6})

    def check(comparison: Any) -> Check:
        keys = comparison.keys.values()
        aligned = sum(key.aligned.count for key in keys)
        return aligned, float(sum(key.judged.differing for key in keys))

    return Contest(work, check)


def lockstep_compare_points(task: Task) -> Contest:
    """compare() of two bags of clouds, with a distance that all points are within."""
    from lockstep.compare import compare

    def work() -> Any:
        assert task.other is not None
        near = {"distance": 2e-3, "reach": 0.1}
        return compare(task.path, task.other, tolerance={"data": near, "data.intensity": 0.1})

    def check(comparison: Any) -> Check:
        (key,) = comparison.keys.values()
        return key.aligned.count, float(key.judged.differing)

    return Contest(work, check)


def lockstep_explain(task: Task) -> Contest:
    """compare() of two bags whose messages all differ: the time in which laws are sought."""
    import time

    import lockstep.compare.why.explain as why
    from lockstep.compare import compare

    explain, seconds = why.explain, []

    def timed(*arguments: Any) -> Any:
        start = time.perf_counter()
        explained = explain(*arguments)
        seconds.append(time.perf_counter() - start)
        return explained

    setattr(why, "explain", timed)  # noqa: B010 - mypy minds another signature

    def work() -> Any:
        assert task.other is not None
        return compare(task.path, task.other)

    def check(comparison: Any) -> Check:
        keys = comparison.keys.values()
        laws = sum(len(key.explained.diagnoses) for key in keys)
        return sum(key.judged.differing for key in keys), float(laws)

    return Contest(work, check, lambda _: sum(seconds))


def read_and_compare(task: Task) -> Contest:
    """Both files read and decompressed chunk by chunk, and their bytes compared: what a comparison
    cannot do without."""
    import zstandard
    from mcap.records import Chunk
    from mcap.stream_reader import StreamReader

    def plain(path: Path) -> Iterator[bytes]:
        with path.open("rb") as stream:
            for record in StreamReader(stream, emit_chunks=True).records:
                if isinstance(record, Chunk):
                    size = record.uncompressed_size
                    yield (
                        zstandard.ZstdDecompressor().decompress(record.data, size)
                        if record.compression
                        else record.data
                    )

    def work() -> int:
        assert task.other is not None
        return sum(a == b for a, b in zip(plain(task.path), plain(task.other), strict=True))

    return Contest(work, lambda _: (0, 0.0))


def rosbags_isclose(task: Task) -> Contest:
    """What one writes without a tool: deserialize both, and numpy.isclose of each field."""
    from operator import attrgetter

    import numpy as np
    from rosbags.highlevel import AnyReader

    def work() -> tuple[int, int]:
        assert task.other is not None
        fields = attrgetter(*task.paths)
        count = wrong = 0
        with AnyReader([task.path]) as a, AnyReader([task.other]) as b:
            pairs = zip(a.messages(), b.messages(), strict=True)
            for (connection, _, data_a), (_, _, data_b) in pairs:
                values_a = fields(a.deserialize(data_a, connection.msgtype))
                values_b = fields(b.deserialize(data_b, connection.msgtype))
                same = all(
                    np.isclose(y, x, rtol=0, atol=1e-6).all()
                    for x, y in zip(values_a, values_b, strict=True)
                )
                count, wrong = count + 1, wrong + (not same)
        return count, wrong

    return Contest(work, _counted)


def pymcap_diff(task: Task) -> Contest:
    """`pymcap-cli diff --compare-payloads`, which finds equal and other payloads and decodes
    nothing."""
    import subprocess
    import sys

    program = Path(sys.executable).with_name("pymcap-cli")

    def work() -> None:
        assert task.other is not None
        command = [str(program), "diff", "--compare-payloads", str(task.path), str(task.other)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise SystemExit(done.stderr.strip() or done.stdout.strip())

    return Contest(work, lambda _: (0, 0.0))


def lockstep_report(task: Task) -> Contest:
    """compare() and the HTML report of two bags."""
    from lockstep.compare import compare
    from lockstep.report.html import write_html

    def work() -> int:
        assert task.other is not None
        comparison = compare(task.path, task.other, tolerance={"*": 1e-12})
        with _new_bag() as path:
            write_html(
                path, {"b vs a": comparison}, {"b vs a": (task.path, task.other)}, title="b vs a"
            )
            return path.stat().st_size

    return Contest(work, lambda size: (0, float(size)))
