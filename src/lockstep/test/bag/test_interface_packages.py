import sqlite3
from xml.etree import ElementTree

import pytest
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.interface_packages import interface_packages, write_packages
from rosbags.rosbag1 import Writer
from rosbags.typesys import Stores, get_typestore

LINE = "=" * 80
SAMPLE = """\
# A sample, as "odd" <people> take them.
uint8 GOOD=1   # a constant
string NAME="some; ${thing}"
std_msgs/Header header

Part[] parts
Part[2] pair
float64[<=3] few [1.0, 2.0]
string<=20 label "none"
int32 count 7  # a default
"""
PART = "# Indented\n#   comments stay.\nfloat32 x\nwstring text\nbuiltin_interfaces/Duration age\n"
HEADER = "builtin_interfaces/Time stamp\nstring frame_id\n"
TIME = "int32 sec\nuint32 nanosec\n"
NESTED = {
    "odd_msgs/Part": PART,
    "std_msgs/Header": HEADER,
    "builtin_interfaces/Time": TIME,
    "builtin_interfaces/Duration": TIME,
}


def joined(root, nested):
    return root + "".join(f"\n{LINE}\nMSG: {name}\n{text}" for name, text in nested.items())


TIMES = joined("", {"builtin_interfaces/Time": TIME})
DEFINITION = joined(SAMPLE, NESTED)


@pytest.fixture(autouse=True)
def machine(tmp_path, monkeypatch):
    """What is installed: ROS without odd_msgs."""
    prefix = tmp_path / "ros"
    for name in ("std_msgs/msg/Header", "builtin_interfaces/msg/Time"):
        install(prefix, name)
    install(prefix, "builtin_interfaces/msg/Duration")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"{tmp_path / 'nowhere'}:{prefix}")
    return prefix


def install(prefix, name):
    path = prefix / "share" / f"{name}.idl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    (path.parents[1] / "package.xml").touch()


@pytest.fixture
def bag(tmp_path):
    """Makes bags of topics: name → (type, definition) or (type, definition, encoding)."""

    def make(**topics):
        number = len(list(tmp_path.glob("bag*")))
        with BagWriter(tmp_path / f"bag{number}") as writer:
            for name, (type_name, definition, *encoding) in topics.items():
                kind = {"encoding": encoding[0]} if encoding else {}
                writer.add_topic(f"/{name}", type_name, definition, **kind)
                writer.write(f"/{name}", b"\0\1\0\0", 1)
        return Bag(tmp_path / f"bag{number}")

    return make


@pytest.fixture
def odd(bag):
    return bag(sample=("odd_msgs/msg/Sample", DEFINITION))


def refusal(found, topics=None):
    with pytest.raises(BagError) as caught:
        interface_packages(found, topics)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_only_packages_that_are_not_installed_are_written(odd):
    found = interface_packages(odd)
    assert list(found.packages) == ["odd_msgs"]
    assert found.packages["odd_msgs"].types == {
        "odd_msgs/msg/Part": "msg/Part.msg",
        "odd_msgs/msg/Sample": "msg/Sample.msg",
    }
    assert found.remarks == ()


def test_definitions_are_written_byte_for_byte(odd, tmp_path):
    assert write_packages(interface_packages(odd).packages, tmp_path / "src") == ("odd_msgs",)
    there = contents(tmp_path / "src/odd_msgs")
    assert there["msg/Sample.msg"] == SAMPLE.encode()
    assert there["msg/Part.msg"] == PART.encode()
    assert sorted(there) == ["CMakeLists.txt", "msg/Part.msg", "msg/Sample.msg", "package.xml"]


def test_the_package_depends_on_what_its_messages_use(odd):
    files = interface_packages(odd).packages["odd_msgs"].files
    root = ElementTree.fromstring(files["package.xml"])
    assert root.get("format") == "3"
    assert [each.text for each in root.findall("depend")] == ["builtin_interfaces", "std_msgs"]
    assert root.findtext("license") == "Unknown: written from the definitions in a recording"
    assert root.findtext("member_of_group") == "rosidl_interface_packages"
    cmake = files["CMakeLists.txt"].decode()
    assert "find_package(std_msgs REQUIRED)" in cmake
    assert "DEPENDENCIES builtin_interfaces std_msgs\n" in cmake
    assert '  "msg/Part.msg"\n  "msg/Sample.msg"\n' in cmake


