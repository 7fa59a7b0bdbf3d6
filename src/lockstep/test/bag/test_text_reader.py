import re

import pytest
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.text import text
from lockstep.bag.text_reader import read_text
from lockstep.cdr.codec import codec
from lockstep.compare import CompareError, compare

HEAD = "# lockstep text 1\n# /x pkg/msg/X\n"
DEFINITION = f"""\
bool on
float64 x
string name
int16[] few
float32[2] pair
string[] words
pkg/Y[] ys
builtin_interfaces/Time stamp
{"=" * 80}
MSG: pkg/Y
uint8 v
{"=" * 80}
MSG: builtin_interfaces/Time
int32 sec
uint32 nanosec
"""


def known(type_name):
    assert type_name == "pkg/msg/X"
    return DEFINITION, "ros2msg", ""


def read(tmp_path, body, head=HEAD):
    (tmp_path / "bag.txt").write_text(head + body, "utf-8")
    read_text(tmp_path / "bag.txt", tmp_path / "bag", known)
    return Bag(tmp_path / "bag")


@pytest.mark.parametrize(
    "name", ["office_scan_odom_tf", "sick_scan_cloud_radar", "gazebo_diff_drive", "spot_raw_stills"]
)
def test_the_text_of_a_real_bag_is_that_bag_again(bags, tmp_path, name):
    with Bag(bags / name) as bag:
        names = [t.name for t in bag.topics.values() if t.count][:3]
        by_type = {t.type: (t.definition, t.encoding, t.type_hash) for t in bag.topics.values()}
        lines = list(text(bag, names, absolute=True))
        (tmp_path / "bag.txt").write_text("\n".join(lines[:60_000]), "utf-8")
        read_text(tmp_path / "bag.txt", tmp_path / "again", by_type.__getitem__)
        with Bag(tmp_path / "again") as again:
            assert list(text(again, names, absolute=True))[: len(lines[:59_000])] == lines[:59_000]


def test_a_hand_written_text_needs_only_what_matters(tmp_path):
    bag = read(
        tmp_path,
        "\n# a comment\n/x 0\nx: 1.5\nname: plain words\nfew: 1 2 -3\nys[1].v: 0x10\nstamp: 1.5\n"
        '/x 1\non: true\nwords[0]: "a"\npair[1]: 2\n',
    )
    decode = bag.codec("/x").decode
    first, second = (decode(message.data) for message in bag.messages())
    assert (first.x, first.name, first.few.tolist()) == (1.5, "plain words", [1, 2, -3])
    assert [y.v for y in first.ys] == [0, 16]
    assert (first.stamp.sec, first.stamp.nanosec) == (1, 500_000_000)
    assert (second.on, second.words, second.pair.tolist()) == (True, ["a"], [0, 2])
    assert bag.times("/x").tolist() == [0, 10**9]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("/x 0\nz: 1\n", r":3: 'z' is not in pkg/msg/X, which has on, x, name"),
        ("/x 0\nx: one\n", r":3: 'x: one' is no float64"),
        ("/x 0\nx.y: 1\n", r":3: 'x' is a float64 and has no fields"),
        ("/x 0\nys: 3\n", r":3: 'ys\[0\]' is a pkg/msg/Y; give its fields"),
        ("/x 0\nx: 1\nx.y: 1\n", r":5: 'x.y' is below a field that has a value already"),
        ("/x 0\nx: 1\nx: 2\n", r":5: 'x' is given twice"),
        ("/x 0\nfew[0:2]: 1 2\nfew[0:2]: 1 2\n", r":5: 'few\[0:2\]' is given twice"),
        ("/x 0\npair[2]: 1\n", r":3: 'pair' has only 2 elements"),
        ("/x 0\nfew: 40000\n", r":3: no pkg/msg/X: "),
        ('/x 0\nwords[999999999999]: ""\n', r":4: index 999999999999 is too large"),
        ("/y 0\n", r":3: topic /y is not in the head, which has /x"),
        ("x: 1\n", r":3: this is neither 'TOPIC TICK t SECONDS' nor 'field: value'"),
        ("/x 0\nwhat is this\n", r":4: this is neither"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path, body, sentence):
    with pytest.raises(BagError, match=sentence):
        read(tmp_path, body)


def written(tmp_path, side, **changed):
    """The printed text of two messages of a type that no package has."""
    value = {
        "on": True,
        "x": 0.1,
        "name": "a b",
        "few": [1, 2, 3],
        "pair": [1.5, float("nan")],
        "words": ["a", "1.0"],
        "ys": [{"v": 1}, {"v": 2}],
        "stamp": {"sec": 1_700_000_000, "nanosec": 5},
    }
    compiled = codec("pkg/msg/X", DEFINITION)
    with BagWriter(tmp_path / side) as writer:
        writer.add_topic("/x", "pkg/msg/X", DEFINITION)
        writer.write("/x", bytes(compiled.encode(value)), 0)
        writer.write("/x", bytes(compiled.encode(value | changed)), 10**9)
    with Bag(tmp_path / side) as bag:
        (tmp_path / f"{side}.txt").write_text("\n".join(text(bag)) + "\n", "utf-8")
    return tmp_path / f"{side}.txt"


