import re
import shutil
import struct

import numpy as np
import pytest
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.text import text, undecodable
from lockstep.cdr.codec import Codec
from lockstep.dataset import Dataset

MIXED = """\
bool yes
float32 small
float64 large
string word
wstring wide
int8[] numbers
string[] words
pkg/Inner[] inners
builtin_interfaces/Duration age
pkg/Nothing nothing
================================================================================
MSG: pkg/Inner
float32 value
================================================================================
MSG: pkg/Nothing
================================================================================
MSG: builtin_interfaces/Duration
int32 sec
uint32 nanosec
"""


def lines_of(path, *arguments, **options):
    with Bag(path) as bag:
        return list(text(bag, *arguments, **options))


def test_each_field_is_one_line_whatever_is_in_it(tmp_path):
    message = {
        "yes": True,
        "small": 0.1,
        "large": -0.0,
        "word": 'two\nlines "ä"',
        "wide": "𝄞",
        "numbers": list(range(-9, 9)),
        "words": ["", "b"],
        "inners": [{"value": float("nan")}, {"value": 1e-45}],
        "age": {"sec": -1, "nanosec": 500_000_000},
        "nothing": {},
    }
    data = Codec("pkg/msg/Mixed", MIXED).encode(message)
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/mixed", "pkg/msg/Mixed", MIXED)
        writer.write("/mixed", data, 1_500_000_000)
        writer.write("/mixed", data, 2_000_000_001)
    assert lines_of(tmp_path / "bag")[:18] == [
        "# lockstep text 1",
        "# /mixed pkg/msg/Mixed",
        "/mixed 0 t 0.000000000",
        "yes: True",
        "small: 0.1",
        "large: -0.0",
        'word: "two\\nlines \\"\\u00e4\\""',
        'wide: "\\ud834\\udd1e"',
        "numbers[0:16]: -9 -8 -7 -6 -5 -4 -3 -2 -1 0 1 2 3 4 5 6",
        "numbers[16:18]: 7 8",
        'words[0]: ""',
        'words[1]: "b"',
        "inners[0].value: nan",
        "inners[1].value: 1e-45",
        "age: -0.500000000",
        "nothing: empty",
        "/mixed 1 t 0.500000001",
        "yes: True",
    ]


def test_floats_read_back_exactly(bags):
    path = bags / "office_scan_odom_tf"
    with Bag(path) as bag:
        columns = bag.columns("/scan", ["angle_increment", "ranges"])
    found = lines_of(path, ["/scan"])
    increments = [line.split()[1] for line in found if line.startswith("angle_increment:")]
    assert np.array_equal(np.array(increments, np.float32), columns["angle_increment"])
    ranges = [number for line in found if line.startswith("ranges[") for number in line.split()[1:]]
    assert np.array_equal(np.array(ranges, np.float32), np.concatenate(list(columns["ranges"])))


def test_how_topics_are_interleaved_makes_no_difference(tmp_path):
    for name, order in (("one", "aabb"), ("other", "bbaa")):
        with BagWriter(tmp_path / name) as writer:
            for topic in dict.fromkeys(order):
                writer.add_topic(topic, "std_msgs/msg/Int8", "int8 data")
            for tick, topic in enumerate(order):
                writer.write(topic, b"\0\1\0\0" + struct.pack("b", tick % 2), tick)
    one, other = (lines_of(tmp_path / name, times="none") for name in ("one", "other"))
    assert one == other
    assert one[3:5] == ["a 0", "data: 0"]


def test_times_are_those_that_are_asked_for(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/x", "std_msgs/msg/Int8", "int8 data")
        writer.write("/x", b"\0\1\0\0\1", 10**9 + 5, 10**9 - 5)
    heads = [
        lines_of(tmp_path / "bag", **options)[2]
        for options in (
            {},
            {"absolute": True},
            {"times": "publish", "absolute": True},
            {"times": "publish"},
            {"times": "none"},
        )
    ]
    assert heads == [
        "/x 0 t 0.000000000",
        "/x 0 t 1.000000005",
        "/x 0 t 0.999999995",
        "/x 0 t -0.000000010",
        "/x 0",
    ]


def test_what_cannot_be_decoded_is_told_by_its_bytes(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/x", "pkg/X", "?", encoding="protobuf", message_encoding="protobuf")
        writer.write("/x", b"abc", 1)
    assert lines_of(tmp_path / "bag")[1:] == [
        "# /x pkg/X protobuf",
        "/x 0 t 0.000000000",
        "bytes[0:3]: 61 62 63",
    ]
    assert re.search("/x holds messages in 'protobuf'", undecodable(Bag(tmp_path / "bag"))["/x"])


def test_dicts_of_a_dataset_are_lines_too(tmp_path):
    with Dataset.create("mcap", tmp_path / "run") as run:
        run.append("state", {"mode": "idle", "level": 3, "poses": [{"x": 0.1}]}, stamp_ns=1)
    assert lines_of(tmp_path / "run")[3:] == ['mode: "idle"', "level: 3", "poses[0].x: 0.1"]


def test_names_from_a_bag_cannot_break_lines(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/x\n/y 0", "std_msgs/msg/Int8", "int8 data")
        writer.write("/x\n/y 0", b"\0\1\0\0\1", 1)
    assert lines_of(tmp_path / "bag")[1:3] == [
        '# "/x\\n/y 0" std_msgs/msg/Int8',
        '"/x\\n/y 0" 0 t 0.000000000',
    ]


def test_a_bag_that_is_cut_off_is_text_as_far_as_it_is_whole(bags, tmp_path):
    whole = bags / "husky_acceleration/husky_acceleration_0.mcap"
    shutil.copy(whole, tmp_path / "cut.mcap")
    with (tmp_path / "cut.mcap").open("r+b") as stream:
        stream.truncate(whole.stat().st_size // 2)
    found = []
    with pytest.raises(BagError, match=r"cut\.mcap is cut off"), Bag(tmp_path / "cut.mcap") as bag:
        found.extend(text(bag))
    assert found == lines_of(whole)[: len(found)]
    assert len(found) > 1000


def test_a_message_that_is_none_is_named(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/x", "std_msgs/msg/Int32", "int32 data")
        writer.write("/x", b"\0\1\0\0\1\0\0\0", 1)
        writer.write("/x", b"\0\1\0\0\1", 1)
    with pytest.raises(BagError, match="message 1 of /x is no valid std_msgs/msg/Int32"):
        lines_of(tmp_path / "bag")