def test_no_text_of_a_bag_gets_into_cmake_or_xml_but_names(odd):
    files = interface_packages(odd).packages["odd_msgs"].files
    for name in ("CMakeLists.txt", "package.xml"):
        assert b"thing" not in files[name]
        assert b"people" not in files[name]


def test_all_packages_are_written_when_asked_for(odd):
    packages = interface_packages(odd, installed_too=True).packages
    assert list(packages) == ["builtin_interfaces", "odd_msgs", "std_msgs"]
    assert packages["std_msgs"].files["msg/Header.msg"] == HEADER.encode()
    assert packages["builtin_interfaces"].depends == ()


def test_every_package_is_written_where_no_ros_is(odd, monkeypatch):
    monkeypatch.delenv("AMENT_PREFIX_PATH")
    assert list(interface_packages(odd).packages) == ["builtin_interfaces", "odd_msgs", "std_msgs"]


def test_topics_are_chosen(bag):
    found = bag(
        a=("a_msgs/msg/A", "int8 a\n"), b=("b_msgs/msg/B", "int8 b\n"), bad=("b/msg/C", "what?\n")
    )
    assert list(interface_packages(found, ["/b", "/b"]).packages) == ["b_msgs"]
    assert "has no topic /c" in refusal(found, ["/c"])


def test_installed_types_leave_nothing_to_write(odd, machine, tmp_path):
    install(machine, "odd_msgs/msg/Sample")
    install(machine, "odd_msgs/msg/Part")
    packages = interface_packages(odd).packages
    assert packages == {}
    assert write_packages(packages, tmp_path / "src") == ()
    assert not (tmp_path / "src").exists()


def test_a_package_that_would_hide_an_installed_one_is_told(odd, machine):
    install(machine, "odd_msgs/msg/Sample")
    found = interface_packages(odd)
    assert list(found.packages["odd_msgs"].types) == ["odd_msgs/msg/Part", "odd_msgs/msg/Sample"]
    (remark,) = found.remarks
    assert remark.startswith("odd_msgs is installed here, but without odd_msgs/msg/Part")


def test_a_type_without_fields_is_a_type(bag):
    (package,) = interface_packages(
        bag(ping=("odd_msgs/msg/Ping", joined("Nothing nothing\n", {"odd_msgs/Nothing": ""})))
    ).packages.values()
    assert package.files["msg/Nothing.msg"] == b""


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_line_breaks_stay_as_they_are(bag, end, line_break):
    root, inner = (
        text.replace("\n", line_break) for text in ("# B\nC c\n" + end, "\n# C\nint8 c" + end)
    )
    definition = line_break.join([root, LINE, "MSG: a_msgs/C", inner])
    files = interface_packages(bag(b=("a_msgs/msg/B", definition))).packages["a_msgs"].files
    assert files["msg/B.msg"] == root.encode()
    assert files["msg/C.msg"] == inner.encode()


def idl(name, body, header=True):
    package, _, message = name.split("/")
    heading = f"{LINE}\nIDL: {name}\n" if header else ""
    return f"{heading}module {package} {{ module msg {{ struct {message} {{ {body} }}; }}; }};\n"


@pytest.mark.parametrize("header", [True, False])
def test_idl_definitions_become_idl_files(bag, header):
    definition = (
        idl("odd_msgs/msg/A", "odd_msgs::msg::B b; std_msgs::msg::Header h;", header)
        + idl("odd_msgs/msg/B", "int32 x;")
        + idl("std_msgs/msg/Header", "string frame_id;")
    )
    (package,) = interface_packages(
        bag(a=("odd_msgs/msg/A", definition, "ros2idl"))
    ).packages.values()
    assert package.types == {"odd_msgs/msg/A": "msg/A.idl", "odd_msgs/msg/B": "msg/B.idl"}
    assert package.depends == ("std_msgs",)
    assert package.files["msg/B.idl"] == idl("odd_msgs/msg/B", "int32 x;", False).encode()


