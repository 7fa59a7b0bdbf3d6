import contextlib
import math
import re
import struct
import tracemalloc
from dataclasses import MISSING, fields, is_dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lockstep.bag import Bag, BagError
from lockstep.bag.topic import codec_of
from lockstep.cdr.codec import Codec
from lockstep.cdr.columns import NS_PER_S
from lockstep.cdr.message_error import MessageError
from lockstep.message.primitives import SIZES, STRINGS
from lockstep.message.schema import TIMES
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

CODES = dict(zip(SIZES, "?BBbBhHiIqQfd", strict=True))
PRIMITIVES = [*SIZES, *STRINGS]
FILLER = "uint8 structure_needs_at_least_one_member\n"
SOME = settings(max_examples=100, deadline=None, derandomize=True)


# Random types and messages


@st.composite
def definitions(draw, kinds=PRIMITIVES):
    """The definition of a/msg/T, with types it uses: a/P uses a/Q, both perhaps empty,
    and times.
    """

    def lines(used):
        drawn = []
        for number in range(draw(st.integers(0 if used == ["time"] else 1, 5))):
            kind = draw(st.sampled_from([*kinds, *used * 4]))
            bound = draw(st.sampled_from(["", "", "<=4"])) if kind in STRINGS else ""
            array = draw(st.sampled_from(["", "", "[]", "[1]", "[3]", "[<=3]"]))
            drawn.append(f"{kind}{bound}{array} f{number}\n")
        return "".join(drawn) or FILLER

    texts = {
        "a/P": lines(["Q"]),
        "a/Q": lines(["time"]),
        "builtin_interfaces/Time": "int32 sec\nuint32 nanosec\n",
    }
    return lines(["P", "Q"]) + "".join(
        f"{'=' * 80}\nMSG: {name}\n{text}" for name, text in texts.items()
    )


def values(kind, bound=0, ros=False):
    """Any value of a type, or any that rclpy takes."""
    if kind == "bool":
        return st.booleans()
    if kind.startswith("float"):
        limits = {"min_value": -(2.0**127), "max_value": 2.0**127} if ros else {}
        any_number = st.floats(width=SIZES[kind] * 8, **limits)
        return st.one_of(any_number, st.sampled_from([0.0, -0.0, math.inf, -math.inf, math.nan]))
    if kind in STRINGS:
        letters = st.characters(
            exclude_categories=["Cs"] if ros or kind == "string" else [],
            exclude_characters="\0" if ros else "",
        )
        return st.one_of(st.sampled_from(["", "a", "ab"]), st.text(letters, max_size=bound or 6))
    bits = SIZES[kind] * 8
    signed = kind.startswith("int")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return st.one_of(st.integers(low, high), st.sampled_from([low, high, 0, 1]))


def messages(schema, name=None, ros=False):
    """Any message as a dict."""
    described = schema.types[name or schema.root.name]
    drawn = {}
    for field in described.fields:
        if field.type in schema.types:
            one = messages(schema, field.type, ros)
        else:
            one = values(field.type, field.string_bound, ros)
        if field.array:
            fixed = field.size if field.array == "fixed" else 0
            one = st.lists(one, min_size=fixed, max_size=fixed or field.size or 3)
        drawn[field.name] = one
    return st.fixed_dictionaries(drawn)


@st.composite
def typed_messages(draw, kinds=PRIMITIVES, most=1):
    """A Codec and a list of messages of its type."""
    codec = Codec("a/msg/T", draw(definitions(kinds)))
    return codec, draw(st.lists(messages(codec.schema), min_size=1, max_size=most))


def as_dict(message):
    """A message, ours or of rosbags, as dicts down to its numbers, strings and arrays of them."""
    if isinstance(message, list):
        return [as_dict(one) for one in message]
    if is_dataclass(message):
        names = [one.name for one in fields(message) if one.default is MISSING]  # no constants
        return {name: as_dict(getattr(message, name)) for name in names}
    return message


def plain(value):
    """Messages and arrays as dicts and lists, and floats as text,
    to tell -0 from 0 and take NaN as equal to NaN.
    """
    if isinstance(value, (np.ndarray, list)):
        return [plain(one) for one in value]
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if is_dataclass(value):
        return plain(as_dict(value))
    if isinstance(value, np.generic):
        value = value.item()
    return repr(value) if isinstance(value, float) else value


