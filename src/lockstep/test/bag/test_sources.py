import errno
import os
import shutil
import tempfile

import lz4.frame
import pytest
import yaml
import zstandard
from lockstep.bag import Bag, BagError
from lockstep.bag.bag_files import bag_files
from lockstep.bag.metadata import parse_qos
from lockstep.bag.source import open_source
from lockstep.bag.storage.mcap import McapFile
from lockstep.bag.temporary import TemporarySource
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer


def rewritten(folder, **changes):
    """A bag whose metadata.yaml says something else; None deletes a key."""
    path = folder / "metadata.yaml"
    data = yaml.safe_load(path.read_text())
    information = data["rosbag2_bagfile_information"] | changes
    data["rosbag2_bagfile_information"] = {k: v for k, v in information.items() if v is not None}
    path.write_text(yaml.safe_dump(data))
    return folder


@pytest.fixture
def folder(bags, tmp_path):
    return shutil.copytree(bags / "gazebo_diff_drive", tmp_path / "gazebo_diff_drive")


FILE = "gazebo_diff_drive_0.mcap"


def names(path):
    return [os.path.relpath(file, path) for file in bag_files(path)[0]]


def test_a_file_is_read_by_ranges(tmp_path):
    path = tmp_path / "x.mcap"
    path.write_bytes(bytes(range(100)))
    source = open_source(path)
    assert (source.name, source.size, source.path) == (str(path), 100, str(path))
    assert source.read(10, 3) == b"\x0a\x0b\x0c"
    assert source.read(98, 10) == b"\x62\x63"
    assert source.read(100, 1) == source.read(10**15, 1) == source.read(0, 0) == b""
    assert source.read(-5, 3) == b""
    assert len(source.read(0, 2**62)) == 100
    source.close()
    source.close()


def test_files_are_in_the_order_of_their_numbers_without_metadata(tmp_path):
    for name in ("b_10.mcap", "b_9.mcap", "b_1.db3", "b_2.db3.zstd", "b_0.bag", "c.mcap.lz4"):
        (tmp_path / name).touch()
    for foreign in ("notes.txt", "x.mcap.part", "x.zstd", "sub.mcap"):
        (tmp_path / foreign).mkdir() if foreign == "sub.mcap" else (tmp_path / foreign).touch()
    assert names(tmp_path) == [
        "b_0.bag",
        "b_1.db3",
        "b_2.db3.zstd",
        "b_9.mcap",
        "b_10.mcap",
        "c.mcap.lz4",
    ]


def test_files_are_in_the_order_of_the_metadata(folder):
    shutil.copy(folder / FILE, folder / "a.mcap")
    rewritten(folder, relative_file_paths=[FILE, "a.mcap"])
    assert names(folder) == [FILE, "a.mcap"]


@pytest.mark.parametrize("version", range(1, 10))
def test_metadata_of_every_version_is_read(folder, version):
    path = folder / "metadata.yaml"
    data = yaml.safe_load(path.read_text())
    information = data["rosbag2_bagfile_information"]
    since = {"compression_mode": 3, "compression_format": 3, "files": 5, "custom_data": 6}
    for key, first in (since | {"ros_distro": 8}).items():
        if version < first:
            information.pop(key, None)
    information["version"] = version
    for row in information["topics_with_message_count"]:
        if version < 4:
            del row["topic_metadata"]["offered_qos_profiles"]
        elif version < 9:
            row["topic_metadata"]["offered_qos_profiles"] = "- history: 1\n  depth: 1"
        if version < 7:
            row["topic_metadata"].pop("type_description_hash", None)
    if version < 4:
        information["relative_file_paths"] = [f"gazebo_diff_drive/{FILE}"]
    path.write_text(yaml.safe_dump(data))
    with Bag(folder) as bag:
        assert bag.problem is None
        assert names(folder) == [FILE]


def test_an_old_bag_may_be_renamed(folder):
    rewritten(folder, version=3, relative_file_paths=[f"gazebo_diff_drive/{FILE}"])
    renamed = folder.rename(folder.parent / "other")
    assert names(renamed) == [FILE]


