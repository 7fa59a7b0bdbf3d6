import contextlib
import math
import re
import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lockstep.bag import Bag, BagError
from lockstep.cdr.codec import Codec
from lockstep.cdr.message_error import MessageError
from lockstep.message.definitions import definition
from lockstep.message.primitives import SIZES, STRINGS
from lockstep.message.schema import schema

pytestmark = pytest.mark.timeout(20)  # none of what anyone may write takes long to refuse

LINE = "=" * 80
IDL_LINE = f"\n{LINE}\nIDL: "
QUICK = settings(max_examples=150, deadline=None, derandomize=True)


def fields(text, encoding="ros2msg"):
    return {one.name: one.described for one in schema("a/msg/T", text, encoding).root.fields}


def constants(text, encoding="ros2msg"):
    return dict(schema("a/msg/T", text, encoding).root.constants)


def idl(body, before=""):
    return f"module a {{ module msg {{ {before} struct T {{ {body} }}; }}; }};"


def refusal(text, encoding="ros2msg", name="a/msg/T"):
    with pytest.raises(BagError) as caught:
        schema(name, text, encoding)
    sentence = str(caught.value)
    assert name in sentence and "\n" not in sentence
    return sentence


@pytest.mark.parametrize("kind", [*SIZES, *STRINGS])
@pytest.mark.parametrize("array", ["", "[]", "[3]", "[<=3]"])
def test_every_type_and_array_is_read_as_it_is_written(kind, array):
    assert fields(f"{kind}{array} x\n") == {"x": f"{kind}{array}"}


@pytest.mark.parametrize("written", ["string<=5", "wstring<=5", "string<=5[<=3]", "wstring<=5[2]"])
def test_bounds_of_strings_are_read(written):
    assert fields(f"{written} x") == {"x": written}


@pytest.mark.parametrize(
    "line",
    [
        "int32 x 7",
        "int32 x 7  # seven",
        "\tint32\tx",
        "  int32   x",
        "int32 x# no space",
        "int32 x\r",
        "# before\n\n   # between\nint32 x\n\n# after",
    ],
)
def test_defaults_comments_and_white_space_do_not_matter(line):
    assert fields(line) == {"x": "int32"}


@pytest.mark.parametrize(
    "default", ["1.0.0", "3d", '"a = b # c"', "'it is'", "true story", '""', "[1, 2]", "[]"]
)
def test_any_default_of_a_field_is_passed_over(default):
    for kind in ("string", "wstring", "int32[]"):
        assert fields(f"{kind} x {default}\nbool y") == {"x": kind, "y": "bool"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("int32 X=3", 3),
        ("int32 X = -3 # c", -3),
        ("int32 X=010", 10),
        ("uint8 X=0x1F", 31),
        ("uint8 X=0b11", 3),
        ("byte X=255", 255),
        ("char X=65", 65),
        ("uint64 X=18446744073709551615", 2**64 - 1),
        ("bool X=true", True),
        ("bool X=False", False),
        ("bool X=0", False),
        ("float32 X=1", 1.0),
        ("float64 X=-.5e-3", -0.0005),
        ("float64 X=inf", math.inf),
        ('string X="a # b" # c', "a # b"),
        ("string X='a' # c", "a"),
        ("string X='it\\'s'", "it's"),
        ('string X="it\'s"', "it's"),
        ("string X=bare words # c", "bare words"),
        ("string X=", ""),
        ('string X=""', ""),
        ("string X=1.0.0", "1.0.0"),
        ("string X=007", "007"),
        ("string X=true", "true"),
        ("string<=5 X=3d", "3d"),
        ('wstring X="ü"', "ü"),
        ("wstring<=5 X=ü", "ü"),
    ],
)
def test_a_constant_has_the_value_that_rosidl_gives_it(line, value):
    found = constants(f"{line}\n")
    assert found == {"X": value}
    assert type(found["X"]) is type(value)


def test_a_constant_is_an_attribute_of_the_messages():
    message = Codec("a/msg/T", "uint8 OK=0\nuint8 LOST=3\nuint8 state").decode(b"\0\1\0\0\3")
    assert message.state == message.LOST != message.OK


def test_fields_that_are_words_of_python_get_an_underscore():
    assert list(fields("int32 class\nint32 None\nint32 match")) == ["class_", "None_", "match"]