def written(schema, message, order="<", filler=b"\0"):
    """A message as CDR, value by value: alignment to the size from the start,
    lengths before what has them.
    """
    out = bytearray()

    def number(kind, value):
        out.extend(filler * (-len(out) % SIZES[kind]) + struct.pack(order + CODES[kind], value))

    def one(kind, value):
        if kind == "string":
            raw = value.encode("utf-8", "surrogateescape") + b"\0"
            number("uint32", len(raw))
            out.extend(raw)
        elif kind == "wstring":
            raw = value.encode("utf-16-le", "surrogatepass")
            number("uint32", len(raw) // 2)
            for (unit,) in struct.iter_unpack("<H", raw):
                number("uint32", unit)
        elif kind in SIZES:
            number(kind, value)
        else:
            fields = schema.types[kind].fields
            if not fields:
                out.append(0)
            for field in fields:
                items = value[field.name]
                if field.array == "sequence":
                    number("uint32", len(items))
                for item in items if field.array else [items]:
                    one(field.type, item)

    one(schema.root.name, message)
    return (b"\0\1\0\0" if order == "<" else b"\0\0\0\0") + bytes(out)


# One by one


@SOME
@given(typed_messages())
def test_a_message_survives_a_round_trip(drawn):
    codec, [message] = drawn
    data = codec.encode(message)
    assert data == written(codec.schema, message)
    decoded = codec.decode(data)
    assert plain(decoded) == plain(message)
    assert codec.encode(decoded) == data


@SOME
@given(typed_messages())
def test_big_endian_messages_are_decoded(drawn):
    codec, [message] = drawn
    assert plain(codec.decode(written(codec.schema, message, ">"))) == plain(message)


def test_types_whose_names_are_alike_stay_apart():
    line = "=" * 80
    text = f"b_msg/X x\nb/msg_X y\n{line}\nMSG: b_msg/X\nint8 v\n{line}\nMSG: b/msg_X\nint8 v\n"
    message = Codec("a/msg/T", text).decode(b"\0\1\0\0\1\2")
    assert [message.x.__msgtype__, message.y.__msgtype__] == ["b_msg/msg/X", "b/msg/msg_X"]


@pytest.mark.parametrize(
    ("text", "value", "sentence"),
    [
        ("uint8 x", 256, "'x' must be uint8, not 256"),
        ("uint8 x", -1, "'x' must be uint8, not -1"),
        ("uint8 x", 1.0, "'x' must be uint8, not 1.0"),
        ("bool x", 2, "'x' must be bool, not 2"),
        ("float32 x", 1e39, r"'x' must be float32, not 1e\+39"),
        ("float32[] x", [1e39], r"'x' must be float32\[\], not \[1e\+39\]"),
        ("string x", b"a", "'x' must be string, not b'a'"),
        ("string x", "\ud800", "'x' must be string"),
        ("string<=2 x", "abc", "'x' must be string<=2, and has 3 characters"),
        ("int8[2] x", [1], r"'x' must be int8\[2\], and has 1 elements"),
        ("int8[<=2] x", [1, 2, 3], r"'x' must be int8\[<=2\], and has 3 elements"),
        ("int8[] x", np.array([300]), r"'x' must be int8\[\], not an array of int64"),
        ("int8[] x", np.array([[1]]), r"'x' must be int8\[\], not an array of int64"),
        ("uint8[] x", memoryview(bytes(6)).cast("B", (2, 3)), r"'x' must be uint8\[\]"),
        ("int32[] x", b"abcd", r"'x' must be int32\[\], not b'abcd'"),
        ("string[] x", "ab", r"'x' must be string\[\], not 'ab'"),
    ],
)
def test_what_a_type_does_not_hold_is_not_written(text, value, sentence):
    with pytest.raises(BagError, match=f"^no a/msg/T: {sentence}"):
        Codec("a/msg/T", text).encode({"x": value})


def rosbags_store(codec, definition):
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(definition, codec.type))
    return store


def rosbags_message(store, schema, name, message):
    """A dict as message of rosbags."""
    values = {}
    for field in schema.types[name].fields:
        value = message[field.name]
        if field.type in schema.types:
            items = value if field.array else [value]
            items = [rosbags_message(store, schema, field.type, one) for one in items]
            value = items if field.array else items[0]
        elif field.array and field.type in SIZES:
            value = np.array(value, CODES[field.type])
        values[field.name] = value
    if not values:
        values = {"structure_needs_at_least_one_member": 0}
    return store.types[name](**values)


