"""`lockstep convert` and `lockstep recover` at a shell."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.bag.convert import copy
from made_bags import string_cdr, write_annotated, write_db3_strings, write_until_killed
from rosbags.rosbag2 import Reader
from stranger import ACCELERATION, ROOT, Stranger, small_disk

HUSKY = ROOT / "bags/husky_gps_imu_odom"
OFFICE = ROOT / "bags/office_scan_odom_tf"
FILE = ACCELERATION / "husky_acceleration_0.mcap"


def digests(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).digest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def cut(stranger: Stranger, part: float, name: str = "cut.mcap") -> Path:
    """A real bag that its recorder did not end."""
    data = FILE.read_bytes()
    (stranger.cwd / name).write_bytes(data[: int(len(data) * part)])
    return stranger.cwd / name


def damaged(stranger: Stranger) -> Path:
    """A real bag with a damaged chunk in its middle."""
    file = stranger.cwd / "damaged.mcap"
    with Bag(ACCELERATION) as bag, BagWriter(file, chunk_bytes=20_000) as writer:
        copy(bag, writer)
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 0xFF
    file.write_bytes(data)
    return file


def large(folder: Path) -> Path:
    """A bag that takes seconds to copy."""
    with BagWriter(folder, compression="none") as writer:
        writer.add_topic("/a", "std_msgs/msg/String", "string data")
        noise = np.random.default_rng(0).integers(0, 256, (40, 1 << 20), np.uint8)
        for start in range(0, 400, 40):
            writer.write_columns("/a", noise, np.arange(start, start + 40))
    return folder


# convert


def test_a_bag_goes_through_every_storage_and_comes_back_as_it_was(stranger: Stranger):
    for source, target, *options in (
        (OFFICE, "small.mcap", "--compression", "lz4", "--chunk-size", "10000"),
        ("small.mcap", "lite", "--storage", "sqlite3"),
        ("lite/*.db3", "back", "--compression", "none"),
    ):
        done = stranger.run("convert", source, target, *options)
        assert (done.code, done.err) == (0, "")
        assert done.out == f"{target}: 3482 messages of 4 topics\n"
    with Bag(OFFICE) as original, Bag(stranger.cwd / "back") as back:
        rows = [
            [(m.topic, m.log_time_ns, m.data) for m in bag.messages()] for bag in (original, back)
        ]
        assert rows[0] == rows[1]
        assert {t.name: (t.type, t.qos) for t in original.topics.values()} == {
            t.name: (t.type, t.qos) for t in back.topics.values()
        }
    with Reader(stranger.cwd / "lite") as reader:
        assert reader.message_count == 3482
    done = stranger.run("compare", OFFICE, "back", "--align", "tick")
    assert done.code == 0, done.out + done.err


def test_topics_and_times_are_chosen_on_the_command_line(stranger: Stranger):
    words = ["-t", "/fix", "-t", "/imu/data:=/imu", "--start", "100", "--duration", "20"]
    assert stranger.run("convert", HUSKY, "out", *words).code == 0
    with Bag(HUSKY) as original, Bag(stranger.cwd / "out") as made:
        start = original.start_ns + 100 * 10**9
        for topic, new in (("/fix", "/fix"), ("/imu/data", "/imu")):
            part = original.messages([topic], start, start + 20 * 10**9)
            assert [m.data for m in made.messages([new])] == [m.data for m in part]
        assert set(made.topics) == {"/fix", "/imu"}
    done = stranger.run("convert", HUSKY, "rest", "--exclude", "/imu/data", "--end", "5")
    assert done.code == 0
    assert set(Bag(stranger.cwd / "rest").topics) == {"/fix", "/husky_velocity_controller/odom"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["nowhere", "out"], "nowhere does not exist"),
        ([ROOT / "README.md", "out"], "README.md is not a bag"),
        ([HUSKY, "out", "-t", "/x"], "has no topic /x; it has /fix"),
        ([HUSKY, "out", "-t", ":=/x"], "topic ':=/x' is not NAME or NAME:=NEW_NAME"),
        ([HUSKY, "out", "-t", "/fix:="], "topic '/fix:=' is not NAME or NAME:=NEW_NAME"),
        ([HUSKY, "out", "-t", "/fix:=/a", "-t", "/imu/data:=/a"], "would both be named /a"),
        ([HUSKY, "out", "--exclude", "/x"], "has no topic /x"),
        ([HUSKY, "out", "--start", "5", "--end", "4"], "nothing lies between 5 s and 4 s"),
        ([HUSKY, "out", "--end", "4", "--duration", "4"], "contradict each other"),
        ([HUSKY, "out", "--start", "nan"], "nan s is no time in a bag"),
        ([HUSKY, "out", "--chunk-size", "0"], "0 bytes are no size of a chunk"),
        ([HUSKY, "out.mcap", "--storage", "sqlite3"], "out.mcap would not be MCAP"),
        ([HUSKY, "/proc/out"], "cannot create /proc/out: No such file or directory"),
    ],
)
def test_a_conversion_that_cannot_be_is_refused_and_leaves_nothing(
    stranger: Stranger, words: list[str | Path], sentence: str
):
    done = stranger.run("convert", *words)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.error
    assert list(stranger.cwd.iterdir()) == []


@pytest.mark.parametrize("options", [[], ["--storage", "sqlite3"]], ids=["mcap", "sqlite3"])
def test_an_output_that_exists_is_left_alone(stranger: Stranger, options: list[str]):
    (stranger.cwd / "out").mkdir()
    (stranger.cwd / "out/precious").write_text("mine")
    (stranger.cwd / "out.mcap").write_text("mine")
    before = digests(stranger.cwd)
    for output in ["out", *([] if options else ["out.mcap"])]:
        done = stranger.run("convert", HUSKY, output, *options)
        assert (done.code, done.out) == (2, "")
        assert f"{output} exists already" in done.error
    assert digests(stranger.cwd) == before


def test_a_bag_is_never_converted_into_itself(stranger: Stranger):
    (stranger.cwd / "x.mcap").write_bytes(FILE.read_bytes())
    done = stranger.run("convert", "x.mcap", "x.mcap")
    assert (done.code, done.error) == (
        2,
        "error: x.mcap exists already; choose another file or delete it",
    )
    assert (stranger.cwd / "x.mcap").read_bytes() == FILE.read_bytes()


def test_a_bag_that_is_known_to_be_cut_off_is_refused_before_anything_is_made(stranger: Stranger):
    file = cut(stranger, 0.5)
    done = stranger.run("convert", file, "out")
    assert done.code == 2
    assert "cut.mcap is cut off" in done.error
    assert done.error.endswith("; --lenient copies what is whole")
    assert not (stranger.cwd / "out").exists()
    done = stranger.run("convert", file, "out", "--lenient")
    assert done.code == 0
    assert done.error.startswith("lost: ") and "cut.mcap is cut off" in done.error
    with Bag(stranger.cwd / "out") as made, Bag(file) as bag:
        assert made.problem is None
        assert list(made.messages()) == list(bag.messages(strict=False))


def test_damage_on_the_way_tells_what_is_there_and_lenient_copies_the_rest(stranger: Stranger):
    file = damaged(stranger)
    done = stranger.run("convert", file, "out")
    made = Bag(stranger.cwd / "out")
    assert done.code == 2
    assert "damaged.mcap is damaged: the chunk at byte" in done.error
    assert done.error.endswith(f"; out holds the {made.count} messages before that")
    assert made.problem is None
    done = stranger.run("convert", file, "more", "--lenient")
    assert done.code == 0
    assert "lost: " in done.error
    more = Bag(stranger.cwd / "more")
    assert made.count < more.count < 3000
    assert more.problem is None


@pytest.mark.parametrize("lenient", [[], ["--lenient"]], ids=["strict", "lenient"])
def test_where_nothing_can_be_copied_nothing_is_left_behind(stranger: Stranger, lenient: list[str]):
    data = bytearray(FILE.read_bytes())
    for position in range(60, data.rindex(b"\x0f\4\0\0\0\0\0\0\0"), 50):
        data[position] ^= 0xFF
    (stranger.cwd / "x.mcap").write_bytes(data)
    assert Bag(stranger.cwd / "x.mcap").count == 3000  # says its index
    done = stranger.run("convert", "x.mcap", "out", *lenient)
    assert (done.code, done.out) == (2, "")
    assert "x.mcap is damaged" in done.error
    assert done.error.endswith("; nothing was copied")
    assert [path.name for path in stranger.cwd.iterdir()] == ["x.mcap"]


def test_messages_that_are_no_cdr_go_to_mcap_alone(stranger: Stranger):
    with BagWriter(stranger.cwd / "json") as writer:
        writer.add_topic("/a", "", "", message_encoding="json")
        writer.write("/a", b"{}", 1)
    done = stranger.run("convert", "json", "lite", "--storage", "sqlite3")
    assert (done.code, done.out) == (2, "")
    assert "/a is no ROS topic (json, no schema), which SQLite storage cannot hold" in done.error
    assert not (stranger.cwd / "lite").exists()
    assert stranger.run("convert", "json", "out").code == 0
    assert [m.data for m in Bag(stranger.cwd / "out").messages()] == [b"{}"]


@pytest.mark.parametrize("options", [["--compression", "zstd"], ["--storage", "sqlite3"]], ids=str)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_conversion_leaves_a_valid_bag(
    stranger: Stranger, options: list[str], number: signal.Signals
):
    source = large(stranger.cwd / "large")
    out = stranger.cwd / "out"
    command = stranger.start("convert", source, out, *options)
    command.wait_until(
        lambda: any(path.stat().st_size > 5 << 20 for path in out.glob("out_0.*[3p]")),
        "some messages",
    )
    command.signal_group(number)
    done = command.end()
    assert (done.code, done.out) == (130, "")
    assert done.error.startswith("interrupted")
    with Bag(out) as made, Bag(source) as bag:
        assert made.problem is None
        assert 0 < made.count < bag.count
        for ours, theirs in zip(made.messages(), bag.messages(), strict=False):
            assert ours.data == theirs.data
    with Reader(out) as reader:
        assert reader.message_count == made.count


@pytest.mark.parametrize("options", [["--compression", "none"], ["--storage", "sqlite3"]], ids=str)
def test_a_full_disk_is_told_in_a_sentence_with_what_is_there(
    stranger: Stranger, options: list[str]
):
    with small_disk(stranger.cwd / "disk", "size=2M") as disk:
        done = stranger.run("convert", HUSKY, disk / "out", *options)
        count = Bag(disk / "out").count
        assert (done.code, done.out) == (2, "")
        assert f"cannot write {disk}/out" in done.error
        assert done.error.endswith(f"; {disk}/out holds the {count} messages before that")
        assert 0 < count < 16806
        recovered = stranger.run("recover", disk / "out", "-o", "saved")
        assert recovered.code == 0
        assert Bag(stranger.cwd / "saved").count == count


def test_a_full_disk_with_room_for_nothing_leaves_nothing(stranger: Stranger):
    for options in ([], ["--storage", "sqlite3"]):
        with small_disk(stranger.cwd / "disk", "size=16k") as disk:
            done = stranger.run("convert", ACCELERATION, disk / "out", *options)
            assert (done.code, done.out) == (2, "")
            assert f"{disk}/out" in done.error
            assert list(disk.iterdir()) == []
        (stranger.cwd / "disk").rmdir()


# recover


def test_the_bag_of_a_killed_recorder_is_recovered_beside_it(stranger: Stranger):
    folder = write_until_killed(stranger.cwd / "recording")
    before = digests(folder)
    assert stranger.run("info", folder).code == 2
    done = stranger.run("recover", folder)
    made = Bag(stranger.cwd / "recording_recovered")
    assert done.code == 0
    assert done.out == f"{made.path}: {made.count} messages of 1 topics saved\n"
    assert done.error.startswith("lost: ") and "recording_0.mcap is cut off" in done.error
    assert "lockstep recover" not in done.error
    assert made.problem is None and made.count > 100
    assert digests(folder) == before
    assert stranger.run("info", made.path).code == 0


def test_damage_in_the_middle_is_told_and_the_rest_saved(stranger: Stranger):
    file = damaged(stranger)
    done = stranger.run("recover", file, "-o", "saved.mcap")
    assert done.code == 0
    made = Bag(stranger.cwd / "saved.mcap")
    assert made.problem is None
    assert f"{3000 - made.count} of the 3000 messages that the index counts" in done.error
    assert 0 < made.count < 3000


def test_a_whole_bag_loses_nothing(stranger: Stranger):
    done = stranger.run("recover", ACCELERATION, "-o", "saved")
    assert (done.code, done.err) == (0, "")
    assert done.out == "saved: 3000 messages of 1 topics saved, nothing lost\n"
    assert list(Bag(stranger.cwd / "saved").messages()) == list(Bag(ACCELERATION).messages())


@pytest.mark.parametrize("part", [0.0, 0.0001, 0.001])
def test_where_nothing_can_be_saved_nothing_is_left_behind(stranger: Stranger, part: float):
    file = cut(stranger, part)
    for options in ([], ["-o", "saved"], ["-o", "saved.mcap"]):
        done = stranger.run("recover", file, *options)
        assert (done.code, done.out) == (2, "")
        assert "cut.mcap" in done.error
        assert os.listdir(stranger.cwd) == ["cut.mcap"]


def test_a_recovery_never_writes_over_anything(stranger: Stranger):
    file = cut(stranger, 0.5)
    (stranger.cwd / "cut_recovered").mkdir()
    before = digests(stranger.cwd)
    for options in ([], ["-o", file]):
        done = stranger.run("recover", file, *options)
        assert (done.code, done.out) == (2, "")
        assert "exists already" in done.error
    assert digests(stranger.cwd) == before


def test_an_interrupted_recovery_leaves_a_valid_bag_and_the_original(stranger: Stranger):
    source = large(stranger.cwd / "large")
    file = source / "large_0.mcap"
    os.truncate(file, file.stat().st_size - 100)
    out = stranger.cwd / "out"
    command = stranger.start("recover", source, "-o", out)
    command.wait_until(lambda: any(p.stat().st_size > 5 << 20 for p in out.glob("*.mcap")))
    command.signal_group(signal.SIGINT)
    done = command.end()
    assert (done.code, done.out) == (130, "")
    with Bag(out) as made:
        assert made.problem is None
        assert 0 < made.count < 400


@pytest.mark.parametrize("command", ["convert", "recover"])
def test_help_has_examples(stranger: Stranger, command: str):
    done = stranger.run(command, "--help")
    assert done.code == 0
    assert f"lockstep {command} " in done.out.partition("Examples")[2]


def test_a_dataset_that_is_no_bag_is_converted_to_and_fro(stranger: Stranger):
    words = ["-t", "/fix:=/gps", "--start", "1", "--duration", "50"]
    done = stranger.run("convert", HUSKY, "part.pkl", *words)
    assert (done.code, done.out) == (0, "part.pkl: 125 messages of 1 topics\n")
    assert stranger.run("convert", "part.pkl", "from_pickle").code == 0
    assert stranger.run("convert", HUSKY, "from_bag", *words).code == 0
    done = stranger.run("compare", "from_bag", "from_pickle", "--absolute")
    assert done.code == 0
    assert "125 with identical bytes" in done.out


@pytest.mark.parametrize("target", ["x.pkl", "--storage=sqlite3"])
def test_convert_names_what_its_target_cannot_hold(stranger: Stranger, target: str):
    write_annotated(stranger.cwd / "bag")
    done = stranger.run("convert", "bag", *(["x", target] if "=" in target else [target]))
    assert done.code == 0
    assert done.error.startswith("left out, as the target cannot hold it: ")
    assert done.error.endswith("the attachment 'calib.yaml', the metadata record 'episode'")
    assert ("the ROS distribution 'rolling'" in done.error) == (target == "x.pkl")


EARLY = "2 messages of /a have times before 1970 (the first by 2 s), which MCAP cannot hold; "


def early_bag(folder: Path) -> Path:
    """w0 … w4 on /a at -2, -1, 0, 1 and 2 s, which rosbag2's SQLite storage holds."""
    path = folder / "early.db3"
    rows = [("/a", (number - 2) * 10**9, string_cdr(b"w%d" % number)) for number in range(5)]
    write_db3_strings(path, rows)
    return path


