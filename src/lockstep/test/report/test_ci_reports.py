import xml.etree.ElementTree as ET

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import Codec
from lockstep.compare import compare
from lockstep.report.github import markdown, workflow_commands
from lockstep.report.junit import write_junit

CODEC = Codec("pkg/msg/X", "float64 x")
HOSTILE = '/a<b>&"|`\x01,:%\n::error::'


def bag(path, **topics):
    with BagWriter(path) as writer:
        for name, values in topics.items():
            writer.add_topic(name, "pkg/msg/X", "float64 x")
            for tick, x in enumerate(values):
                writer.write(name, CODEC.encode({"x": x}), tick * 100)
    return Bag(path)


@pytest.fixture
def comparisons(tmp_path):
    good = {"/good": [1.0, 2.0]}
    a = bag(tmp_path / "a", **good, **{HOSTILE: [1.0, 2.0]})
    b = bag(tmp_path / "b", **good, **{HOSTILE: [1.0, 2.5]})
    return {"cpp vs python": compare(a, b, names=("python", "cpp"))}


def test_junit_has_a_test_case_for_each_topic(comparisons, tmp_path):
    write_junit(tmp_path / "junit.xml", comparisons)
    root = ET.parse(tmp_path / "junit.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("2", "1")
    (suite,) = root
    assert (suite.get("name"), suite.get("errors")) == ("cpp vs python", "0")
    hostile, good = suite
    assert hostile.get("name") == r'/a<b>&"|`\x01,:%\n::error::'
    failure = hostile.find("failure")
    assert failure.get("type") == "wrong values"
    assert "x is 2.5, expected 2.0    # off by 0.5" in failure.text
    assert good.find("failure") is None
    assert good.find("system-out").text.startswith("/good (pkg/msg/X): 2 aligned, 0 differ")


def test_junit_holds_no_character_that_xml_has_not(tmp_path):
    one = bag(tmp_path / "one", good=[1.0])
    name = "cpp\x01\ufffe\u202e"
    write_junit(tmp_path / "junit.xml", {name: compare(one, one)}, {name: ["\x02\uffff", "b"]})
    (suite,) = ET.parse(tmp_path / "junit.xml").getroot()
    case, remarks = suite
    assert suite.get("name") == case.get("classname") == r"cpp\x01\ufffe\u202e"
    assert remarks.text == "\\x02\\uffff\nb"


def test_annotations_are_one_line_each_whatever_a_topic_is_called(comparisons):
    (line,) = workflow_commands(comparisons)
    head, _, message = line.removeprefix("::error title=").partition("::")
    assert line.startswith("::error title=cpp vs python%3A ")
    assert "\n" not in line and ":" not in head and "," not in head
    assert "%0A" in message and "off by 0.5" in message


def test_all_that_match_are_one_notice(comparisons, tmp_path):
    one = bag(tmp_path / "one", good=[1.0])
    assert list(workflow_commands({"x": compare(one, one)})) == [
        "::notice title=lockstep::x: identical bytes"
    ]


def test_many_that_differ_are_bounded(tmp_path):
    names = [f"/t{number}" for number in range(30)]
    a = bag(tmp_path / "a", **{name: [1.0] for name in names})
    b = bag(tmp_path / "b", **{name: [2.0] for name in names})
    lines = list(workflow_commands({"x": compare(a, b)}))
    assert len(lines) == 11
    assert lines[-1] == "::notice title=lockstep::20 more topics differ"


def test_the_summary_of_a_step_is_a_table_with_everything_escaped(comparisons):
    text = markdown(comparisons)
    assert text.startswith("### ❌ cpp vs python: wrong values\n")
    row = next(line for line in text.splitlines() if "a&lt;b&gt;" in line)
    assert row.count("|") == 8
    assert "<b>" not in text
    assert "off by 0.5" in text


OBJECTIONS = {"x": ["b: not what is on disk"], "contract of c": ["output out is missing"]}


def test_an_objection_is_a_failure_whatever_the_topics_say(tmp_path):
    """Of a comparison in which all is equal, and of something that was not compared."""
    one = bag(tmp_path / "one", good=[1.0])
    comparisons = {"x": compare(one, one)}
    write_junit(tmp_path / "junit.xml", comparisons, objections=OBJECTIONS)
    root = ET.parse(tmp_path / "junit.xml").getroot()
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    assert {suite.get("name"): suite.find("testcase/failure").get("message") for suite in root} == {
        name: lines[0] for name, lines in OBJECTIONS.items()
    }
    assert list(workflow_commands(comparisons, objections=OBJECTIONS)) == [
        "::error title=x::b: not what is on disk",
        "::error title=contract of c::output out is missing",
    ]
    text = markdown(comparisons, objections=OBJECTIONS)
    assert "✅" not in text
    assert "### ❌ x: no match\n\n<pre>b: not what is on disk</pre>" in text
    assert "### ❌ contract of c\n\n<pre>output out is missing</pre>" in text
