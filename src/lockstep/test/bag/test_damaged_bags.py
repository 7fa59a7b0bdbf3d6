"""Whatever bytes of a bag are lost or changed: all of its messages, or a sentence that names the
file. Never a crash, never silence.
"""

import functools
import itertools
import json
import os
import random
import sqlite3
import struct
import subprocess
import sys

import lz4.frame
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from judged_bags import (
    CHANNELS,
    CHECKED,
    KINDS,
    MAGIC,
    MESSAGES,
    STRING,
    judge,
    mcap_bag,
    read,
    write_db3,
)
from lockstep.bag import Bag, BagError
from lockstep.bag.output import record
from lockstep.bag.source import open_source
from made_bags import string_cdr
from mcap.records import (
    Chunk,
    Header,
)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small bag of each kind, as bytes."""
    folder = tmp_path_factory.mktemp("small")
    for name, write in KINDS.items():
        write(folder / name)
    return {name: (folder / name).read_bytes() for name in KINDS}


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """What Bag yields of each kind."""
    folder = tmp_path_factory.mktemp("whole")
    found = {}
    for name, data in small.items():
        (folder / name).write_bytes(data)
        found[name] = read(folder / name)
        assert found[name][1] is None
        assert [(m.topic, m.log_time_ns, m.data) for m in found[name][0]] == [
            (topic, time_ns, string_cdr(data)) for topic, time_ns, data in MESSAGES
        ]
    return {name: messages for name, (messages, _) in found.items()}


# cut off


@pytest.mark.parametrize("kind", ["zstd.mcap", "no_summary.mcap", "unchunked.mcap", "lz4.bag"])
def test_a_bag_cut_off_at_any_byte_yields_a_prefix_and_says_so(small, whole, tmp_path, kind):
    path = tmp_path / kind
    most = 0
    padding = range(100, 4090) if kind.endswith(".bag") else ()
    for length in [n for n in range(len(small[kind])) if n not in padding]:
        path.write_bytes(small[kind][:length])
        got, told = read(path)
        assert told is not None and kind in told, length
        assert got == whole[kind][: len(got)], length
        assert len(got) >= most, length
        most = len(got)
    assert most >= len(MESSAGES) - 1


def test_a_database_cut_off_anywhere_yields_messages_that_were_in_it_and_says_so(
    small, whole, tmp_path
):
    data, path = small["x.db3"], tmp_path / "x.db3"
    ends = {*range(0, 100, 9), *range(0, len(data), 512)}
    for length in sorted(ends | {end + 1 for end in ends} | {len(data) - 1}):
        path.write_bytes(data[:length])
        got, told = judge(path)
        assert told is not None and "x.db3" in told, length
        assert set(got) <= set(whole["x.db3"]), length


# changed bytes


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "x.db3"])
def test_a_flipped_byte_is_told_wherever_checksums_are_and_never_loses_a_message_silently(
    small, whole, tmp_path, kind
):
    path, rng = tmp_path / kind, random.Random(0)
    step = 1 if kind in ("zstd.mcap", "no_summary.mcap") else 3
    for position in range(0, len(small[kind]), step):
        bad = bytearray(small[kind])
        bad[position] ^= 1 << rng.randrange(8)
        path.write_bytes(bad)
        got, told = read(path)
        assert told or len(got) == len(MESSAGES), position
        if kind in CHECKED:
            assert told or got == whole[kind], position


def test_nonsense_over_any_part_of_a_bag_without_summary_are_told(small, whole, tmp_path):
    path, data = tmp_path / "x.mcap", small["no_summary.mcap"]
    for start, length in itertools.product(range(8, len(data), 5), (1, 4, 30)):
        for value in (b"\0", b"\x7f"):
            bad = data[:start] + value * length + data[start + length :]
            path.write_bytes(bad[: len(data)])
            got, told = read(path)
            assert told or got == whole["no_summary.mcap"], (start, length)


@pytest.mark.parametrize("kind", KINDS)
def test_random_damage_is_told_or_loses_nothing(small, whole, tmp_path, kind):
    data = small[kind]
    place = st.integers(0, len(data) - 1)
    piece = st.builds(lambda start, size: data[start : start + size], place, st.integers(1, 64))
    noise = st.binary(min_size=1, max_size=16)
    change = st.tuples(place, st.integers(0, 64), piece | noise | st.just(b""))

    @settings(
        max_examples=100,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(st.lists(change, min_size=1, max_size=4))
    def check(changes):
        bad = data
        for start, removed, inserted in changes:
            bad = bad[:start] + inserted + bad[start + removed :]
        path = tmp_path / kind
        path.write_bytes(bad)
        got, told = judge(path)
        if kind in CHECKED:
            assert told or got == whole[kind]

    check()


# sizes that cannot be


def bomb_mcap(path, compression, stored, size):
    """A bag of one chunk, as small as its bomb."""
    chunk = Chunk(
        compression=compression,
        data=stored,
        message_end_time=1,
        message_start_time=0,
        uncompressed_crc=0,
        uncompressed_size=size,
    )
    path.write_bytes(MAGIC + record(Header("ros2", "x")) + record(chunk))


@functools.cache
def zeros(size, announce=True):
    """Zeros as zstd has them, some thousand times smaller."""
    compressor = zstandard.ZstdCompressor(
        write_content_size=announce, compression_params=None, level=1
    ).compressobj(size=size if announce else -1)
    block = bytes(1 << 24)
    parts = [
        compressor.compress(block[: min(len(block), size - start)])
        for start in range(0, size, len(block))
    ]
    return b"".join(parts) + compressor.flush()


def claimed(data, at, width, value):
    return data[:at] + value.to_bytes(width, "little") + data[at + width :]


@pytest.fixture
def liars(small, tmp_path):
    """Small files that claim to hold, or do hold, gigabytes."""
    folder = tmp_path / "liars"
    folder.mkdir()
    bomb_mcap(folder / "true_bomb.mcap", "zstd", zeros(1 << 30), 1 << 30)
    bomb_mcap(folder / "bomb_of_no_size.mcap", "zstd", zeros(1 << 30, announce=False), 100)
    bomb_mcap(folder / "larger_bomb.mcap", "zstd", zeros(1 << 30, announce=False), 1 << 30)
    bomb_mcap(folder / "lz4_bomb.mcap", "lz4", lz4.frame.compress(bytes(1 << 28)), 100)
    bomb_mcap(folder / "cut_bomb.mcap", "zstd", zeros(1 << 30, announce=False), 1 << 30)
    cut = (folder / "cut_bomb.mcap").read_bytes()
    (folder / "cut_bomb.mcap").write_bytes(cut[:-10])
    chunk = small["zstd.mcap"].index(b"\x06", 30)
    for value in (2**31, 2**40, 2**63, 2**64 - 1):
        for name, at in (("record", 1), ("chunk", 9 + 16), ("stored", 9 + 32 + 4)):
            data = claimed(small["zstd.mcap"], chunk + at, 8, value)
            (folder / f"{name}_{value}.mcap").write_bytes(data)
    plain = small["unchunked.mcap"]
    for value in (2**31 - 1, 2**32 - 1):
        for name, word in (("type", STRING.encode()), ("definition", b"string data")):
            data = claimed(plain, plain.index(word) - 4, 4, value)
            (folder / f"{name}_{value}.mcap").write_bytes(data)
        data = claimed(small["x.bag"], small["x.bag"].index(b"size=") + 5, 4, value)
        (folder / f"chunk_{value}.bag").write_bytes(data)
        data = claimed(small["x.bag"], small["x.bag"].index(b"conn_count=") + 11, 4, value)
        (folder / f"connections_{value}.bag").write_bytes(data)
    many = mcap_bag(CHANNELS, [], statistics={1: 2**60})
    (folder / "statistics.mcap").write_bytes(many)
    last = len(small["x.bag"]) - 4  # the count of a connection in the last chunk
    (folder / "counts.bag").write_bytes(claimed(small["x.bag"], last, 4, 2**32 - 1))
    write_db3(folder / "message_bomb.db3")
    with sqlite3.connect(folder / "message_bomb.db3") as database:
        database.execute("UPDATE messages SET data = ? WHERE id = 10", (zeros(1 << 30)[:-10],))
    return folder


READ_WITH_LITTLE = """
import contextlib, json, resource, sys
from lockstep.bag import Bag, BagError
resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20))
told = {}
for path in sys.argv[1:]:
    try:
        with Bag(path) as bag:
            for topic in bag.topics:
                with contextlib.suppress(BagError):
                    bag.columns(topic, ["data"])
            sum(1 for _ in bag.messages(strict=False))
            told[path] = bag.problem
    except BagError as error:
        told[path] = str(error)