@SOME
@given(st.data())
def test_rosbags_writes_and_reads_the_same_bytes(data):
    # It does not know wstring, and takes byte as signed.
    kinds = [one for one in PRIMITIVES if one not in ("wstring", "byte")]
    definition = data.draw(definitions(kinds))
    codec = Codec("a/msg/T", definition)
    message = data.draw(messages(codec.schema))
    store = rosbags_store(codec, definition)
    theirs = rosbags_message(store, codec.schema, codec.type, message)
    little = bytes(store.serialize_cdr(theirs, codec.type, little_endian=True))
    big = bytes(store.serialize_cdr(theirs, codec.type, little_endian=False))
    assert codec.encode(theirs) == codec.encode(message) == little
    assert plain(codec.decode(little)) == plain(codec.decode(big)) == plain(message)
    again = store.deserialize_cdr(codec.encode(message), codec.type)
    assert codec.encode(again) == little


ROS_TYPES = [
    "std_msgs/msg/Header",
    "std_msgs/msg/Empty",
    "std_msgs/msg/ByteMultiArray",
    "sensor_msgs/msg/Imu",
    "sensor_msgs/msg/LaserScan",
    "sensor_msgs/msg/PointCloud2",
    "sensor_msgs/msg/Image",
    "sensor_msgs/msg/JointState",
    "sensor_msgs/msg/BatteryState",
    "nav_msgs/msg/Odometry",
    "diagnostic_msgs/msg/DiagnosticArray",
    "rcl_interfaces/msg/ParameterEvent",
    "type_description_interfaces/msg/TypeDescription",
    "test_msgs/msg/WStrings",
    "test_msgs/msg/Arrays",
    "test_msgs/msg/BoundedSequences",
]


def ros_class(name):
    pytest.importorskip("rclpy", reason="compares with the serializer of rclpy")
    package, _, one = name.split("/")
    module = pytest.importorskip(f"{package}.msg", reason=f"{package} is not installed")
    return getattr(module, one)


def same_but_for_padding(schema, message, found, expected):
    """Whether bytes begin as expected where the message has its values."""
    zeros, ones = (written(schema, message, filler=one) for one in (b"\0", b"\1"))
    value = np.frombuffer(zeros, np.uint8) == np.frombuffer(ones, np.uint8)
    begin = np.frombuffer(found, np.uint8)[: len(value)]
    return zeros == expected and bytes(begin[value]) == bytes(np.frombuffer(zeros, np.uint8)[value])


def ros_message(schema, name, message):
    """A dict as message of rclpy, which has bytes of length 1 for `byte`."""
    made = ros_class(name)()
    for field in schema.types[name].fields:
        items = message[field.name] if field.array else [message[field.name]]
        if field.type in schema.types:
            items = [ros_message(schema, field.type, one) for one in items]
        elif field.type == "byte":
            items = [bytes([one]) for one in items]
        setattr(made, field.name, items if field.array else items[0])
    return made


@pytest.mark.parametrize("name", ROS_TYPES)
@settings(SOME, max_examples=20)
@given(data=st.data())
def test_rclpy_writes_and_reads_the_same_bytes(name, data):
    kind = ros_class(name)
    from rclpy.serialization import deserialize_message, serialize_message

    codec = Codec(name, "", "")
    message = data.draw(messages(codec.schema, ros=True))
    theirs = ros_message(codec.schema, name, message)
    ours = codec.encode(message)
    assert codec.encode(theirs) == ours
    # What rclpy leaves between numbers, and behind them, is whatever was in memory there.
    serialized = np.frombuffer(serialize_message(theirs), np.uint8)
    assert same_but_for_padding(codec.schema, message, serialized, ours)
    assert plain(codec.decode(serialized)) == plain(message)
    assert codec.encode(deserialize_message(ours, kind)) == ours


def test_what_serialize_message_leaves_behind_a_message_is_passed_over():
    kind = ros_class("sensor_msgs/msg/JointState")
    from rclpy.serialization import serialize_message

    codec = Codec("sensor_msgs/msg/JointState", "", "")
    data = serialize_message(kind(name=["wheel"], position=[0.5]))
    assert len(data) > len(codec.encode(codec.decode(data))) + 3
    assert codec.decode(data).position == [0.5]
    where = np.frombuffer(data * 2, np.uint8), np.array([0, len(data)]), np.full(2, len(data))
    assert codec.columns(*where, ["position"])["position"].tolist() == [[0.5], [0.5]]


