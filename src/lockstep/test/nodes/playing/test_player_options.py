"""The command line of the player."""

import math

import pytest
from lockstep.bag.metadata import OfferedQoS
from lockstep.errors import UsageError
from lockstep.nodes.playing.clock import ClockOptions
from lockstep.nodes.playing.offers import read_overrides
from lockstep.nodes.playing.options import parse_options


def test_the_words_of_ros2_bag_play_and_ours_mean_the_same():
    theirs = (
        "bag --topics /a /b --rate 2 --playback-duration 3 --start-paused --start-offset 1 "
        "-m /a:=/c"
    )
    ours = "bag --topic /a --topic /b --rtf 2 --duration 3 --paused --start-offset 1 --remap /a:=/c"
    assert parse_options(theirs.split()) == parse_options(ours.split())


@pytest.mark.parametrize(
    ("words", "clock"),
    [
        ([], ClockOptions("auto")),
        (["--clock"], ClockOptions("times", rate_hz=40.0)),
        (["--clock", "200"], ClockOptions("times", rate_hz=200.0)),
        (["--clock", "bag"], ClockOptions("bag")),
        (["--clock-topics-all"], ClockOptions("times", by_topics=True)),
        (["--clock-topics", "/a"], ClockOptions("times", by_topics=True, topics=["/a"])),
    ],
)
def test_clock_is_a_rate_or_a_source(words, clock):
    assert parse_options(["bag", *words]).clock == clock


def test_patience_with_subscribers_is_in_milliseconds_and_0_is_for_ever():
    assert parse_options(["bag"]).acknowledged_s == 10
    assert parse_options(["bag", "--wait-for-all-acked", "500"]).acknowledged_s == 0.5
    assert parse_options(["bag", "--wait-for-all-acked", "0"]).acknowledged_s == math.inf


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("", "give the bag to play"),
        ("bag --rate 0", "real-time factor 0 is not greater than 0"),
        ("bag --rate x", "argument -r/--rate/--rtf: invalid float value: 'x'; see --help"),
        ("bag --delay -1", "argument -d/--delay: -1 is negative or no number; see --help"),
        ("bag --playback-duration nan", "nan is negative or no number"),
        ("bag --playback-until-sec inf", "inf is not finite"),
        ("bag --read-ahead-queue-size 0", "0 is not greater than 0"),
        ("bag --clock -3", "--clock -3 is no rate in Hz"),
        ("bag --clock soon", "--clock soon is neither a rate in Hz nor one of auto, bag"),
        ("bag --storage-config-file x", "unrecognized arguments: --storage-config-file x"),
        ("bag --loop --window 1", "in lockstep (--window) a bag is played once"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words, sentence):
    with pytest.raises(UsageError) as refused:
        parse_options(words.split())
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_overrides_of_qos_are_read_as_ros2_bag_writes_them(tmp_path):
    file = tmp_path / "qos.yaml"
    file.write_text(
        "/a:\n  reliability: best_effort\n  history: keep_all\n"
        "  deadline:\n    sec: 1\n    nsec: 5\n"
    )
    assert read_overrides(str(file)) == {
        "/a": OfferedQoS(reliability="best_effort", history="keep_all", deadline_ns=1_000_000_005)
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[]", "must map topics to their QoS"),
        ("/a: 1", "the QoS of /a must map policies to values"),
        ("/a: {reliability: best}", "reliability of /a is best; give reliable or best_effort"),
        ("/a: {depth: -1}", "depth of /a is -1; give a number of messages"),
        ("/a: {deadline: {sec: -1, nsec: 0}}", "deadline of /a must be {sec: S, nsec: NS}"),
        ("/a: {dept: 1}", "dept of /a is unknown; there are history"),
        ("{", "is not YAML"),
    ],
)
def test_overrides_that_make_no_sense_are_refused(tmp_path, text, sentence):
    file = tmp_path / "qos.yaml"
    file.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_overrides(str(file))
    assert str(file) in str(refused.value) and sentence in str(refused.value)