def test_one_type_as_msg_and_idl_is_no_contradiction(bag):
    found = bag(
        a=("odd_msgs/msg/A", idl("odd_msgs/msg/A", "int32 x;"), "ros2idl"),
        b=("odd_msgs/msg/A", "int32 x # as a message\n"),
    )
    files = interface_packages(found).packages["odd_msgs"].files
    assert files["msg/A.msg"] == b"int32 x # as a message\n"
    assert "msg/A.idl" not in files


def test_parts_of_services_and_actions_are_left_out_in_a_sentence(bag, machine):
    found = bag(
        a=("odd_msgs/msg/A", "int8 a\n"),
        add=("odd_msgs/srv/Add_Event", f"int8 a\n---\nint8 b\n{LINE}\nSRV: odd_msgs/srv/Add\n"),
        go=("odd_msgs/action/Go_FeedbackMessage", "int8 a\n"),
    )
    interfaces = interface_packages(found)
    assert list(interfaces.packages["odd_msgs"].types) == ["odd_msgs/msg/A"]
    add, go = interfaces.remarks
    assert add == (
        "/add is left out: odd_msgs/srv/Add_Event is a part of a service, "
        "which no message file defines; install odd_msgs, which has srv/Add.srv"
    )
    assert "/go is left out: odd_msgs/action/Go_FeedbackMessage is a part of an action" in go
    install(machine, "odd_msgs/srv/Add")
    assert [remark.split()[0] for remark in interface_packages(found, ["/add", "/go"]).remarks] == [
        "/go"
    ]


def test_topics_without_a_ros_definition_are_left_out_in_a_sentence(bag):
    found = bag(
        a=("odd_msgs/msg/A", "", ""),
        b=("foxglove.Pose", '{"type": "object"}', "jsonschema"),
        std=("std_msgs/msg/Header", "", ""),
    )
    assert interface_packages(found).remarks == (
        "/a is left out: the bag embeds no definition of odd_msgs/msg/A",
        "/b is left out: foxglove.Pose is described as 'jsonschema', not as a ROS 2 message",
    )


def test_types_defined_in_two_ways_name_both_topics(bag):
    other = joined(SAMPLE, NESTED | {"odd_msgs/Part": PART + "int8 more\n"})
    found = bag(one=("odd_msgs/msg/Sample", DEFINITION), two=("odd_msgs/msg/Other", other))
    assert (
        refusal(found) == "/one and /two define odd_msgs/msg/Part in two ways; "
        "choose topics that agree with --topic"
    )
    assert list(interface_packages(found, ["/two"]).packages) == ["odd_msgs"]


def test_comments_are_no_contradiction(bag):
    other = joined(SAMPLE, NESTED | {"std_msgs/Header": "# new\n" + HEADER})
    found = bag(one=("odd_msgs/msg/Sample", DEFINITION), two=("odd_msgs/msg/Sample", other))
    written = interface_packages(found, installed_too=True).packages["std_msgs"]
    assert written.files["msg/Header.msg"].decode().strip() == HEADER.strip()


def test_defaults_count_only_in_types_that_are_written(bag):
    other = joined(SAMPLE, NESTED | {"std_msgs/Header": HEADER + 'string more "#"\n'})
    another = other.replace('"#"', '"!"')
    found = bag(one=("odd_msgs/msg/Sample", other), two=("odd_msgs/msg/Sample", another))
    assert list(interface_packages(found).packages) == ["odd_msgs"]
    with pytest.raises(BagError, match="/one and /two define std_msgs/msg/Header in two ways"):
        interface_packages(found, installed_too=True)


def test_blanks_at_the_ends_of_lines_are_no_contradiction(bag):
    other = DEFINITION.replace("float32 x\n", "float32 x  \r\n") + "\n"
    found = bag(one=("odd_msgs/msg/Sample", DEFINITION), two=("odd_msgs/msg/Sample", other))
    assert interface_packages(found).packages["odd_msgs"].files["msg/Part.msg"] == PART.encode()


