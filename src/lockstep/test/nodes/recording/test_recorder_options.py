"""The command line of the recorder."""

from pathlib import Path

import pytest
from lockstep.errors import UsageError
from lockstep.nodes.recording.options import parse_options


def test_without_a_choice_all_is_recorded():
    for words in ("bag", "bag --all", "-o bag -a"):
        choice = parse_options(words.split()).choice
        assert choice.all_topics and choice.all_services and choice.all_actions
    assert not parse_options(["bag", "--regex", "x"]).choice.all_topics


def test_the_words_of_ros2_bag_record_and_ours_mean_the_same():
    theirs = parse_options(["-o", "bag", "--topics", "/a", "/b"])
    assert theirs == parse_options(["bag", "--topic", "/a", "--topic", "/b"])


def test_without_a_name_the_bag_is_called_by_the_time():
    assert parse_options([]).folder.name.startswith("rosbag2_2")


def test_names_are_completed_by_the_namespace():
    options = parse_options(
        ["bag", "--topics", "a:std_msgs/msg/Empty", "/b", "--exclude-services", "c"]
    )
    full = options.expanded(lambda name: name if name.startswith("/") else f"/robot/{name}")
    assert full.choice.topics == ("/robot/a", "/b")
    assert full.choice.exclude_services == ("/robot/c",)
    assert full.topic_types == {"/robot/a": "std_msgs/msg/Empty"}


@pytest.mark.parametrize(
    ("words", "compression", "files", "messages"),
    [
        ("", "zstd", False, False),
        ("--storage-preset-profile fastwrite", "none", False, False),
        ("--storage-preset-profile zstd_small", "zstd_small", False, False),
        ("--compression-mode file", "none", True, False),
        ("--compression-mode message --compression-format zstd", "none", False, True),
    ],
)
def test_what_is_compressed(words, compression, files, messages):
    storing = parse_options(["bag", *words.split()]).storing
    assert (storing.compression, storing.compress_files, storing.compress_messages) == (
        compression,
        files,
        messages,
    )


def test_limits_custom_data_and_cache_are_passed_on():
    words = [
        "bag",
        "-b",
        "1000",
        "-d",
        "2",
        "--max-cache-size",
        "7",
        "--custom-data",
        "a=b",
        "c=d=e",
    ]
    storing = parse_options(words).storing
    assert (storing.max_file_bytes, storing.max_file_s, storing.cache_bytes) == (1000, 2, 7)
    assert storing.custom_data == {"a": "b", "c": "d=e"}
    assert parse_options(["bag", "--lockstep"]).storing.cache_bytes == 0, "waits, loses nothing"
    assert parse_options(["bag"]).folder == Path("bag")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("/a /b", "/a and /b are two folders; give one, and topics after --topics"),
        ("bag --cause", "--cause needs --lockstep"),
        (
            "bag -s sqlite3 --storage-preset-profile fastwrite",
            "fastwrite is none of sqlite3, which",
        ),
        ("bag --compression-format zstd", "--compression-format needs --compression-mode"),
        (
            "bag --compression-mode file --compression-format lz4",
            "--compression-format lz4 is not written; use zstd",
        ),
        ("bag --use-sim-time --no-discovery", "leave out --no-discovery"),
        ("bag --snapshot-mode --max-cache-size 0", "give more than 0"),
        ("bag --lockstep --start-paused", "leave out --start-paused"),
        ("bag --lockstep -b 1", "leave out --max-bag-size"),
        ("bag -b -1", "argument -b/--max-bag-size: -1 is negative; see --help"),
        ("bag -d x", "argument -d/--max-bag-duration: invalid number value: 'x'; see --help"),
        ("bag -p 0", "0 is not greater than 0"),
        ("bag --custom-data x", "--custom-data x is no KEY=VALUE"),
        ("bag --regex (", "'(' is no regular expression"),
        ("bag --storage-config-file x", "unrecognized arguments: --storage-config-file x"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(words, sentence):
    with pytest.raises(UsageError) as refused:
        parse_options(words.split())
    assert sentence in str(refused.value)