def strings(path: Path) -> list[tuple[int, str]]:
    with Bag(path) as bag:
        codec = bag.codec("/a")
        return [(m.log_time_ns // 10**9, codec.decode(m.data).data) for m in bag.messages()]


def test_times_before_1970_are_not_converted_to_mcap_but_kept_where_they_can_be(
    stranger: Stranger,
):
    early_bag(stranger.cwd)
    done = stranger.run("convert", "early.db3", "out")
    assert done.code == 2 and done.out == ""
    advice = "--storage sqlite3 keeps them, --lenient leaves them out; nothing was copied"
    assert done.error.endswith(EARLY + advice)
    assert not (stranger.cwd / "out").exists()
    done = stranger.run("convert", "early.db3", "out", "--lenient")
    assert (done.code, done.error) == (0, f"lost: {EARLY}--storage sqlite3 keeps them")
    assert strings(stranger.cwd / "out") == [(0, "w2"), (1, "w3"), (2, "w4")]
    assert stranger.run("convert", "early.db3", "all", "--storage", "sqlite3").code == 0
    assert strings(stranger.cwd / "all") == [(n - 2, f"w{n}") for n in range(5)]
    done = stranger.run("convert", "early.db3", "none", "--lenient", "--duration", "2")
    assert done.code == 2 and EARLY in done.error
    assert not (stranger.cwd / "none").exists()


def test_times_before_1970_are_recovered_to_the_storage_that_holds_them(stranger: Stranger):
    early_bag(stranger.cwd)
    done = stranger.run("recover", "early.db3", "-o", "out")
    assert (done.code, done.out) == (0, "out: 3 messages of 1 topics saved\n")
    assert done.error == f"lost: {EARLY}--storage sqlite3 keeps them"
    assert strings(stranger.cwd / "out") == [(0, "w2"), (1, "w3"), (2, "w4")]
    done = stranger.run("recover", "early.db3", "-o", "all", "--storage", "sqlite3")
    assert done.out == "all: 5 messages of 1 topics saved, nothing lost\n"
    assert strings(stranger.cwd / "all") == [(n - 2, f"w{n}") for n in range(5)]
    assert stranger.run("recover", "early.db3", "-o", "x.mcap", "--storage", "sqlite3").code == 2


def test_a_damaged_bag_becomes_no_dataset_unless_that_is_allowed(stranger: Stranger):
    killed = ROOT / "bags/rosbag2_recorder/killed_mcap_zstd16k"
    done = stranger.run("convert", killed, "k.pkl")
    assert done.code == 2
    assert "is cut off" in done.error and "--lenient copies what is whole" in done.error
    assert not (stranger.cwd / "k.pkl").exists()
    done = stranger.run("convert", killed, "k.pkl", "--lenient")
    assert (done.code, done.out) == (0, "k.pkl: 1164 messages of 5 topics\n")
    assert done.error.startswith("lost: ")