def test_a_type_defined_twice_on_one_topic_is_refused(bag):
    definition = joined("C c\n", {"a_msgs/C": "int8 x\n"}) + f"\n{LINE}\nMSG: a_msgs/C\nint16 x\n"
    assert refusal(bag(b=("a_msgs/msg/B", definition))).startswith(
        "/b defines a_msgs/msg/C in two ways"
    )


def test_a_topic_recorded_in_two_ways_is_refused(odd):
    topic = odd.topics["/sample"]
    topic.clash = "/sample is recorded with two definitions"
    assert refusal(odd) == topic.clash


@pytest.mark.parametrize(
    "name",
    [
        "../../x/msg/Y",
        "/etc/msg/Y",
        "odd_msgs/msg/../Y",
        "odd_msgs/msg/Y) execute_process(COMMAND x",
        "odd_msgs/msg/<Y>",
        "Odd/msg/Y",
        "odd__msgs/msg/Y",
        "odd_msgs_/msg/Y",
        "odd_msgs/msg/y",
        "odd_msgs/msg/Y_Z",
        "odd_msgs/msg/Ü",
        "odd_msgs/msg/Y\n",
        "odd_msgs",
        "",
        "o" * 200 + "/msg/Y",
    ],
)
def test_names_that_are_none_in_ros_2_are_refused(bag, name):
    sentence = refusal(bag(t=(name, "int8 x\n")))
    assert "/t uses a type named " in sentence
    assert "which is no valid name in ROS 2" in sentence


@pytest.mark.parametrize(
    "name", ["../../x/msg/Y", "../x/Y", "Odd/Y", "x/msg/Y;Z", "x/srv/Y_Request"]
)
@pytest.mark.parametrize("kind", ["MSG", "IDL"])
def test_no_nested_name_leaves_the_folder(bag, tmp_path, name, kind):
    text = "int8 x\n" if kind == "MSG" else idl("a_msgs/msg/B", "int8 x;", False)
    definition = f"{text}{LINE}\n{kind}: {name}\n{text}"
    encoding = "ros2msg" if kind == "MSG" else "ros2idl"
    found = bag(b=("a_msgs/msg/B", definition, encoding))
    if name == "x/srv/Y_Request":  # nothing uses it
        assert list(interface_packages(found).packages) == ["a_msgs"]
    else:
        assert "/b" in refusal(found)


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        ("what?\n", "/t: the definition of odd_msgs/msg/T is not valid ros2msg"),
        ("Part part\n", "lacks odd_msgs/msg/Part, the type of 'part'"),
        ("odd_msgs/T more\n", "is cyclic"),
        ("int8 someField\n", "whose field 'someField' is no valid name in ROS 2"),
        ("time t\n" + TIMES, "which has a field of the type 'time'"),
        ("builtin_interfaces/msg/Time[3] t\n" + TIMES, "type 'builtin_interfaces/msg/Time'"),
        (f"{LINE}\nMSG: odd_msgs/T\nint8 x\n", "/t defines odd_msgs/msg/T in two ways"),
        ("int8 x_\n", "whose field 'x_' is no valid name in ROS 2"),
        ("int8 x\0\n", "holds the control character U+0000"),
        (f"int8 x\n#\u2028{LINE}\u2028MSG: a/B\n", "holds the control character U+2028"),
        ("int8 x\rint8 y\n", "holds the control character U+000D"),
    ],
)
def test_definitions_that_could_not_be_built_are_refused(bag, definition, sentence):
    assert sentence in refusal(bag(t=("odd_msgs/msg/T", definition)))


@pytest.mark.parametrize(
    ("definition", "held"),
    [
        ("# */ int main() {} /*\nint8 x\n", "*/"),
        ("# \\x2a/ int main() {} /*\nint8 x\n", r"\x"),
        ("# \\052/ int main() {} /*\nint8 x\n", r"\0"),
        ("# \\N{ASTERISK}/ int main() {} /*\nint8 x\n", r"\N"),
        ("# \\\\x2a/ int main() {} /*\nint8 x\n", "\\\\"),
        ('string X="??/" evil\n', "??/"),
    ],
)
def test_no_comment_or_string_brings_code_into_the_build(bag, definition, held):
    assert f"holds {held!r}, with which" in refusal(bag(t=("odd_msgs/msg/T", definition)))