@pytest.mark.parametrize("text", ["# nothing", "uint8 X=1", "\n# \n"])
def test_a_message_may_be_empty(text):
    assert fields(text) == {}


def test_the_member_that_rosidl_gives_empty_messages_is_no_field():
    assert fields("uint8 structure_needs_at_least_one_member") == {}
    assert fields(idl("uint8 structure_needs_at_least_one_member;"), "ros2idl") == {}


NESTED = f"""\
Part part
b/Other[] others
b/msg/Other[2] two
std_msgs/Header head
{LINE}
MSG: a/Part
int8 x

{LINE}

MSG: b/Other
Part[<=2] parts
{LINE}
MSG: b/Part
string s
{LINE}
MSG: std_msgs/Header
string frame_id
{LINE}
MSG: c/Unused
Nowhere x
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_nested_types_are_those_of_the_package_that_uses_them(line_end):
    found = schema("a/T", NESTED.replace("\n", line_end))
    assert found.root.name == "a/msg/T"
    assert [(one.name, one.type) for one in found.root.fields] == [
        ("part", "a/msg/Part"),
        ("others", "b/msg/Other"),
        ("two", "b/msg/Other"),
        ("head", "std_msgs/msg/Header"),
    ]
    assert found.types["b/msg/Other"].fields[0].type == "b/msg/Part"
    assert "c/msg/Unused" not in found.types


def test_header_time_and_duration_need_no_package():
    std = "\n".join(
        f"{LINE}\nMSG: {name}\nint8 x"
        for name in (
            "std_msgs/Header",
            "builtin_interfaces/Time",
            "builtin_interfaces/Duration",
        )
    )
    assert fields(f"Header h\ntime t\nduration d\n{std}") == {
        "h": "std_msgs/msg/Header",
        "t": "builtin_interfaces/msg/Time",
        "d": "builtin_interfaces/msg/Duration",
    }


def test_a_package_may_have_a_header_of_its_own():
    assert fields(f"Header h\n{LINE}\nMSG: a/Header\nint8 x") == {"h": "a/msg/Header"}


def test_types_of_services_and_actions_have_messages_too():
    text = f"a/srv/Do_Request[<=1] request\n{LINE}\nMSG: a/srv/Do_Request\nint8 x"
    assert Codec("a/srv/Do_Event", text).fields() == {"request[].x": "int8"}
    assert schema("a/action/Go_Goal", "int8 x").root.name == "a/action/Go_Goal"


def test_without_a_definition_that_of_the_installed_type_is_taken():
    pytest.importorskip("sensor_msgs", reason="no ROS packages are installed")
    embedded = schema("sensor_msgs/msg/Imu", definition("sensor_msgs/msg/Imu"))
    assert schema("sensor_msgs/msg/Imu", "", "") == embedded
    assert schema("sensor_msgs/msg/Imu", "anything", "") == embedded


def test_ament_prefix_path_says_what_is_installed(tmp_path, monkeypatch):
    for package, name, text in [("a", "T", "b/Part[] p\nPart q\n"), ("b", "Part", "int8 x")]:
        folder = tmp_path / "share" / package / "msg"
        folder.mkdir(parents=True)
        (folder / f"{name}.msg").write_text(text)
    (tmp_path / "share/a/msg/Part.msg").write_text("string s")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path}")
    assert Codec("a/msg/T", "", "").fields() == {"p[].x": "int8", "q.s": "string"}
    assert refusal("", "", name="a/msg/U").startswith(
        "no definition of a/msg/U on AMENT_PREFIX_PATH"
    )


def test_every_type_of_every_bag_is_read(bags):
    for path in sorted(one.parent for one in bags.glob("*/metadata.yaml")):
        with Bag(path) as bag:
            for topic in bag.topics.values():
                assert schema(topic.type, topic.definition, topic.encoding).root.fields


# IDL


IDL = r"""
// generated from rosidl_adapter/resource/msg.idl.em
#include "b/msg/Part.idl"
#include <b/msg/Other.idl>