@pytest.mark.parametrize(
    "paths", [["../secret.mcap"], ["/etc/passwd"], [".."], [""], ["a/../../x"], [FILE, "gone.mcap"]]
)
def test_metadata_cannot_name_what_is_not_in_the_folder(folder, paths):
    (folder.parent / "secret.mcap").touch()
    rewritten(folder, relative_file_paths=paths)
    with pytest.raises(BagError, match=r"metadata\.yaml names .*, which is not in the folder"):
        bag_files(folder)


def test_a_link_does_not_lead_out_of_the_folder(folder):
    (folder / FILE).rename(folder.parent / "outside.mcap")
    (folder / FILE).symlink_to(folder.parent / "outside.mcap")
    with pytest.raises(BagError, match="which is not in the folder"):
        bag_files(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"relative_file_paths": "x.mcap"},
        {"relative_file_paths": [1]},
        {"relative_file_paths": 5},
        {"topics_with_message_count": 5},
        {"topics_with_message_count": [{}]},
        {"topics_with_message_count": [{"message_count": "x", "topic_metadata": {"name": "/a"}}]},
        {"topics_with_message_count": [{"message_count": 1, "topic_metadata": 7}]},
    ],
)
def test_metadata_of_another_shape_is_refused(folder, changes):
    with pytest.raises(BagError, match=r"metadata\.yaml is not rosbag2 metadata"):
        bag_files(rewritten(folder, **changes))


@pytest.mark.parametrize("text", ["[" * 100_000, "a: &a [*a]", "\0", "a: b\n" * (1 << 22)])
def test_hostile_metadata_is_refused(folder, text):
    (folder / "metadata.yaml").write_text(text)
    with pytest.raises(BagError, match=r"metadata\.yaml is not rosbag2 metadata"):
        bag_files(folder)


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "- " * 100_000, "[{a: " * 50_000, "7", "- 7", "- {}"]
)
def test_hostile_qos_is_refused(text):
    with pytest.raises(ValueError, match="not a QoS profile"):
        parse_qos(text)


def test_a_pattern_names_all_bags_that_match(bags, folder, tmp_path):
    shutil.copytree(bags / "husky_acceleration", tmp_path / "husky_acceleration")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/notes.txt").touch()
    (tmp_path / "list.txt").touch()
    files = [f"gazebo_diff_drive/{FILE}", "husky_acceleration/husky_acceleration_0.mcap"]
    for pattern in ("*", "*/", "*/*.mcap", "**", "[gh]*/"):
        found, information = bag_files(tmp_path / pattern if pattern != "*/" else f"{tmp_path}/*/")
        assert [os.path.relpath(file, tmp_path) for file in found] == files, pattern
    _, information = bag_files(f"{tmp_path}/*/")
    counts = [row["message_count"] for row in information["topics_with_message_count"]]
    with Bag(f"{tmp_path}/*/") as bag:
        assert (
            bag.count == sum(counts) == Bag(folder).count + Bag(bags / "husky_acceleration").count
        )
        assert bag.problem is None
    with pytest.raises(BagError, match="matches no bag"):
        bag_files(f"{tmp_path}/*.db3")


def test_a_folder_may_have_the_name_of_a_pattern(folder):
    odd = folder.rename(folder.parent / "run[1]*")
    assert names(odd) == [FILE]


def test_file_urls_are_paths(folder):
    odd = folder.rename(folder.parent / "with space")
    assert bag_files(odd.as_uri())[0] == [str(odd / FILE)]
    with pytest.raises(BagError, match="is not on this machine"):
        bag_files("file://elsewhere/x.mcap")


@pytest.mark.parametrize("path", ["no/such/bag", "x" * 300, "", "a\0b"])
def test_a_path_that_does_not_exist_is_told(path):
    with pytest.raises(BagError, match="does not exist"):
        bag_files(path)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.mcap")
    for path in (tmp_path / "x.mcap", "/dev/zero"):
        with pytest.raises(BagError, match="is no file"):
            open_source(path)
    with pytest.raises(BagError, match="cannot be read: No such file"):
        open_source(tmp_path / "gone.mcap")
    with pytest.raises(BagError, match="holds no"):
        bag_files(tmp_path)


