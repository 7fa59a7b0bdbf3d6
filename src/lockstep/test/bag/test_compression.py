"""What expands a thousandfold takes no more memory than what is announced."""

import tracemalloc

import numpy as np
import pytest
import zstandard
from lockstep.bag import message_compression
from lockstep.bag.compression import decompress
from lockstep.bag.message_compression import plain
from lockstep.message.batch import Batch

SIZE = 1 << 28


def bomb():
    """A frame of zeros that does not tell how many they are."""
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    block = bytes(1 << 20)
    parts = [compressor.compress(block) for _ in range(SIZE // len(block))]
    return b"".join([*parts, compressor.flush()])


def peak_of(work):
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_chunk_is_unpacked_no_further_than_its_header_says():
    data = bomb()

    def unpack():
        with pytest.raises(ValueError, match=r"."):
            decompress(data, "zstd", 1000)

    assert len(data) * 1000 < SIZE
    assert peak_of(unpack) < 1 << 20


def test_a_message_is_unpacked_no_further_than_a_message_may_be(monkeypatch):
    monkeypatch.setattr(message_compression, "_LARGEST", 1 << 20)
    data = bomb()
    one = np.zeros(1, np.int64)
    buffer = np.frombuffer(data, np.uint8)
    batch = Batch(("/a",), one, one, one, one, buffer, one, np.array([len(data)]))
    told: list[str] = []
    assert peak_of(lambda: list(plain([batch], told.append))) < 1 << 26
    assert told == [f"a message of /a cannot be decompressed (it holds more than {1 << 20} bytes)"]