@pytest.mark.parametrize(
    ("annotation", "allowed"),
    [
        ('@default (value="__import__(1)")', False),
        ("@default (value=\"('__import__', )\")", False),
        ('@default (value="exit" "()")', False),
        ('@verbatim (language="comment", text="*/ int main")', False),
        ('@verbatim (language="comment", text="*" "/ int main")', False),
        ('@verbatim (language="comment", text="\\x2a/ int main")', False),
        ('@verbatim (language="comment", text="*/ @verbatim (text=")', False),
        ('@default (value="(1, 2, -3.5e7)")', True),
        ('@unit (value="m/s^2")', True),
        ('@verbatim (language="comment", text=\n  "It\'s (\\"so\\")" "\\n"\n "; f(x).")', True),
        ("// it's */ or \"what\"\n /* it's\n // */", True),
    ],
)
def test_no_annotation_of_idl_brings_code_into_the_build(bag, annotation, allowed):
    definition = idl("odd_msgs/msg/T", f"{annotation}\n int32 x;")
    found = bag(t=("odd_msgs/msg/T", definition, "ros2idl"))
    if allowed:
        assert list(interface_packages(found).packages) == ["odd_msgs"]
    else:
        assert "with which it could bring code into what is built from it" in refusal(found)


def test_a_package_may_have_a_header_of_its_own(bag):
    definition = joined("Header header\n", {"odd_msgs/Header": "int8 x\n"})
    (package,) = interface_packages(bag(t=("odd_msgs/msg/T", definition))).packages.values()
    assert package.depends == ()


def test_fields_that_only_begin_like_words_of_python_need_no_remark(bag):
    found = interface_packages(bag(t=("odd_msgs/msg/T", "int8 note\nint8 ask\nint8 org\n")))
    assert found.remarks == ()


@pytest.mark.parametrize(
    "line",
    [
        'string<=3 s "too long"',
        'string s "a"b"',
        "int8[<=2] a [1, 2, 3]",
        "int8 x 300",
        'string S="a\\"',
    ],
)
def test_what_rosidl_refuses_is_not_written(bag, line):
    pytest.importorskip("rosidl_adapter", reason="rosidl is not installed")
    sentence = refusal(bag(t=("odd_msgs/msg/T", line)))
    assert sentence.startswith("/t uses odd_msgs/msg/T, whose definition rosidl refuses (")
    assert sentence.endswith("); choose other topics with --topic")


def test_bounded_defaults_that_rosidl_takes_are_written(bag):
    pytest.importorskip("rosidl_adapter", reason="rosidl is not installed")
    text = 'string<=22 s "Hello # = !"\nstring<=4[<=3] t ["a", "b"]\nuint8[<=5] few [1,2]\n'
    found = interface_packages(bag(t=("odd_msgs/msg/T", text)))
    assert found.packages["odd_msgs"].files["msg/T.msg"].decode().strip() == text.strip()


def test_a_field_named_like_a_word_of_python_is_written_and_told(bag):
    found = interface_packages(bag(t=("odd_msgs/msg/T", "int8 from\n")))
    assert found.packages["odd_msgs"].files["msg/T.msg"] == b"int8 from\n"
    (remark,) = found.remarks
    assert remark.startswith("odd_msgs/msg/T has a field 'from', a word of Python")


def test_packages_that_need_each_other_are_refused(bag):
    found = bag(
        a=("a_msgs/msg/A", joined("b_msgs/B b\n", {"b_msgs/B": "int8 x\n"})),
        b=("b_msgs/msg/C", joined("a_msgs/D d\n", {"a_msgs/D": "int8 x\n"})),
    )
    assert "use each other and cannot be built: " in refusal(found)


