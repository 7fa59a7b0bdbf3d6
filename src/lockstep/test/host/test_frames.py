"""Frames of the direct protocol, thousands at a time."""

from dataclasses import replace

import numpy as np
import pytest
from lockstep.errors import RunError
from lockstep.host.frames import FrameError, FrameParser, frame, frames
from lockstep.host.protocol import Kind
from lockstep.message.batch import Batch


def batch_of(payloads: list[bytes]) -> Batch:
    length = np.array([len(payload) for payload in payloads], np.int64)
    none = np.zeros(len(payloads), np.int64)
    return Batch(
        topics=("/a",),
        topic=none,
        log_time_ns=none,
        publish_time_ns=none,
        sequence=none,
        buffer=np.frombuffer(b"".join(payloads), np.uint8),
        offset=np.cumsum(length) - length,
        length=length,
    )


@pytest.mark.parametrize(
    "sizes",
    [[5] * 600, [0, 3, 70_000], [100_000] * 3, [1 << 20], list(range(300))],
    ids=["alike", "one large", "large", "larger", "all others"],
)
def test_many_frames_at_once_are_those_that_come_one_by_one(sizes: list[int]) -> None:
    payloads = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    number = np.arange(len(sizes))
    kind = np.full(len(sizes), int(Kind.INPUT))
    at_once = bytes(frames(kind, number % 7, number, number * 10**9, batch_of(payloads)))
    one_by_one = [
        frame(Kind.INPUT, payload, index % 7, index, index * 10**9)
        for index, payload in enumerate(payloads)
    ]
    assert at_once == b"".join(one_by_one)
    parsed = FrameParser().feed(at_once)
    assert parsed is not None
    assert [parsed.payload(index) for index in range(len(parsed))] == payloads
    assert parsed.step.tolist() == number.tolist()


def test_a_message_that_no_frame_holds_is_refused_before_it_is_copied() -> None:
    batch = replace(batch_of([b"x"]), length=np.array([500_000_000]))
    one = np.ones(1, np.int64)
    with pytest.raises(RunError, match="a message of 500000000 bytes is larger than the 256 MiB"):
        frames(one, one, one, one, batch)


def test_frames_of_one_length_with_others_between_are_all_found() -> None:
    data = b""
    for number in range(700):
        data += frame(Kind.OUTPUT, b"12345678", 1, number)
        if number % 64 == 63 or number < 3:
            data += frame(Kind.DONE, b"87654321", 0, number)
    cut = len(data) - 7
    parser = FrameParser()
    first, rest = parser.feed(data[:cut]), parser.feed(data[cut:])
    assert first is not None and rest is not None
    assert parser.is_empty
    step = [*first.step.tolist(), *rest.step.tolist()]
    assert step == sorted([*range(700), *range(3), *range(63, 700, 64)])


def test_a_frame_that_is_spoilt_is_found_among_many() -> None:
    data = bytearray(b"".join(frame(Kind.OUTPUT, b"x", 1, number) for number in range(500)))
    data[400 * 33 + 9] ^= 1
    with pytest.raises(FrameError, match="no frame of the direct protocol"):
        FrameParser().feed(bytes(data))
