"""Columns become the same bytes as their messages one by one."""

import numpy as np
import pytest
from geometry_msgs.msg import Polygon, PoseArray, PoseWithCovarianceStamped, Vector3Stamped
from hypothesis import given, settings
from hypothesis import strategies as st
from lockstep.cdr.codec import codec
from lockstep.cdr.column_encoder import ColumnEncoder
from lockstep.distributions import (
    Array,
    Box,
    Choice,
    Distribution,
    Edges,
    Integers,
    Mixture,
    Text,
    Timestamps,
)
from lockstep.distributions.plan import Plan
from lockstep.distributions.random import Random
from lockstep.distributions.ticks import Ticks
from lockstep.message.definitions import definition
from lockstep.message.drawn_columns import Columns, Drawn, joined, level_of, taken
from lockstep.message.rosidl import type_name
from rcl_interfaces.msg import ParameterDescriptor
from sensor_msgs.msg import BatteryState, Image, Imu, JointState, LaserScan, PointCloud2
from std_msgs.msg import Empty, String
from unique_identifier_msgs.msg import UUID

LINE = "=" * 80
ODD = f"""\
Part[] parts
Part[2] pair
float64[<=3] few
string<=20 label
string[2] names
builtin_interfaces/Time[] times
builtin_interfaces/Duration[2] ages
bool flag
{LINE}
MSG: odd_msgs/Part
uint8 kind
float64[] values
builtin_interfaces/Duration age
{LINE}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
{LINE}
MSG: builtin_interfaces/Duration
int32 sec
uint32 nanosec
"""


def drawn(distribution, message_type, count, seed=0):
    at = Timestamps()
    ticks = Ticks(at.times(Random(seed, "at"))(count), at.start_ns)
    return Plan(distribution, message_type).source(Random(seed, "x"))(ticks)


def payloads(encoder, columns, count):
    buffer, offset, length = encoder.encode(columns, count)
    return [
        buffer[begin : begin + size].tobytes()
        for begin, size in zip(offset.tolist(), length.tolist(), strict=True)
    ]


def one_by_one(encoder, columns, count):
    return [payloads(encoder, taken(columns, np.array([row])), 1)[0] for row in range(count)]


def check(columns, message_codec, count):
    encoder = ColumnEncoder(message_codec)
    found = payloads(encoder, columns, count)
    assert found == one_by_one(encoder, columns, count)
    return [message_codec.decode(data) for data in found]


@pytest.mark.parametrize(
    "message_type",
    [
        *(Vector3Stamped, PoseWithCovarianceStamped, PoseArray, Polygon, Imu, LaserScan, Image),
        *(PointCloud2, JointState, BatteryState, ParameterDescriptor, Empty, String, UUID),
    ],
)
@pytest.mark.parametrize(
    "rule",
    [
        Edges(huge=30),
        Mixture((9, Edges(huge=5)), (1, Edges(huge=7))),
    ],
)
def test_any_message_at_its_edges(message_type, rule):
    name = type_name(message_type)
    columns = drawn(Distribution({"*": rule}), message_type, 200)
    check(columns, codec(name, definition(name)), 200)


def test_equal_strings_and_different_ones_of_one_length():
    texts = {"header.frame_id": Text(length=4), "header.stamp": Timestamps(), "vector": Box(-1, 1)}
    name = "geometry_msgs/msg/Vector3Stamped"
    found = check(
        drawn(Distribution(texts), Vector3Stamped, 300), codec(name, definition(name)), 300
    )
    assert len({message.header.frame_id for message in found}) > 100


def test_arrays_of_messages_of_several_lengths():
    rules = {
        "header": Distribution(stamp=Timestamps(), frame_id=Choice("a", "äöü")),
        "poses": Array(Distribution(Box(-1, 1)), length=Integers(0, 6)),
    }
    name = "geometry_msgs/msg/PoseArray"
    found = check(drawn(Distribution(rules), PoseArray, 400), codec(name, definition(name)), 400)
    assert {len(message.poses) for message in found} == set(range(7))


def odd_columns(random, count) -> Columns:
    """Columns of ODD with arrays in arrays, times in arrays and an array of strings."""
    columns: Columns = {}

    def numbers(size):
        return random.normal(size=size)

    parts = random.integers(0, 3, count)
    columns["parts"] = Drawn(parts)
    total = int(parts.sum())
    columns["parts[].kind"] = Drawn(random.integers(0, 255, total).astype(np.uint8))
    inner = random.integers(0, 4, total)
    columns["parts[].values"] = Drawn(numbers(int(inner.sum())), inner)
    columns["parts[].age"] = Drawn(random.integers(-(10**18), 10**18, total))
    columns["pair"] = Drawn(np.full(count, 2))
    columns["pair[].kind"] = Drawn(random.integers(0, 255, 2 * count).astype(np.uint8))
    inner = np.full(2 * count, 3)
    columns["pair[].values"] = Drawn(numbers(6 * count), inner)
    columns["pair[].age"] = Drawn(random.integers(0, 10**12, 2 * count))
    few = random.integers(0, 4, count)
    columns["few"] = Drawn(numbers(int(few.sum())), few)
    columns["label"] = Drawn(np.array(["é" * n for n in random.integers(0, 5, count)], object))
    names = np.empty((count, 2), object)
    names[:] = [["a" * (n % 3), "b"] for n in range(count)] if count else []
    columns["names"] = Drawn(names)
    times = random.integers(0, 3, count)
    columns["times"] = Drawn(random.integers(0, 10**18, int(times.sum())), times)
    columns["ages"] = Drawn(random.integers(-(10**12), 10**12, (count, 2)))
    columns["flag"] = Drawn(random.integers(0, 2, count).astype(bool))
    return columns


@given(st.integers(0, 2**32), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_arrays_in_arrays(seed, count):
    columns = odd_columns(np.random.default_rng(seed), count)
    check(columns, codec("odd_msgs/msg/Odd", ODD), count)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 19), max_size=30))
@settings(max_examples=30, deadline=None)
def test_messages_are_taken_and_joined_with_all_their_elements(seed, rows):
    columns = odd_columns(np.random.default_rng(seed), 20)
    encoder = ColumnEncoder(codec("odd_msgs/msg/Odd", ODD))
    every = payloads(encoder, columns, 20)
    chosen = taken(columns, np.array(rows, np.int64))
    assert payloads(encoder, chosen, len(rows)) == [every[row] for row in rows]
    twice = joined([columns, chosen])
    assert payloads(encoder, twice, 20 + len(rows)) == every + [every[row] for row in rows]


def test_the_level_of_a_field_is_the_innermost_array_around_it():
    assert [level_of(path) for path in ("a.b", "a", "a[].b", "a[].b.c", "a[].b[].c", "a[]")] == [
        *("", "", "a[]", "a[]", "a[].b[]", "")
    ]