def test_a_package_that_is_there_is_left_alone(odd, tmp_path):
    packages = interface_packages(odd).packages
    write_packages(packages, tmp_path / "src")
    before = (tmp_path / "src/odd_msgs/package.xml").stat()
    assert write_packages(packages, tmp_path / "src") == ()
    assert (tmp_path / "src/odd_msgs/package.xml").stat() == before


@pytest.mark.parametrize("change", ["more", "less", "other", "empty", "file", "link"])
def test_nothing_is_written_beside_a_package_with_other_contents(odd, tmp_path, change):
    packages = interface_packages(odd, installed_too=True).packages
    src = tmp_path / "src"
    write_packages({"odd_msgs": packages["odd_msgs"]}, src)
    there = src / "odd_msgs"
    if change == "more":
        (there / "msg/Mine.msg").write_text("int8 mine\n")
    elif change == "less":
        (there / "msg/Part.msg").unlink()
    elif change == "other":
        (there / "package.xml").write_text("<package/>")
    else:
        there.rename(tmp_path / "away")
        if change == "empty":
            there.mkdir()
        elif change == "file":
            there.write_text("mine")
        else:
            there.symlink_to(tmp_path / "nowhere")
    before = contents(src)
    with pytest.raises(BagError, match="odd_msgs exists already with other contents; choose"):
        write_packages(packages, src)
    assert contents(src) == before
    assert [path.name for path in src.iterdir()] == ["odd_msgs"]


def test_a_folder_that_cannot_be_written_is_left_as_it_was(odd, tmp_path):
    packages = interface_packages(odd).packages
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BagError, match=r"cannot write to .*file/src: Not a directory"):
        write_packages(packages, tmp_path / "file/src")
    with pytest.raises(BagError, match=r"cannot write to .*: File name too long"):
        write_packages(packages, tmp_path / ("x" * 300))
    with pytest.raises(BagError, match="cannot write to "):
        write_packages(packages, tmp_path / "new" / ("x" * 300))
    assert not (tmp_path / "new").exists()


def test_ros_1_bags_give_ros_2_packages(tmp_path):
    store = get_typestore(Stores.ROS1_NOETIC)
    from rosbags.typesys import get_types_from_msg

    text = "Header header\ntime when\nPart[] parts\n"
    store.register(get_types_from_msg(text, "odd_msgs/msg/Sample"))
    store.register(get_types_from_msg("float64 x # metres\n", "odd_msgs/msg/Part"))
    with Writer(tmp_path / "old.bag") as writer:
        connection = writer.add_connection("/sample", "odd_msgs/msg/Sample", typestore=store)
        writer.write(connection, 1, bytes(24))
    (package,) = interface_packages(Bag(tmp_path / "old.bag")).packages.values()
    assert package.depends == ("builtin_interfaces", "std_msgs")
    assert package.files["msg/Sample.msg"].decode().splitlines() == [
        "std_msgs/Header header",
        "builtin_interfaces/Time when",
        "odd_msgs/Part[] parts",
    ]


def test_sqlite_bags_give_the_definitions_they_embed(tmp_path):
    path = tmp_path / "bag.db3"
    with sqlite3.connect(path) as database:
        database.executescript(
            "CREATE TABLE topics(id INTEGER PRIMARY KEY, name TEXT, type TEXT, "
            "serialization_format TEXT,"
            " offered_qos_profiles TEXT, type_description_hash TEXT);"
            "CREATE TABLE messages(id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER, "
            "data BLOB);"
            "CREATE TABLE message_definitions(id INTEGER PRIMARY KEY, topic_type TEXT, "
            "encoding TEXT,"
            " encoded_message_definition TEXT, type_description_hash TEXT);"
        )
        database.execute("INSERT INTO topics VALUES(1, '/s', 'odd_msgs/msg/Sample', 'cdr', '', '')")
        database.execute(
            "INSERT INTO message_definitions VALUES(1, 'odd_msgs/msg/Sample', 'ros2msg', ?, '')",
            (DEFINITION,),
        )
    database.close()
    (package,) = interface_packages(Bag(path)).packages.values()
    assert package.files["msg/Sample.msg"] == SAMPLE.encode()
