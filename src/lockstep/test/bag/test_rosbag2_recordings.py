"""Bags that rosbag2's own recorder wrote, whole and killed."""

import pytest
from lockstep.bag import Bag, BagError
from lockstep.bag.recover import recover
from lockstep.bag.text import text

WHOLE = {
    "mcap_compr_file_split": {"odom": 242, "imu": 483, "chatter": 48, "blob": 24},
    "mcap_compr_message": {"odom": 62, "imu": 124, "chatter": 13, "blob": 6},
    "mcap_lz4": {"odom": 166, "imu": 331, "chatter": 33, "blob": 17},
    "mcap_zstd_small": {"odom": 260, "imu": 521, "chatter": 52, "blob": 26},
    "sqlite_compr_message": {"odom": 127, "imu": 253, "chatter": 21, "blob": 10},
}
TOPICS = {"odom": "/odom", "imu": "/imu/data", "chatter": "/chatter", "blob": "/blob"}


def decoded(bag):
    """Decodes every message; returns how many there are of each topic."""
    counts = {}
    for message in bag.messages(strict=False):
        bag.codec(message.topic).decode(message.data)
        counts[message.topic] = counts.get(message.topic, 0) + 1
    return counts


@pytest.mark.parametrize("name", WHOLE)
def test_every_message_that_was_recorded_is_there_and_decodes(bags, name):
    expected = {TOPICS[short]: count for short, count in WHOLE[name].items()}
    with Bag(bags / "rosbag2_recorder" / name) as bag:
        assert bag.problem is None
        assert decoded(bag) == {**expected, "/robot_description": 1}
        assert bag.topics["/robot_description"].qos[0].durability == "transient_local"


@pytest.mark.parametrize(
    ("name", "count", "problem"),
    [
        ("killed_mcap_zstd16k", 1164, "is cut off: its last 46 bytes are no whole record"),
        ("killed_mcap_split_last_empty", 109, "is empty: its recorder was killed"),
        ("killed_sqlite_compr_message", 804, None),
    ],
)
def test_of_a_killed_recording_all_that_is_whole_is_read_and_recovered(
    bags, tmp_path, name, count, problem
):
    path = bags / "rosbag2_recorder" / name
    with Bag(path) as bag:
        assert bag.problem is None if problem is None else problem in bag.problem
        counts = decoded(bag)
    assert sum(counts.values()) == count
    assert recover(path, tmp_path / "saved").counts == counts
    with Bag(tmp_path / "saved") as saved:
        assert saved.problem is None
        assert decoded(saved) == counts


def test_an_empty_file_beside_others_is_told_and_the_others_are_read(bags):
    folder = bags / "rosbag2_recorder/killed_mcap_split_last_empty"
    with Bag(folder / "killed_mcap_split_last_empty_0.mcap") as first, Bag(folder) as bag:
        assert list(bag.messages(strict=False)) == list(first.messages(strict=False))
        with pytest.raises(BagError):
            list(bag.messages())
    with pytest.raises(BagError, match=r"_1\.mcap is empty: its recorder was killed"):
        Bag(folder / "killed_mcap_split_last_empty_1.mcap")


def test_a_killed_recording_is_text_of_all_its_topics(bags):
    lines = []
    with (
        Bag(bags / "rosbag2_recorder/killed_mcap_zstd16k") as bag,
        pytest.raises(BagError, match="is cut off"),
    ):
        lines.extend(text(bag))
    assert sum(line.startswith("/") for line in lines) == 1164


def test_type_hashes_that_only_the_metadata_tells_are_taken(bags):
    with Bag(bags / "husky_gps_imu_odom") as bag:
        assert bag.topics["/imu/data"].type_hash.startswith("RIHS01_")