@pytest.mark.parametrize(
    ("changed", "tolerance", "wrong"),
    [
        ({}, None, ""),
        ({"on": False}, None, "on is False, expected True"),
        ({"x": 0.2}, None, "x is 0.2, expected 0.1"),
        ({"x": 0.2}, {"x": 0.2}, ""),
        ({"name": "a c"}, None, "name is 'a c', expected 'a b'"),
        ({"few": [1, 2, 4]}, None, "few[2] is 4, expected 3"),
        ({"few": []}, None, "few"),
        ({"pair": [1.5, 2.0]}, None, "pair[1] is 2.0, expected nan"),
        ({"words": ["a", "2.0"]}, None, "words[1] is '2.0', expected '1.0'"),
        ({"ys": [{"v": 1}, {"v": 3}]}, None, "ys[1].v is 3, expected 2"),
        ({"ys": [{"v": 1}, {"v": 3}]}, {"ys.v": 1}, ""),
        ({"stamp": {"sec": 1_700_000_000, "nanosec": 6}}, None, "stamp"),
    ],
)
def test_two_texts_of_a_type_that_nobody_knows_are_compared_by_their_fields(
    tmp_path, changed, tolerance, wrong
):
    a, b = written(tmp_path, "a"), written(tmp_path, "b", **changed)
    found = compare(a, b, tolerance=tolerance)
    key = found.keys["/x"]
    assert (found.all_match, key.judged.differing, key.samples) == (not wrong, bool(wrong), 2)
    assert wrong in found.summary()
    assert compare(tmp_path / "a", b, tolerance=tolerance).all_match == (not wrong)


def test_a_tolerance_that_no_text_has_a_field_for_is_refused(tmp_path):
    with pytest.raises(CompareError, match="'z' matches no field; the fields are few, name, on"):
        compare(written(tmp_path, "a"), written(tmp_path, "b"), tolerance={"z": 1.0})


def test_a_text_is_a_side_of_a_comparison(bags, tmp_path):
    path = bags / "husky_acceleration"
    with Bag(path) as bag:
        lines = list(text(bag))[: 2 + 6 * 100]
    expected = tmp_path / "expected.txt"
    expected.write_text("\n".join(lines) + "\n", "utf-8")
    comparison = compare(expected, path)
    key = comparison.keys["/imu/acceleration"]
    assert (key.aligned.by, key.aligned.count, key.judged.differing, len(key.aligned.only_b)) == (
        "stamp",
        100,
        0,
        2900,
    )
    lines[7] = "vector.z: 9.0"
    expected.write_text("\n".join(lines) + "\n", "utf-8")
    key = compare(expected, path).keys["/imu/acceleration"]
    assert key.judged.differing == 1
    assert key.judged.first.fields[0].field == "vector.z"
    assert compare(expected, expected).grade == "identical bytes"


def test_the_text_of_what_cannot_be_decoded_is_that_bag_again(tmp_path):
    values = [
        b'{"level":1,"a b":[{"x.y":null},[],{}],"data: ":"/state 1","n":[NaN,true,1e300]}',
        b'[1,[2.5,"\\u20ac"],{"[0]":-0.0}]',
        b"5",
        b"{}",
    ]
    opaque = [b"", b"\0\1\0\0\x07", bytes(range(256))]
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/state", "", "", encoding="", message_encoding="json")
        writer.add_topic("/secret", "shop_msgs/msg/Secret", "")
        writer.add_topic("/clipped", "shop_msgs/msg/Clipped", "shop_msgs/Missing x")
        writer.add_topic("/proto", "shop.X", "", encoding="", message_encoding="protobuf")
        writer.add_topic("/x", "std_msgs/msg/Int8", "int8 data")
        for tick, value in enumerate(values):
            writer.write("/state", value, tick * 10**9)
        for tick, data in enumerate(opaque):
            writer.write("/proto", data, tick * 10**9)
            writer.write("/secret", b"\0\1\0\0" + data, tick * 10**9)
            writer.write("/clipped", b"\0\1\0\0" + data, tick * 10**9)
            writer.write("/x", b"\0\1\0\0\1", tick * 10**9)
    printed, again = tmp_path / "bag.txt", tmp_path / "again.txt"
    with Bag(tmp_path / "bag") as bag:
        lines = list(text(bag, absolute=True))
        payloads = {t: [bytes(m.data) for m in bag.messages([t])] for t in ("/proto", "/secret")}
    printed.write_text("\n".join(lines) + "\n", "utf-8")
    again.write_text("\n".join(lines[:-1]) + "\ndata: 2\n", "utf-8")
    read_text(printed, tmp_path / "read", lambda name: ("int8 data", "ros2msg", ""))
    with Bag(tmp_path / "read") as bag:
        assert list(text(bag, absolute=True)) == lines
        for topic, expected in payloads.items():
            assert [bytes(m.data) for m in bag.messages([topic])] == expected
    assert compare(printed, tmp_path / "bag").all_match
    assert compare(tmp_path / "bag", printed).all_match
    assert compare(printed, printed).all_match
    assert not compare(printed, again).all_match


@pytest.mark.parametrize(
    ("head", "body", "sentence"),
    [
        ("json", "level: one", "'level: one' is no JSON"),
        ("json", "a: 1\na.b: 2", "'a.b' is below a field that has a value already"),
        ("json", "a: 1\na: 2", "'a' is given twice"),
        ("protobuf", "bytes[0:1]: xy", "give them as 'bytes"),
        ("protobuf", "data: 1", "give them as 'bytes"),
    ],
)
def test_bytes_and_json_that_are_none_are_told_by_line(tmp_path, head, body, sentence):
    with pytest.raises(BagError, match=f"bag.txt:\\d+: .*{re.escape(sentence)}"):
        read(tmp_path, f"/s 0 t 0.0\n{body}\n", f"# lockstep text 1\n# /s t {head}\n")


def test_a_time_before_1970_is_refused_with_what_helps(tmp_path):
    with pytest.raises(BagError, match=r"bag\.txt:3: '-2\.5' is before 1970.*without --absolute"):
        read(tmp_path, "/x 0 t -2.5\n")
