"""A recovered bag is whole for every reader and holds exactly the whole messages.

The original is only read.
"""

import hashlib
import os
import shutil

import pytest
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.convert import copy
from lockstep.bag.enclosed import enclosed
from lockstep.bag.metadata import OfferedQoS, Origin
from lockstep.bag.output import record
from lockstep.bag.recover import recover, recovered_path
from made_bags import string_cdr, write_db3_strings, write_rosbag1_strings, write_until_killed
from mcap.reader import make_reader
from mcap.records import Metadata
from rosbags.rosbag2 import Reader

STRING = "std_msgs/msg/String"
LATCHED = OfferedQoS(durability="transient_local")


def cdr(number):
    return string_cdr(b"%05d" % number + b"x" * (number % 40))


def write(folder, count=200, chunk_bytes=500, numbers=None):
    """A bag of two topics, one of them latched."""
    with BagWriter(folder, chunk_bytes=chunk_bytes) as writer:
        writer.add_topic("/a", STRING, "string data")
        writer.add_topic("/b", STRING, "string data", qos=(LATCHED,))
        for number in numbers or range(count):
            writer.write(("/a", "/b")[number % 3 == 0], cdr(number), number, 10**18 + number)
    return folder


def write_db3(path):
    return write_db3_strings(path, [("/a", number, cdr(number)) for number in range(200)])


def write_bag(path):
    return write_rosbag1_strings(
        path, [("/a", number, b"%05d" % number) for number in range(200)], chunk_bytes=500
    )


def messages_of(path):
    with Bag(path) as bag:
        return list(bag.messages(strict=False))


def assert_holds(folder, messages):
    """The bag is whole and holds these messages in this order.

    Two other libraries read the same.
    """
    with Bag(folder) as bag:
        assert bag.problem is None
        assert list(bag.messages()) == messages
    rows = sorted((m.topic, m.log_time_ns, m.data) for m in messages)
    with Reader(folder) as reader:
        found = [(c.topic, time_ns, bytes(data)) for c, time_ns, data in reader.messages()]
        assert reader.message_count == len(messages)
    assert sorted(found) == rows
    [file] = folder.glob("*.mcap")
    with file.open("rb") as stream:
        read = make_reader(stream, validate_crcs=True).iter_messages(log_time_order=False)
        assert [(c.topic, m.log_time, m.publish_time, m.data) for _, c, m in read] == messages


def digests(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).digest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_bag_of_a_killed_writer_is_made_whole(tmp_path):
    write_until_killed(tmp_path / "killed")
    before = digests(tmp_path / "killed")
    there = messages_of(tmp_path / "killed")
    assert len(there) > 100
    recovery = recover(tmp_path / "killed", tmp_path / "saved")
    assert recovery.counts == {"/a": len(there)}
    assert "is cut off" in " ".join(recovery.lost)
    assert_holds(tmp_path / "saved", there)
    assert digests(tmp_path / "killed") == before