print(json.dumps(told))
"""


def test_small_files_that_claim_or_hold_gigabytes_are_told_within_little_memory(liars):
    files = sorted(str(path) for path in liars.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", READ_WITH_LITTLE, *files],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    for path, told in json.loads(done.stdout).items():
        assert told is not None, path
        assert os.path.basename(path) in told
        assert "\n" not in told


def test_of_a_compressed_file_that_is_no_bag_only_the_beginning_is_unpacked(tmp_path):
    for name, data in (
        ("x.mcap.zstd", zeros(1 << 32)),
        ("x.mcap.lz4", lz4.frame.compress(bytes(1 << 26))),
    ):
        (tmp_path / name).write_bytes(data)
        assert open_source(tmp_path / name).size <= 1 << 20
        with pytest.raises(BagError, match=f"{name} is not a bag"):
            Bag(tmp_path / name)


def test_a_tail_of_zeros_as_a_crashed_machine_leaves_it_is_passed_over_at_once(
    small, whole, tmp_path
):
    data = small["no_summary.mcap"]
    path = tmp_path / "x.mcap"
    with path.open("wb") as stream:
        stream.write(data[: data.rindex(b"\x0f" + struct.pack("<Q", 4))])
        stream.truncate(1 << 33)
    got, told = read(path)
    assert "no record at byte" in told
    assert got == whole["no_summary.mcap"]
    with Bag(path) as bag:
        assert list(bag.messages(strict=False)) == whole["no_summary.mcap"]
