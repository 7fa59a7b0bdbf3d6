"""The bytes that files begin with, by which it is known what they are."""

from __future__ import annotations

MCAP = b"\x89MCAP0\r\n"
"""Also the end of a file that was closed."""
SQLITE3 = b"SQLite format 3\0"
ROSBAG1 = b"#ROSBAG V"
BAGS = (MCAP, SQLITE3, ROSBAG1)
ZSTD = b"\x28\xb5\x2f\xfd"
LZ4 = b"\x04\x22\x4d\x18"
COMPRESSED = (ZSTD, LZ4)
"""Whole files, and with zstd also single payloads: CDR begins with a 0."""