@pytest.mark.parametrize("chunk_bytes", [1, 500, 10**6])
def test_of_a_bag_cut_off_anywhere_all_that_is_whole_is_saved(tmp_path, chunk_bytes):
    whole = write(tmp_path / "whole", chunk_bytes=chunk_bytes) / "whole_0.mcap"
    data, messages = whole.read_bytes(), messages_of(whole)
    cut = tmp_path / "cut.mcap"
    most = 0
    for part in range(1, 20):
        cut.write_bytes(data[: len(data) * part // 20])
        there = messages_of(cut)
        assert there == messages[: len(there)]
        assert len(there) >= most
        most = len(there)
        output = tmp_path / f"saved_{part}"
        if not there:
            with pytest.raises(BagError, match=r"cut\.mcap holds no whole message"):
                recover(cut, output)
            assert not output.exists()
            continue
        recovery = recover(cut, output)
        assert sum(recovery.counts.values()) == len(there)
        assert recovery.lost
        assert_holds(output, there)
    assert most > 100


@pytest.mark.parametrize("write_other", [write_db3, write_bag], ids=["sqlite3", "rosbag1"])
def test_cut_off_bags_of_other_storages_are_saved_as_mcap(tmp_path, write_other):
    data = write_other(tmp_path / "whole").read_bytes()
    for part in (4, 5, 6):
        cut = tmp_path / f"cut_{part}"
        cut.write_bytes(data[: len(data) * part // 10])
        there = messages_of(cut)
        assert 0 < len(there) < 200
        recovery = recover(cut, tmp_path / f"saved_{part}")
        assert "is cut off" in recovery.lost[0]
        assert_holds(tmp_path / f"saved_{part}", there)


def test_damage_in_the_middle_costs_one_chunk(tmp_path):
    file = write(tmp_path / "bag") / "bag_0.mcap"
    messages = messages_of(file)
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 0xFF
    file.write_bytes(data)
    recovery = recover(tmp_path / "bag", tmp_path / "saved")
    saved = messages_of(tmp_path / "saved")
    assert [m for m in messages if m in saved] == saved
    assert 180 < len(saved) < 200
    assert "bag_0.mcap is damaged: the chunk at byte" in recovery.lost[0]
    lost = len(messages) - len(saved)
    assert recovery.lost[-1] == f"{lost} of the 200 messages that the index counts are not saved"
    assert not any("lockstep recover" in sentence for sentence in recovery.lost)
    assert_holds(tmp_path / "saved", saved)


def test_a_damaged_page_of_a_database_costs_only_itself(tmp_path):
    data = bytearray(write_db3(tmp_path / "x.db3").read_bytes())
    page = len(data) // 2 // 512 * 512
    data[page : page + 100] = b"\xff" * 100
    (tmp_path / "x.db3").write_bytes(data)
    recovery = recover(tmp_path / "x.db3", tmp_path / "saved")
    assert 180 < recovery.counts["/a"] < 200
    assert "x.db3 is damaged" in recovery.lost[0]
    assert_holds(tmp_path / "saved", messages_of(tmp_path / "x.db3"))


def test_qos_types_and_times_are_kept(tmp_path):
    file = write(tmp_path / "bag") / "bag_0.mcap"
    file.write_bytes(file.read_bytes()[:-100])
    recover(file, tmp_path / "saved")
    with Bag(tmp_path / "saved") as bag:
        assert bag.topics["/b"].qos == (LATCHED,)
        assert bag.topics["/a"].definition == "string data"
        assert bag.messages().__next__().publish_time_ns == 10**18


def test_without_metadata_nothing_is_lost(tmp_path):
    messages = messages_of(write(tmp_path / "bag"))
    (tmp_path / "bag/metadata.yaml").unlink()
    assert recover(tmp_path / "bag", tmp_path / "saved").lost == ()
    assert_holds(tmp_path / "saved", messages)


@pytest.mark.parametrize("text", ["", "[", "nonsense: true", "\0" * 100])
def test_metadata_that_is_none_is_told_and_nothing_else_is_lost(tmp_path, text):
    messages = messages_of(write(tmp_path / "bag"))
    (tmp_path / "bag/metadata.yaml").write_text(text)
    recovery = recover(tmp_path / "bag", tmp_path / "saved")
    assert len(recovery.lost) == 1
    assert "metadata.yaml is not rosbag2 metadata" in recovery.lost[0]
    assert_holds(tmp_path / "saved", messages)


def test_metadata_that_counts_messages_that_are_not_there_is_told(tmp_path):
    messages = messages_of(write(tmp_path / "bag"))
    path = tmp_path / "bag/metadata.yaml"
    path.write_text(path.read_text().replace("message_count: 133", "message_count: 140"))
    recovery = recover(tmp_path / "bag", tmp_path / "saved")
    [told] = recovery.lost
    assert told.endswith("its metadata.yaml counts 140 messages of /a, its files hold 133")
    assert_holds(tmp_path / "saved", messages)


def test_of_a_split_bag_all_files_that_can_be_read_are_saved_in_their_order(tmp_path):
    folder = tmp_path / "bag"
    folder.mkdir()
    for number in (2, 9, 10):
        part = write(tmp_path / "part", numbers=range(100 * number, 100 * number + 50))
        shutil.move(part / "part_0.mcap", folder / f"bag_{number}.mcap")
        shutil.rmtree(part)
    for foreign in ("bag_3.mcap", "bag_4.mcap.tmp", "._bag_2.mcap"):
        (folder / foreign).touch()
    recovery = recover(folder, tmp_path / "saved")
    assert [os.path.basename(sentence.split()[0]) for sentence in recovery.lost] == ["bag_3.mcap"]
    assert [m.log_time_ns for m in messages_of(tmp_path / "saved")] == [
        *range(200, 250),
        *range(900, 950),
        *range(1000, 1050),
    ]


def test_a_file_that_metadata_names_and_that_is_gone_is_told(tmp_path):
    messages = messages_of(write(tmp_path / "bag"))
    path = tmp_path / "bag/metadata.yaml"
    text = path.read_text().replace("- bag_0.mcap", "- bag_0.mcap\n  - bag_1.mcap", 1)
    path.write_text(text)
    recovery = recover(tmp_path / "bag", tmp_path / "saved")
    assert "names bag_1.mcap, which is not in the folder" in recovery.lost[0]
    assert_holds(tmp_path / "saved", messages)


@pytest.mark.parametrize("damaged", [False, True])
def test_a_topic_of_two_types_is_taken_apart(tmp_path, damaged):
    folder = tmp_path / "bag"
    folder.mkdir()
    for number, name in enumerate((STRING, "a/msg/B")):
        with BagWriter(folder / f"bag_{number}.mcap") as writer:
            writer.add_topic("/a", name, "string data")
            writer.add_topic("/b", STRING, "string data")
            writer.write("/a", cdr(1), number)
            writer.write("/b", cdr(2), number)
    if damaged:
        (folder / "metadata.yaml").write_text("damaged")
    recovery = recover(folder, tmp_path / "saved")
    assert recovery.counts == {"/a": 1, "/b": 2, "/a (a/msg/B)": 1}
    assert len(recovery.lost) == damaged
    with Bag(tmp_path / "saved") as bag:
        assert bag.problem is None
        assert [t.type for t in bag.topics.values()] == [STRING, STRING, "a/msg/B"]


def test_attachments_are_saved_and_what_cannot_be_is_told(tmp_path):
    write(tmp_path / "bag", 2)
    with Bag(tmp_path / "bag") as bag, BagWriter(tmp_path / "more") as writer:
        copy(bag, writer)
        note = record(Metadata("episode", {"task": "pick"}))
        writer.enclose(enclosed(note[0], note[9:]))
        writer.describe(Origin({"vehicle": "truck 7"}))
    recovery = recover(tmp_path / "more", tmp_path / "saved")
    assert recovery.lost == ()
    with Bag(tmp_path / "saved") as bag:
        assert [one.name for one in bag.enclosed()] == ["episode"]
        assert bag.origin.custom_data == {"vehicle": "truck 7"}
    assert recover(tmp_path / "more", tmp_path / "bare.mcap").lost == ()
    with Bag(tmp_path / "bare.mcap") as bag:
        assert bag.origin.custom_data == {"vehicle": "truck 7"}


def test_an_empty_bag_is_whole(tmp_path):
    with BagWriter(tmp_path / "bag") as writer:
        writer.add_topic("/a", STRING, "string data")
    recovery = recover(tmp_path / "bag", tmp_path / "saved")
    assert (recovery.counts, recovery.lost) == ({"/a": 0}, ())
    assert_holds(tmp_path / "saved", [])


def test_where_no_message_is_whole_nothing_is_left_behind(tmp_path):
    file = write(tmp_path / "bag", chunk_bytes=10**6) / "bag_0.mcap"
    data = bytearray(file.read_bytes())
    for position in range(60, len(data) - 600):
        data[position] ^= 0x55
    file.write_bytes(data)
    for path, sentence in (
        (tmp_path / "bag", "holds no whole message"),
        (tmp_path / "nowhere", "does not exist"),
        (tmp_path, r"holds no \.mcap file"),
    ):
        for output in (tmp_path / "saved", tmp_path / "saved.mcap"):
            with pytest.raises(BagError, match=sentence):
                recover(path, output)
            assert not output.exists()


def test_an_output_that_exists_is_left_alone(tmp_path):
    write(tmp_path / "bag")
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved/precious").write_text("mine")
    (tmp_path / "saved.mcap").write_text("mine")
    for output in (tmp_path / "saved", tmp_path / "saved.mcap", tmp_path / "bag"):
        before = digests(tmp_path)
        with pytest.raises(BagError, match="exists already"):
            recover(tmp_path / "bag", output)
        assert digests(tmp_path) == before


def test_one_file_is_written_where_the_output_ends_in_mcap(tmp_path):
    messages = messages_of(write(tmp_path / "bag"))
    recover(tmp_path / "bag", tmp_path / "saved.mcap")
    assert messages_of(tmp_path / "saved.mcap") == messages
    assert sorted(os.listdir(tmp_path)) == ["bag", "saved.mcap"]


def test_progress_reaches_the_number_of_messages(tmp_path):
    told = []
    recover(write(tmp_path / "bag"), tmp_path / "saved", lambda done, of: told.append((done, of)))
    assert told[-1] == (200, 200)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bag", "bag_recovered"),
        ("bag/", "bag_recovered"),
        ("bag/bag_0.mcap", "bag/bag_0_recovered"),
        ("x.db3.zstd", "x_recovered"),
        ("x.bag.active", "x_recovered"),
        ("my.bags", "my.bags_recovered"),
        ("bag/..", "here_recovered"),
    ],
)
def test_the_recovered_bag_lies_beside_the_original(tmp_path, monkeypatch, name, expected):
    here = tmp_path / "here"
    (here / "bag").mkdir(parents=True)
    monkeypatch.chdir(here)
    parent = tmp_path if name == "bag/.." else here
    assert recovered_path(name) == parent / expected
