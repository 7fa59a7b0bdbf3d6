"""`lockstep text` at a shell."""

from __future__ import annotations

import os
import subprocess

from stranger import ACCELERATION, ROOT, Stranger

HUSKY = str(ROOT / "bags/husky_gps_imu_odom")


def shell(stranger: Stranger, line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line],
        cwd=stranger.cwd,
        env=os.environ | {"BAG": HUSKY},
        capture_output=True,
        text=True,
        check=False,
    )


def test_text_is_the_same_every_time_and_in_any_form_of_the_bag(stranger: Stranger):
    assert stranger.run("convert", HUSKY, "copy", "--compression", "none").code == 0
    done = shell(stranger, 'diff <(lockstep text "$BAG") <(lockstep text copy)')
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_reader_that_has_read_enough_is_no_error(stranger: Stranger):
    done = shell(stranger, 'lockstep text "$BAG" | head -3')
    assert done.returncode == 0
    assert done.stdout.startswith("# lockstep text 1\n")
    assert done.stderr == ""


def test_topics_and_a_file_can_be_chosen(stranger: Stranger):
    done = stranger.run("text", HUSKY, "--topic", "/fix", "--time", "none", "-o", "fix.txt")
    assert (done.code, done.out, done.err) == (0, "", "")
    lines = (stranger.cwd / "fix.txt").read_text("utf-8").splitlines()
    assert lines[1:3] == ["# /fix sensor_msgs/msg/NavSatFix", "/fix 0"]
    assert all(not line.startswith("/") or line.startswith("/fix ") for line in lines)


def test_nothing_is_overwritten_and_wrong_words_are_one_sentence(stranger: Stranger):
    (stranger.cwd / "there.txt").write_text("mine")
    for words, sentence in (
        (["-o", "there.txt"], "there.txt exists already; choose another file or delete it"),
        (["-o", "no/such.txt"], "cannot write no/such.txt: No such file or directory"),
        (["-t", "/nope"], "has no topic /nope; it has /imu/acceleration"),
    ):
        done = stranger.run("text", str(ACCELERATION), *words)
        assert (done.code, done.out) == (2, "")
        assert sentence in done.error
    assert (stranger.cwd / "there.txt").read_text() == "mine"


def test_a_full_disk_is_one_sentence(stranger: Stranger):
    done = shell(stranger, 'lockstep text "$BAG" > /dev/full')
    assert done.returncode == 2
    assert done.stderr == "error: cannot write the standard output: No space left on device\n"


def test_a_cut_off_bag_ends_with_2_after_all_that_is_whole(stranger: Stranger):
    whole = (ACCELERATION / "husky_acceleration_0.mcap").read_bytes()
    (stranger.cwd / "cut.mcap").write_bytes(whole[:100_000])
    done = stranger.run("text", "cut.mcap")
    assert done.code == 2
    assert "cut.mcap is cut off" in done.error
    assert done.out.count("\n/imu/acceleration ") > 100
