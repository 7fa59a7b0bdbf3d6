"""Decompression that takes no claim of a file for granted:
zstd and lz4 frames with a limit on what comes out.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import lz4.frame
import zstandard

from . import magic

if TYPE_CHECKING:
    from typing_extensions import Buffer

_STEP = 1 << 20
SMALL_STEP = 1 << 10
"""Bytes of which zstd makes 32 MiB at most."""
DAMAGE = (zstandard.ZstdError, RuntimeError, EOFError, MemoryError, ValueError)
"""What the decompressors raise for damaged data."""


def decompress(data: bytes | memoryview, codec: str, size: int) -> bytes | memoryview:
    """The `size` bytes that were compressed with `codec` ("", "zstd" or "lz4").

    Raises ValueError if the data are damaged, are not `size` bytes, or the codec is another one.
    """
    if codec == "":
        plain: bytes | memoryview = data
    else:
        plain = _codec(codec)(data, size)
    if len(plain) != size:
        raise ValueError(f"{len(plain)} bytes where {size} are announced")
    return plain


def decompress_part(data: bytes | memoryview, codec: str, limit: int) -> bytes:
    """What can be had from the beginning of compressed data that are cut off;
    at most `limit` bytes.
    """
    if codec == "":
        return bytes(data[:limit])
    _codec(codec)
    decompressor = (
        zstandard.ZstdDecompressor().decompressobj()
        if codec == "zstd"
        else lz4.frame.LZ4FrameDecompressor()
    )
    parts: list[bytes] = []
    left = limit
    for start in range(0, len(data), SMALL_STEP):
        try:
            part = decompressor.decompress(bytes(data[start : start + SMALL_STEP]))
        except DAMAGE:
            break
        parts.append(part[:left])
        left -= len(parts[-1])
        if left <= 0 or getattr(decompressor, "eof", False):
            break
    return b"".join(parts)


def decompressed(start: bytes, parts: Iterable[bytes]) -> Iterator[bytes]:
    """What is in a compressed file that begins with `start`, as far as it is whole.

    Where it is damaged, the end is left out, so that a bag in it is seen to be cut off. Of what is
    no bag only the beginning is unpacked: it may be an archive of any size.
    """
    stream = io.BufferedReader(_Stream(iter(parts)), _STEP)
    reader: Any = (
        zstandard.ZstdDecompressor().stream_reader(stream, read_across_frames=True)
        if start == magic.ZSTD
        else lz4.frame.LZ4FrameFile(stream)
    )
    held = b""  # all may have come when a checksum tells that it is wrong
    with suppress(*DAMAGE):
        while part := reader.read(_STEP):
            if not held and not part.startswith(magic.BAGS):
                yield part
                return
            yield held
            held = part
        yield held


class _Stream(io.RawIOBase):
    """Parts as a file that can be read from its beginning to its end."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts = parts
        self._part = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        while not self._part:
            part = next(self._parts, None)
            if part is None:
                return 0
            self._part = memoryview(part)
        view = memoryview(buffer)
        size = min(len(view), len(self._part))
        view[:size] = self._part[:size]
        self._part = self._part[size:]
        return size


def _zstd(data: bytes | memoryview, size: int) -> bytes:
    announced = zstandard.frame_content_size(data)
    if announced not in (-1, size):
        raise ValueError(f"{announced} bytes where {size} are announced")
    try:
        return zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from error


def _lz4(data: bytes | memoryview, size: int) -> bytes:
    try:
        decompressor = lz4.frame.LZ4FrameDecompressor()
        plain = bytes(decompressor.decompress(bytes(data), max_length=size + 1))
    except (RuntimeError, EOFError) as error:
        raise ValueError(str(error)) from error
    return plain


_CODECS: dict[str, Callable[[bytes | memoryview, int], bytes]] = {"zstd": _zstd, "lz4": _lz4}


def _codec(name: str) -> Callable[[bytes | memoryview, int], bytes]:
    if name not in _CODECS:
        raise ValueError(f"compression {name!r} is not known")
    return _CODECS[name]
