"""A topic that nothing can decode is compared by its bytes, and blocks no other."""

import pytest
from lockstep.bag import BagWriter
from lockstep.compare import compare, write_text_diffs
from lockstep.compare.result import comparison_as_data
from made_bags import STRING, STRING_DEFINITION, string_cdr

SECRET = "shop_msgs/msg/Secret"


def write(path, level, count=5):
    with BagWriter(path) as writer:
        writer.add_topic("/state", "", "", encoding="", message_encoding="json")
        writer.add_topic("/secret", SECRET, "")
        writer.add_topic("/out", STRING, STRING_DEFINITION)
        for tick in range(count):
            writer.write("/state", b'{"level": %d}' % (level + tick), tick * 10)
            writer.write("/secret", b"\0\1\0\0" + bytes([level]), tick * 10)
            writer.write("/out", string_cdr(b"hello"), tick * 10)
    return path


def test_the_same_bytes_match_and_the_rest_is_judged(tmp_path):
    comparison = compare(write(tmp_path / "a", 0), write(tmp_path / "b", 0))
    assert (comparison.grade, comparison.samples) == ("identical bytes", 15)
    assert "compared by its bytes: /secret has no fields in its definition" in comparison.summary()
    undecoded = [bool(key.undecoded) for key in comparison.keys.values()]
    assert dict(zip(comparison.keys, undecoded, strict=True)) == {
        "/out": False,
        "/secret": True,
        "/state": True,
    }


def test_other_bytes_are_differences_that_are_told(tmp_path):
    a, b = write(tmp_path / "a", 0), write(tmp_path / "b", 1, count=4)
    comparison = compare(a, b)
    keys = comparison.keys
    assert {topic: key.judged.differing for topic, key in keys.items()} == {
        "/out": 0,
        "/secret": 4,
        "/state": 4,
    }
    assert keys["/state"].aligned.only_a[:, 0].tolist() == [4]
    assert comparison_as_data(comparison)["keys"]["/state"]["differing"] == 4
    diffs = write_text_diffs(comparison, tmp_path / "diffs")
    assert "-bytes: 5 bytes, SHA-256" in diffs["/secret"].read_text("utf-8")
    assert "-level: 0\n+level: 1" in diffs["/state"].read_text("utf-8")


@pytest.mark.parametrize("align", ["none", "value"])
def test_what_cannot_be_decoded_can_be_left_out(tmp_path, align):
    a, b = write(tmp_path / "a", 0), write(tmp_path / "b", 1)
    assert not compare(a, b, align=align).all_match
    left = compare(a, b, align=align, exclude=["/state", "/secret"])
    assert list(left.keys) == ["/out"]
    assert left.all_match