COMPRESSORS = {
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "lz4": lambda data: lz4.frame.compress(data, content_checksum=True),
}


def leftovers():
    return {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("lockstep-")}


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_compressed_file_is_read_from_a_temporary_one(folder, name):
    plain = (folder / FILE).read_bytes()
    path = folder / f"{FILE}.{name}"
    path.write_bytes(COMPRESSORS[name](plain[:500_000]) + COMPRESSORS[name](plain[500_000:]))
    before = leftovers()
    source = open_source(path)
    assert leftovers() == before
    assert (source.name, source.size) == (str(path), len(plain))
    assert source.read(0, 2**40) == plain
    assert McapFile(source).problem is None
    source.close()


@pytest.mark.parametrize("name", COMPRESSORS)
def test_a_compressed_file_that_is_cut_off_or_damaged_is_never_taken_for_whole(folder, name):
    plain = (folder / FILE).read_bytes()
    data = COMPRESSORS[name](plain)
    path = folder / f"{FILE}.{name}"
    for length in [4, 5, 20, *range(100, len(data), len(data) // 20), len(data) - 5]:
        path.write_bytes(data[:length])
        source = open_source(path)
        assert plain.startswith(source.read(0, len(plain))), length
        assert source.size < len(plain) or length >= len(data) - 5
    for position in range(20, len(data), len(data) // 40):
        bad = bytearray(data)
        bad[position] ^= 0xFF
        path.write_bytes(bad)
        source = open_source(path)
        assert source.size < len(plain) or source.read(0, source.size) == plain


@pytest.mark.parametrize("name", COMPRESSORS)
def test_what_fails_its_checksum_only_at_the_very_end_is_cut_off(folder, name):
    data = bytearray(COMPRESSORS[name](bytes(1 << 20)))
    data[-1] ^= 1
    (folder / "x").write_bytes(data)
    assert open_source(folder / "x").size < 1 << 20


def test_rosbag2_file_compression_is_read_and_leaves_nothing(bags, tmp_path):
    before = leftovers()
    with Bag(bags / "husky_acceleration") as original:
        writer = Writer(tmp_path / "x", version=9, storage_plugin=StoragePlugin.MCAP)
        writer.set_compression(CompressionMode.FILE, CompressionFormat.ZSTD)
        [topic] = original.topics.values()
        with writer:
            connection = writer.add_connection(
                topic.name, topic.type, msgdef=topic.definition, rihs01=topic.type_hash
            )
            for message in original.messages():
                writer.write(connection, message.log_time_ns, message.data)
        assert names(tmp_path / "x") == ["x.mcap.zstd"]
        with Bag(tmp_path / "x") as bag:
            assert [m.data for m in bag.messages()] == [m.data for m in original.messages()]
    assert leftovers() == before


def test_a_database_has_a_name_until_it_is_closed():
    before = leftovers()
    source = TemporarySource("x", [b"SQLite format 3\0", b"rest"])
    assert leftovers() - before == {os.path.basename(os.path.dirname(source.path))}
    with open(source.path, "rb") as stream:
        assert stream.read() == b"SQLite format 3\0rest"
    source.close()
    assert leftovers() == before


def test_nothing_is_left_when_unpacking_fails(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def parts():
        yield b"SQLite format 3\0"
        raise BagError("x")

    with pytest.raises(BagError):
        TemporarySource("x", parts())
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_told(monkeypatch, tmp_path):
    full = os.open("/dev/full", os.O_RDWR)
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "mkstemp", lambda **_: (full, str(tmp_path / "file")))
    with pytest.raises(
        BagError, match=f"{os.strerror(errno.ENOSPC)}; make room there or set TMPDIR"
    ):
        TemporarySource("x.mcap.zstd", [b"data"])
