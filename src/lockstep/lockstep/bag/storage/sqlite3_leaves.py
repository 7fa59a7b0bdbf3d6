"""The rows of a table straight from the leaf pages of a database
(https://www.sqlite.org/fileformat2.html), whatever has become of the tree that leads to them.

Which table a page is of stands nowhere: rows are known by the kinds of their columns.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

_LEAF = 0x0D
_HEADER_SIZE = 100  # of the file, on its first page
_LARGEST = 1 << 30
_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
_BLOB = 12
DAMAGE = (struct.error, IndexError, ValueError)


def rows_of_leaves(file: BinaryIO, columns: Sequence[str]) -> Iterator[tuple[int, list[Any]]]:
    """The number and the values of each whole row in the file, in the order of its pages.

    `columns` are the kinds of the table's columns, each a letter of "n" (the number of the row,
    which is stored as NULL), "i" (an integer) and "b" (bytes). Rows of other kinds are passed over,
    and those that are not whole.
    """
    head = file.read(_HEADER_SIZE)
    size = int.from_bytes(head[16:18], "big")
    pages = _Pages(file, 1 << 16 if size == 1 else size, head[20])
    for number in range(1, pages.count + 1):
        page = pages.page(number)
        start = _HEADER_SIZE if number == 1 else 0
        if page[start] != _LEAF:
            continue
        (count,) = struct.unpack_from(">H", page, start + 3)
        if start + 8 + 2 * count > len(page):
            continue
        for pointer in struct.unpack_from(f">{count}H", page, start + 8):
            try:
                row, payload = pages.cell(page, pointer)
                values = _values(payload, columns)
            except DAMAGE:
                continue
            if values is not None:
                yield row, values


class _Pages:
    """A file as pages, of each of which `reserved` bytes are not used."""

    def __init__(self, file: BinaryIO, size: int, reserved: int) -> None:
        self._file, self._size, self._usable = file, size, size - reserved
        self.count = file.seek(0, 2) // size

    def page(self, number: int) -> bytes:
        """A page by its number, which counts from 1; raises ValueError beyond the end."""
        if not 1 <= number <= self.count:
            raise ValueError("the file has no such page")
        self._file.seek((number - 1) * self._size)
        return self._file.read(self._size)

    def cell(self, page: bytes, position: int) -> tuple[int, bytes]:
        """The number and the payload of a row; raises one of DAMAGE."""
        size, position = _varint(page, position)
        row, position = _varint(page, position)
        if size > _LARGEST:
            raise ValueError("the row is too large")
        local = self._local(size)
        payload = page[position : position + local]
        if len(payload) < local:
            raise ValueError("the row reaches beyond its page")
        if local == size:
            return _signed(row), payload
        parts, left = [payload], size - local
        (following,) = struct.unpack_from(">I", page, position + local)
        while left > 0:
            overflow = self.page(following)
            (following,) = struct.unpack_from(">I", overflow)
            parts.append(overflow[4 : 4 + min(left, self._usable - 4)])
            left -= len(parts[-1])
        return _signed(row), b"".join(parts)

    def _local(self, size: int) -> int:
        """How many bytes of a payload are on the page itself."""
        most = self._usable - 35
        if size <= most:
            return size
        least = (self._usable - 12) * 32 // 255 - 23
        local = least + (size - least) % (self._usable - 4)
        return local if local <= most else least


def _values(payload: bytes, columns: Sequence[str]) -> list[Any] | None:
    """The values of a row; None if it is of another table."""
    end, position = _varint(payload, 0)
    kinds: list[int] = []
    while position < end:
        kind, position = _varint(payload, position)
        kinds.append(kind)
    if position != end or len(kinds) != len(columns):
        return None
    values: list[Any] = []
    for kind, column in zip(kinds, columns, strict=True):
        if column == "n" and kind == 0:
            values.append(None)
        elif column == "i" and kind in (8, 9):
            values.append(kind - 8)
        elif column == "i" and kind in _INTEGER_SIZES:
            size = _INTEGER_SIZES[kind]
            values.append(int.from_bytes(payload[position : position + size], "big", signed=True))
            position += size
        elif column == "b" and kind >= _BLOB and kind % 2 == 0:
            size = (kind - _BLOB) // 2
            values.append(payload[position : position + size])
            position += size
        else:
            return None
    return values if position == len(payload) else None


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number of 1 to 9 bytes, and where what follows begins."""
    value = 0
    for index in range(9):
        byte = data[position + index]
        if index == 8:
            return value << 8 | byte, position + 9
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("no number")


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