@pytest.mark.parametrize(
    ("text", "values", "most"),
    [
        ("float32[] x", b"\0\0\0\0", 3),
        ("float64[] x", b"\0\0\0\0", 11),
        ("float64[] x", b"\1\0\0\0\0\0\0\0" + bytes(8), 3),
        ("wstring x", b"\0\0\0\0", 11),
        ("string x", b"\1\0\0\0\0", 3),
    ],
)
def test_more_behind_a_message_is_of_another_type(text, values, most):
    codec = Codec("a/msg/T", text)
    data = b"\0\1\0\0" + values
    assert plain(codec.decode(data + bytes(most))) == plain(codec.decode(data))
    with pytest.raises(
        MessageError, match=rf"^is no valid a/msg/T: it has {len(values) + most + 1}"
    ):
        codec.decode(data + bytes(most + 1))


# Real bags


@pytest.mark.parametrize(
    "name",
    [
        "gazebo_diff_drive",
        "husky_acceleration",
        "husky_gps_imu_odom",
        "office_scan_odom_tf",
        "sick_scan_cloud_radar",
        "spot_raw_stills",
    ],
)
def test_every_message_of_a_real_bag_is_read_as_rosbags_reads_it(bags, name):
    with Bag(bags / name) as bag:
        topics = bag.topics
        codecs = {topic.name: codec_of(topic) for topic in topics.values()}
        stores = {
            topic.name: rosbags_store(codecs[topic.name], topic.definition)
            for topic in topics.values()
        }
        for number, message in enumerate(bag.messages()):
            codec = codecs[message.topic]
            decoded = codec.decode(message.data)
            theirs = stores[message.topic].deserialize_cdr(message.data, codec.type)
            again = codec.encode(decoded)
            assert codec.encode(theirs) == again
            assert 0 <= len(message.data) - len(again) < 4
            if not message.data.startswith(again):
                values = as_dict(decoded)
                assert same_but_for_padding(codec.schema, values, message.data, again)
            if number % 100 == 0 and len(again) < 10_000:
                assert plain(decoded) == plain(theirs)


# Columns


def picked(message, path):
    """What a path leads to in a dict."""
    name, index, rest = re.fullmatch(r"(\w+)(?:\[(\d*)\])?(?:\.(.*))?", path).groups()
    value = message[name]
    if index:
        value = value[int(index)]
    return (
        [_further(one, rest) for one in value] if isinstance(value, list) else _further(value, rest)
    )


def _further(value, rest):
    if rest:
        return picked(value, rest)
    if isinstance(value, dict):
        return value["sec"] * NS_PER_S + value["nanosec"]
    return value


def paths(schema, described, prefix=""):
    """All paths of a type; of arrays all elements, the first, and one that is not always there."""
    for field in described.fields:
        for suffix in ["[]", "[0]", "[2]"] if field.array else [""]:
            path = f"{prefix}{field.name}{suffix}"
            if 0 < field.size < 3 and suffix == "[2]":
                continue
            inner = schema.types.get(field.type)
            if inner is None or inner.name in TIMES:
                yield path, np.dtype(CODES.get(field.type, object) if inner is None else "q")
            if inner is not None:
                yield from paths(schema, inner, f"{path}.")


def is_there(message, path):
    try:
        picked(message, path)
    except IndexError:
        return False
    return True


def shape(value):
    """The shape of nested lists; None if they are ragged or empty."""
    if not isinstance(value, list):
        return ()
    inner = {shape(one) for one in value}
    return (len(value), *inner.pop()) if len(inner) == 1 and None not in inner else None


@st.composite
def recordings(draw):
    """A Codec, dicts, and a buffer with their messages in any order, of any byte order,
    with gaps.
    """
    codec, kinds = draw(typed_messages(most=6))
    encoded = [written(codec.schema, message, draw(st.sampled_from("<<>"))) for message in kinds]
    chosen = draw(st.lists(st.integers(0, len(kinds) - 1), min_size=1, max_size=24))
    if draw(st.booleans()):
        chosen.sort()
    gap = draw(st.sampled_from([0, 1, 5]))
    ragged = draw(st.booleans())
    buffer, places = bytearray(b"\xff" * gap), []
    for number, one in enumerate(chosen):
        places.append((len(buffer), len(encoded[one])))
        buffer += encoded[one] + b"\xff" * (gap + number % 3 * ragged)
    if draw(st.booleans()):
        chosen, places = chosen[::-1], places[::-1]
    offset, length = np.array(places, np.int64).T
    return (
        codec,
        [kinds[one] for one in chosen],
        np.frombuffer(bytes(buffer), np.uint8),
        offset,
        length,
    )