module a {
  module msg {
    typedef double double__36[36];
    typedef b::msg::Part b__Part[2];
    module T_Constants {
      @verbatim (language="comment", text="a (first) \"constant\"")
      const uint8 FIRST = 1;
      const long NEGATIVE = -7;
      const float SMALL = 1.5e-3;
      const boolean YES = TRUE;
      const string NAME = "a // b /* c */ @d (";
    };
    @verbatim (language="comment", text=
      "One (of) many;" "\n"
      "struct X { long y; };")
    @extensibility(FINAL)
    struct T {
      @verbatim (language="comment", text="header")
      b::msg::Part part; // a comment
      /* struct Y { */ double__36 covariance;
      b__Part parts;
      @unit (value="m/s")
      @default (value=-0.5)
      float speed;
      @key long x, y;
      boolean yes;
      octet raw;
      uint8 c;
      long long big;
      unsigned long long huge;
      unsigned short small_;
      string name;
      string<5> short_name;
      wstring wide;
      wstring<7> narrow;
      sequence<double> data;
      sequence<string<3>, 4> names;
      sequence<b::msg::Part, 2> few;
    };
  };
};
""" + "".join(
    f"{IDL_LINE}b/msg/{name}\nmodule b {{ module msg {{ struct {name} {{ {body} }}; }}; }};\n"
    for name, body in [("Part", "b::msg::Other other;"), ("Other", "int8 v;")]
)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_idl_is_read_as_rosidl_writes_it(line_end):
    found = fields(IDL.replace("\n", line_end), "ros2idl")
    assert found == {
        "part": "b/msg/Part",
        "covariance": "float64[36]",
        "parts": "b/msg/Part[2]",
        "speed": "float32",
        "x": "int32",
        "y": "int32",
        "yes": "bool",
        "raw": "byte",
        "c": "uint8",
        "big": "int64",
        "huge": "uint64",
        "small_": "uint16",
        "name": "string",
        "short_name": "string<=5",
        "wide": "wstring",
        "narrow": "wstring<=7",
        "data": "float64[]",
        "names": "string<=3[<=4]",
        "few": "b/msg/Part[<=2]",
    }


def test_constants_of_idl_are_read():
    assert constants(IDL, "ros2idl") == {
        "FIRST": 1,
        "NEGATIVE": -7,
        "SMALL": 1.5e-3,
        "YES": True,
        "NAME": "a // b /* c */ @d (",
    }


def test_a_size_may_be_a_constant_of_idl():
    text = idl("long x[N]; sequence<long, N> y;", "const long N = 3;")
    assert fields(text, "ros2idl") == {"x": "int32[3]", "y": "int32[<=3]"}


@pytest.mark.parametrize(
    "name",
    [
        "sensor_msgs/msg/PointCloud2",
        "sensor_msgs/msg/BatteryState",
        "nav_msgs/msg/Odometry",
        "diagnostic_msgs/msg/DiagnosticArray",
        "type_description_interfaces/msg/TypeDescription",
        "std_msgs/msg/Empty",
    ],
)
def test_the_idl_of_an_installed_type_says_the_same_as_its_msg(name):
    share = pytest.importorskip("ament_index_python", reason="needs ROS packages")
    pending, texts = [name], {}
    while pending:
        package, _, one = pending.pop().split("/")
        text = (share.get_package_share_path(package) / f"msg/{one}.idl").read_text()
        texts[f"{package}/msg/{one}"] = text
        pending.extend(set(re.findall(r'#include "(.*)\.idl"', text)) - texts.keys())
    first, *others = texts.items()
    joined = first[1] + "".join(f"{IDL_LINE}{one}\n{text}" for one, text in others)
    of_msg = Codec(name, "", "")
    of_idl = Codec(name, joined, "ros2idl")
    assert of_idl.fields() == {
        path: kind.replace("char", "uint8") for path, kind in of_msg.fields().items()
    }
    for one, described in of_idl.schema.types.items():
        assert dict(described.constants) == dict(of_msg.schema.types[one].constants)


# What is refused


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a/T x", "is cyclic"),
        (f"P p\n{LINE}\nMSG: a/P\na/T[] x", "is cyclic"),
        ("Nowhere x", "lacks a/msg/Nowhere, the type of 'x' in a/msg/T"),
        (f"P p\n{LINE}\nMSG: a/P\nb/Q x", "lacks b/msg/Q, the type of 'x' in a/msg/P"),
        ("int8 x\nint16 x", "has two fields named 'x'"),
        ("int8 class\nint16 class_", "has two fields named 'class_'"),
        ("int8[2000000000] x", "is larger than 1 GiB"),
        (f"int8[{'9' * 4000}] x", "is larger than 1 GiB"),
        (f"P[40000] x\n{LINE}\nMSG: a/P\nfloat64[40000] y", "is larger than 1 GiB"),
        ("string[900000000] x", "is larger than 1 GiB"),
        ("int8[0] x", "'int8[0] x' in a/msg/T is no field"),
        ("int8[-1] x", "is no field"),
        ("int8[<=0] x", "is no field"),
        ("string<=0 x", "is no field"),
        ("int8<=4 x", "has a bound, but is no string"),
        ("int8", "is no field"),
        ("int8 x, y", "is no field"),
        ("int8 ä", "is no field"),
        ("int8[3]x", "is no field"),
        ("int8[3 x", "is no field"),
        ("no message at all!", "lacks a/msg/no"),
        ("}", "is no field"),
        ("\0", "is no field"),
        ("a/b/c/D x", "'a/b/c/D' is no message type"),
        ("int8 X=three", "the constant 'three' is no int8"),
        ("int8 X=", "the constant '' is no int8"),
        ("bool X=2", "the constant '2' is no bool"),
        ("float32 X=1,5", "the constant '1,5' is no float32"),
        (f"int32 X={'9' * 5000}", "is no int32"),
        ("Part X=1", "the constant '1' is no Part"),
        (f"int8 x\n{LINE}\nint8 y", "should be 'MSG: pkg/Name'"),
        (f"int8 x\n{LINE}\nMSG: ../x\nint8 y", "should be 'MSG: pkg/Name'"),
        ("x" * ((1 << 20) + 1), "has more than 1 MiB"),
    ],
)
def test_a_definition_that_is_none_is_refused_in_a_sentence(text, sentence):
    assert sentence in refusal(text)


@pytest.mark.parametrize("encoding", ["jsonschema", "protobuf", "ros1msg", "ROS2MSG"])
def test_other_encodings_of_definitions_are_refused(encoding):
    assert f"'{encoding}'; only 'ros2msg' and 'ros2idl'" in refusal("int8 x", encoding)


@pytest.mark.parametrize(
    "name", ["", "T", "a/", "a/b/c/d", "a/msg/T\n", "../T", "a/msg/T;x", "ä/T"]
)
def test_what_cannot_be_the_name_of_a_type_is_refused(name):
    with pytest.raises(BagError, match="is no message type"):
        schema(name, "int8 x")


def chain(count, array):
    """Types that contain each other, `count` deep."""
    texts = [f"T{one + 1}{array} x\n" for one in range(count - 1)] + [f"string{array} x\n"]
    return "".join(
        f"{LINE}\nMSG: a/T{one}\n{text}" if one else text for one, text in enumerate(texts)
    )


@pytest.mark.parametrize("array", ["", "[]", "[1]"])
def test_types_may_be_nested_as_deep_as_python_nests_loops(array):
    codec = Codec("a/msg/T", chain(20, array))
    message = "bottom"
    for _ in range(20):
        message = {"x": [message] if array else message}
    assert codec.encode(codec.decode(codec.encode(message))) == codec.encode(message)
    assert "is nested deeper than 20 types" in refusal(chain(21, array))
    assert "is nested deeper than 20 types" in refusal(chain(3000, array))


def test_types_that_double_are_counted_before_they_are_followed():
    doubling = "".join(f"{LINE}\nMSG: a/D{one}\nD{one + 1} x\nD{one + 1} y\n" for one in range(18))
    text = f"D0 d\n{doubling}{LINE}\nMSG: a/D18\nint8 z"
    assert "has more than 10000 fields" in refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"int8 x{one}\n" for one in range(80_000)),
        "".join(f"int8 x{one}\n" for one in range(80_000)) + "int8 x7\n",
        "".join(f"int8 X{one}=1\n" for one in range(60_000)) + "X",
        "#\n" * 500_000 + "X",
        "\n" * 1_000_000 + "X",
        " " * 1_000_000 + "X",
        "int32[] x [" + "1," * 500_000 + "\nX",
        "a/" * 500_000 + "B x",
        ("=" * 20 + "\n") * 40_000,
        ("=" * 20 + " " * 1000) * 1000,
        f"{LINE}\nMSG: a/B\n" * 10_000 + "X",
        'string X="' + "\\a" * 500_000 + "\nX",
    ],
    ids=lambda text: text[:12],
)
def test_a_giant_definition_is_refused_soon(text):
    refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        idl("long x;", "const long N = " + "1 + " * 5000 + "1;"),
        idl("long x;", "const long N = " + "(" * 3000 + "1" + ")" * 3000 + ";"),
        idl("long x;", "const long N = " + "-" * 5000 + "1;"),
        idl("long x[" + "~" * 5000 + "1];"),
        idl("long x;", "const long N = 1 << 99999999;"),
        idl("string<" + "a::" * 15_000 + "b> x;"),
        idl("a::" * 20_000 + "b x;"),
        idl("long x" + "[1]" * 10_000 + ";"),
        idl("sequence<" * 5000 + "long" + ">" * 5000 + " x;"),
        idl("sequence<a::" * 5000 + "b x;"),
        idl("A x;", "typedef A B; typedef B A;"),
        idl("A2500 x;", "".join(f"typedef A{one} A{one + 1};" for one in range(2500))),
        idl("long x; X", "".join(f"const long a{one}=1; " for one in range(3000))),
        idl("long x; X", "const string s=" + '"a" ' * 15_000 + ";"),
        "module a { " * 5000,
        "module a { struct X { long y; }; " * 1500 + "};" * 1500,
        '@v("' + "\\a" * 20_000 + '" (',
        '@v("' + "\\a" * 20_000,
        '"' + "\\a" * 20_000,
        '@a("' * 16_000,
        "@" * 30_000 + " " * 30_000,
        "@a" + "::a" * 20_000 + "(",
        "/*" * 500_000,
        "//" * 500_000,
        "/*" + "*" * 1_000_000,
        "1." * 30_000,
        "long " * 12_000,
        idl("long " + " " * 60_000 + "!"),
        idl("long x; " * 8000),
    ],
    ids=lambda text: text[-60:][:30].strip(),
)
def test_idl_that_would_take_long_is_refused_soon(text):
    refusal(text, "ros2idl")


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("long double x;", "float128, which cannot be decoded"),
        ("wchar x;", "wchar, which cannot be decoded"),
        ("long x[2][2];", "'x[2][2]' is an array of several dimensions"),
        ("long x[0];", "is an array of 0 elements"),
        ("long x[-2];", "is an array of -2 elements"),
        ("string<-2> x;", "is a string of -2 characters"),
        ("long x[2000000000];", "is larger than 1 GiB"),
        ("long x[1 + 1];", "computes constants"),
        ("a::msg::T x;", "is cyclic"),
        ("b::msg::X x;", "lacks b/msg/X"),
        ("long x; short x;", "has two fields named 'x'"),
        ("", "is not valid ros2idl"),
        ("long x; }", "is not valid ros2idl"),
        ("long x;" + " " * 70_000 + "long y;", "more than 64 KiB of IDL"),
    ],
)
def test_idl_that_cannot_be_decoded_is_refused_in_a_sentence(body, sentence):
    assert sentence in refusal(idl(body), "ros2idl")


def test_idl_of_another_type_is_refused():
    text = idl("long x;").replace("struct T", "struct Other")
    assert "describes only a/msg/Other" in refusal(text, "ros2idl")


# Anything at all


PIECES = (
    "int32 string wstring<=3 bool a/T b/Part Header x y class X = 3 [] [3] [<=2] # 1.5e3 TRUE a b "
    "msg T ä module struct typedef const long double sequence< > { } ; :: , "
    "( ) @key @verbatim( /* */ // \" ' \\ \0"
)
WORDS = st.sampled_from(
    [*PIECES.split(), "\n", "\r\n", "\t", " ", f"\n{LINE}\nMSG: a/B\n", IDL_LINE]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=40).map(" ".join))


def mutated(text):
    """A definition with some stretches removed, repeated or replaced."""
    cut = st.tuples(st.integers(0, len(text)), st.integers(0, 12), st.one_of(st.just(""), WORDS))

    def apply(cuts):
        found = text
        for start, count, word in cuts:
            found = found[:start] + word + found[start + count :]
        return found

    return st.lists(cut, min_size=1, max_size=5).map(apply)


def assert_usable(codec):
    """What decodes and what encodes can be made, whether or not a message of
    nothing is one of this type.
    """
    with contextlib.suppress(MessageError):
        codec.decode(b"\0\1\0\0")
    try:
        codec.encode({})
    except BagError as error:
        assert "is missing" in str(error)


@QUICK
@given(
    st.one_of(TEXTS, mutated(NESTED), mutated(IDL), mutated(textwrap.dedent(IDL[-400:]))),
    st.sampled_from(["ros2msg", "ros2idl"]),
)
def test_any_text_is_a_definition_or_refused(text, encoding):
    try:
        found = Codec("a/msg/T", text or "#", encoding)
    except BagError as error:
        assert str(error)
    else:
        found.fields()
        assert found.classes
        assert_usable(found)


ADD = "int64 a\nint64 b\n---\nint64 sum\n"
EVENT = "example_interfaces/srv/AddTwoInts_Event"
AT = {"stamp": {"sec": 1, "nanosec": 5}, "client_gid": list(range(16)), "sequence_number": 2}


@pytest.mark.parametrize(
    "text",
    [ADD, f"{LINE}\nSRV: example_interfaces/srv/AddTwoInts\n{ADD}"],
    ids=["Jazzy", "Rolling"],
)
def test_service_events_are_decoded(text):
    codec = Codec(EVENT, text)
    sent = {"info": AT | {"event_type": 0}, "request": [{"a": 2, "b": 10}], "response": []}
    event = codec.decode(codec.encode(sent))
    assert (event.info.event_type, event.info.sequence_number) == (0, 2)
    assert [(request.a, request.b) for request in event.request] == [(2, 10)]
    assert event.response == []
    with pytest.raises(BagError, match="response"):
        codec.encode(sent | {"response": [{"sum": 1}, {"sum": 2}]})
    assert event.info.RESPONSE_RECEIVED == 3


FIBONACCI = "int32 order\n---\nint32[] sequence\n---\nint32[] partial\n"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("FeedbackMessage", {"goal_id.uuid": "uint8[16]", "feedback.partial": "int32[]"}),
        ("SendGoal_Request", {"goal_id.uuid": "uint8[16]", "goal.order": "int32"}),
        ("GetResult_Response", {"status": "int8", "result.sequence": "int32[]"}),
        ("Feedback", {"partial": "int32[]"}),
    ],
)
@pytest.mark.parametrize("heading", ["", f"{LINE}\nACTION: my/action/Fibonacci\n"])
def test_messages_of_actions_are_described(name, expected, heading):
    assert Codec(f"my/action/Fibonacci_{name}", heading + FIBONACCI).fields() == expected


def test_installed_services_describe_their_events():
    text = definition("std_srvs/srv/SetBool_Event")
    fields = Codec("std_srvs/srv/SetBool_Event", text).fields()
    assert fields["request[].data"] == "bool"
    assert fields["info.stamp"] == "builtin_interfaces/msg/Time"


def test_parts_that_are_too_many_are_refused():
    assert "has 3 parts between lines of ---" in refusal(ADD + "---\n", name="a/srv/T_Event")


@pytest.mark.parametrize("encoding", ["ros2msg", "ros2idl"])
def test_an_empty_definition_is_a_type_without_fields(encoding):
    if encoding == "ros2msg":
        codec = Codec("shop_msgs/msg/Trigger", "", encoding)
        assert codec.fields() == {}
        codec.decode(b"\0\1\0\0\0")
    else:
        refusal("", encoding)


def test_enums_of_idl_are_numbers():
    text = idl("Mode mode; double x;", "enum Mode { IDLE, RUN, @value(7) STOP };")
    codec = Codec("a/msg/T", text, "ros2idl")
    assert codec.fields() == {"mode": "uint32", "x": "float64"}
    message = codec.decode(b"\0\1\0\0" + b"\1\0\0\0" + bytes(4) + b"\0\0\0\0\0\0\xf8\x3f")
    assert (message.mode, message.x) == (1, 1.5)


def test_arrays_of_several_dimensions_are_named():
    assert "'cells[2][3]' is an array of several dimensions" in refusal(
        idl("float cells[2][3];"), "ros2idl"
    )


def test_a_foreign_encoding_is_named_before_the_name_of_the_type():
    with pytest.raises(BagError, match="shop::Scene is described as 'omgidl'"):
        schema("shop::Scene", "module shop { };", "omgidl")


@QUICK
@given(st.text(max_size=20))
def test_any_name_is_one_of_a_type_or_refused(name):
    try:
        assert schema(name, "int8 x").root.name.count("/") == 2
    except BagError as error:
        assert "is no message type" in str(error)
