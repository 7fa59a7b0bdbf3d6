"""Where recorded messages go."""

import threading
from contextlib import closing

import pytest
import yaml
from lockstep.bag import Bag, BagError
from lockstep.bag.output import McapOutput
from lockstep.nodes.recording.destination import Destination, Storing
from stranger import small_disk

SECOND = 1_000_000_000
EITHER = pytest.mark.parametrize("storage", ["mcap", "sqlite3"])


def destination(folder, **storing):
    made = Destination(folder, Storing(**{"compression": "none"} | storing))
    made.add_topic("/x", "std_msgs/msg/String", "string data", "", ())
    return made


def information(folder):
    return yaml.safe_load((folder / "metadata.yaml").read_text())["rosbag2_bagfile_information"]


@EITHER
def test_a_file_is_ended_when_it_has_its_size(tmp_path, storage):
    told = []
    made = destination(tmp_path / "bag", max_file_bytes=100_000, storage=storage)
    with closing(made):
        made.split_told = lambda closed, opened: told.append((closed.name, opened.name))
        for number in range(500):
            made.put("/x", bytes(1000), number, number)
    suffix = {"mcap": ".mcap", "sqlite3": ".db3"}[storage]
    sizes = [path.stat().st_size for path in (tmp_path / "bag").glob(f"*{suffix}")]
    assert len(sizes) == 6
    assert max(sizes) < 200_000  # SQLite has large pages and an index
    assert told[0] == (f"bag_0{suffix}", f"bag_1{suffix}") and len(told) == 5
    assert information(tmp_path / "bag")["storage_identifier"] == storage
    with Bag(tmp_path / "bag") as bag:
        assert [m.log_time_ns for m in bag.messages()] == list(range(500))
        assert bag.topics["/x"].definition == "string data"


@EITHER
def test_a_file_is_ended_when_it_is_as_long_as_it_may_be(tmp_path, storage):
    with closing(destination(tmp_path / "bag", max_file_s=2, storage=storage)) as made:
        for number in range(50):
            made.put("/x", bytes(10), number * SECOND // 10, 0)
    files = information(tmp_path / "bag")["files"]
    assert [file["message_count"] for file in files] == [21, 21, 8]


def test_a_snapshot_is_what_came_last(tmp_path):
    with closing(destination(tmp_path / "bag", snapshot=True, cache_bytes=1000)) as made:
        for number in range(100):
            made.put("/x", bytes(100), number, number)
        made.take_snapshot()
        made.put("/x", bytes(100), 200, 200)
        made.take_snapshot()
        made.put("/x", bytes(100), 300, 300)
    with Bag(tmp_path / "bag") as bag:
        assert [m.log_time_ns for m in bag.messages()] == [*range(90, 100), 200]


def test_what_comes_faster_than_the_disk_takes_it_is_lost_and_counted(tmp_path, monkeypatch):
    go = threading.Event()
    store = McapOutput.store
    monkeypatch.setattr(McapOutput, "store", lambda *a: (go.wait(30), store(*a)))
    with closing(destination(tmp_path / "bag", cache_bytes=5_000_000)) as made:
        for number in range(100):
            made.put("/x", bytes(100_000), number, number)
        go.set()
    with Bag(tmp_path / "bag") as bag:
        assert made.dropped["/x"] + bag.count == 100
        assert 40 < bag.count < 55


@EITHER
def test_messages_are_compressed_as_rosbag2_does(tmp_path, storage):
    made = destination(tmp_path / "bag", compress_messages=True, storage=storage)
    with closing(made):
        made.put("/x", bytes(100_000), 1, 1)
    told = information(tmp_path / "bag")
    assert (told["compression_mode"], told["compression_format"]) == ("MESSAGE", "zstd")
    (file,) = (tmp_path / "bag").glob("bag_0.*")
    assert file.stat().st_size < 50_000
    with Bag(tmp_path / "bag") as bag:
        assert [m.data for m in bag.messages()] == [bytes(100_000)]


def test_custom_data_is_in_the_metadata(tmp_path):
    with closing(destination(tmp_path / "bag", custom_data={"site": "hall 3"})):
        pass
    assert information(tmp_path / "bag")["custom_data"] == {"site": "hall 3"}


@EITHER
def test_files_are_compressed_as_rosbag2_does(tmp_path, storage):
    made = destination(tmp_path / "bag", compress_files=True, max_file_s=1, storage=storage)
    with closing(made):
        for number in range(50):
            made.put("/x", bytes(100), number * SECOND // 10, 0)
    told = information(tmp_path / "bag")
    assert (told["compression_mode"], told["compression_format"]) == ("FILE", "zstd")
    assert all(name.endswith(".zstd") for name in told["relative_file_paths"])
    with Bag(tmp_path / "bag") as bag:
        assert bag.count == 50


@EITHER
def test_a_full_disk_leaves_a_whole_bag(tmp_path, storage):
    with small_disk(tmp_path / "disk", "size=5m") as disk:
        made = destination(disk / "bag", storage=storage)
        why = "No space left on device|database or disk is full"
        with pytest.raises(BagError, match=why), closing(made):
            for number in range(100):
                made.put("/x", bytes(100_000), number, number)
        with Bag(disk / "bag") as bag:
            assert bag.problem is None
            assert [m.log_time_ns for m in bag.messages()] == list(range(bag.count))
            assert bag.count > 30
            assert information(disk / "bag")["message_count"] == bag.count