def check_columns(columns, kinds, found, dicts):
    for path in columns:
        expected = [picked(message, path) for message in dicts]
        assert plain(found[path]) == plain(expected), path
        regular = shape(expected)
        if regular is not None:
            assert (found[path].shape, found[path].dtype) == (regular, kinds[path])


@settings(SOME, max_examples=200)
@given(recordings(), st.data())
def test_columns_are_what_decoding_one_by_one_gives(recording, data):
    codec, dicts, *where = recording
    kinds = dict(paths(codec.schema, codec.schema.root))
    everywhere = [path for path in kinds if all(is_there(one, path) for one in dicts)]
    check_columns(everywhere, kinds, codec.columns(*where, everywhere), dicts)
    if everywhere:
        few = data.draw(st.lists(st.sampled_from(everywhere), max_size=3, unique=True))
        check_columns(few, kinds, codec.columns(*where, few), dicts)
    for path in kinds.keys() - everywhere:
        with pytest.raises(MessageError, match=r"^has no '.*\[\d\]': it has \d of"):
            codec.columns(*where, [path])


TREE = f"""\
Branch[] branches
{"=" * 80}
MSG: a/Branch
Leaf[] leaves
string[] names
{"=" * 80}
MSG: a/Leaf
float64[] x
string[] s
bool b
"""


@pytest.mark.parametrize(
    "leaves",
    [[], [{"x": [], "s": [], "b": True}], [{"x": [1.5, 2.0], "s": ["", "é"], "b": False}] * 2],
)
def test_paths_may_choose_elements_at_any_level(leaves):
    codec = Codec("a/msg/T", TREE)
    dicts = [
        {"branches": [{"leaves": leaves, "names": names}, {"leaves": [], "names": ["", ""]}]}
        for names in (["a", "b"], ["", "longer"], ["a", "b"])
    ]
    payloads = [codec.encode(one) for one in dicts]
    length = np.array([len(one) for one in payloads])
    where = np.frombuffer(b"".join(payloads), np.uint8), np.cumsum(length) - length, length
    kinds = dict(paths(codec.schema, codec.schema.root))
    there = [path for path in kinds if all(is_there(one, path) for one in dicts)]
    for chosen in [there, *([path] for path in there)]:
        check_columns(chosen, kinds, codec.columns(*where, chosen), dicts)


def test_the_tick_of_a_message_that_is_not_valid_is_told():
    codec = Codec("a/msg/T", "wstring s\nstring t")
    payloads = [bytearray(codec.encode({"s": "ab", "t": "x" * (one % 2)})) for one in range(30)]
    payloads[17][11] = 1  # of the highest byte of a character
    length = np.array([len(one) for one in payloads])
    where = np.frombuffer(b"".join(payloads), np.uint8), np.cumsum(length) - length, length
    with pytest.raises(
        MessageError, match="a wstring has a character that is not UTF-16"
    ) as caught:
        codec.columns(*where, ["s"])
    assert caught.value.tick == 17


def spellings(text):
    """A string, or a wstring of either byte order, as bytes."""
    units = np.frombuffer(text.encode("utf-16-le", "surrogatepass"), "<u2")
    wide = [units.astype(kind).tobytes() for kind in ("<u4", ">u4")]
    with contextlib.suppress(UnicodeEncodeError):
        return [text.encode("utf-8"), *wide]
    return wide


@SOME
@given(recordings())
def test_groups_are_what_decoding_one_by_one_gives(recording):
    codec, dicts, *where = recording
    seen = []
    for indices, view in codec.groups(*where):
        seen.extend(indices.tolist())
        if view is None:
            continue
        for index, row in zip(indices.tolist(), view, strict=True):
            for path in view.dtype.names:
                expected = picked(dicts[index], path)
                if isinstance(expected, str):
                    assert bytes(row[path]) in spellings(expected), path
                else:
                    assert plain(row[path]) == plain(expected), path
    assert sorted(seen) == list(range(len(dicts)))


def test_groups_of_messages_that_lie_evenly_are_views():
    codec = Codec("a/msg/T", "float64 x\nstring s")
    data = np.frombuffer(codec.encode({"x": 1.5, "s": "abc"}) * 20, np.uint8)
    size = len(data) // 20
    [(_, view)] = codec.groups(data, np.arange(20) * size, np.full(20, size))
    assert np.shares_memory(view, data)
    assert view["x"].tolist() == [1.5] * 20
    assert [bytes(one) for one in view["s"]] == [b"abc"] * 20


def test_long_arrays_become_columns_without_a_copy():
    codec = Codec("a/msg/T", "uint8 before\nfloat32[] x")
    data = np.frombuffer(codec.encode({"before": 1, "x": np.arange(50_000)}) * 4, np.uint8)
    size = len(data) // 4
    found = codec.columns(data, np.arange(4) * size, np.full(4, size), ["x"])["x"]
    assert found.shape == (4, 50_000)
    assert np.shares_memory(found, data)


# Whatever a file may hold


def outcome(read):
    try:
        return read()
    except MessageError as error:
        assert "\n" not in str(error)
        return MessageError


def all_columns(codec, data):
    whole = [
        path for path, _ in paths(codec.schema, codec.schema.root) if not re.search(r"\[\d", path)
    ]
    where = np.frombuffer(data, np.uint8), np.zeros(1, np.int64), np.array([len(data)])
    return {path: plain(one[0]) for path, one in codec.columns(*where, whole).items()}


@settings(SOME, max_examples=150)
@given(typed_messages(), st.data())
def test_damaged_messages_are_read_alike_or_refused(drawn, data):
    codec, [message] = drawn
    damaged = bytearray(written(codec.schema, message, data.draw(st.sampled_from("<>"))))
    bytes_ = st.sampled_from([0, 1, 2, 127, 128, 255])
    for position, value in data.draw(
        st.lists(st.tuples(st.integers(0, len(damaged) - 1), bytes_), max_size=4)
    ):
        damaged[position] = value
    if data.draw(st.booleans()):
        damaged = damaged[: data.draw(st.integers(0, len(damaged)))]
    damaged += bytes(data.draw(st.integers(0, 5)))
    damaged = bytes(damaged)

    decoded = outcome(lambda: codec.decode(damaged))
    columns = outcome(lambda: all_columns(codec, damaged))
    if decoded is MessageError:
        assert columns is MessageError
    else:
        values = plain(decoded)
        assert columns == {path: plain(picked(values, path)) for path in columns}
    where = np.frombuffer(damaged, np.uint8), np.zeros(1, np.int64), np.array([len(damaged)])
    outcome(lambda: [plain(view) for _, view in codec.groups(*where) if view is not None])


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    "field",
    [
        *(f"{kind}[]" for kind in PRIMITIVES),
        "string",
        "wstring",
        *(f"{kind}[]" for kind in ("Empty", "Fixed", "Text", "Deep")),
    ],
)
def test_a_length_of_gigabytes_takes_no_memory(field, order):
    types = {"Empty": "", "Fixed": "int8 x", "Text": "string x", "Deep": "Fixed[] x"}
    codec = Codec(
        "a/msg/T",
        f"{field} many\n"
        + "".join(f"{'=' * 80}\nMSG: a/{name}\n{text}\n" for name, text in types.items()),
    )
    head = b"\0\1\0\0" if order == "<" else b"\0\0\0\0"
    [path, *_] = codec.fields() or ["many"]
    for claimed in (0xFFFFFFFF, 0x7FFFFFFF, 0x10000000):
        data = head + struct.pack(f"{order}I", claimed) + bytes(64)
        where = np.frombuffer(data, np.uint8), np.zeros(1, np.int64), np.array([len(data)])
        for read in (
            lambda data=data: codec.decode(data),
            lambda where=where: codec.columns(*where, [path] if codec.fields() else []),
            lambda where=where: list(codec.groups(*where)),
        ):
            outcome(read)  # compiles
            tracemalloc.start()
            assert outcome(read) is MessageError
            assert tracemalloc.get_traced_memory()[1] < 100_000
            tracemalloc.stop()


@pytest.mark.parametrize("kind", ["string", "Empty", "Fixed", "wstring"])
def test_a_fixed_array_of_gigabytes_is_refused_for_what_is_there(kind):
    text = f"{kind}[200000000] x\n{'=' * 80}\nMSG: a/Empty\n{'=' * 80}\nMSG: a/Fixed\nint8 x"
    codec = Codec("a/msg/T", text)
    assert outcome(lambda: codec.decode(b"\0\1\0\0" + bytes(100))) is MessageError
