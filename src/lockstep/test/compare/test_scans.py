"""Scans of other beams, whose ranges belong together by their angle."""

import numpy as np
import pytest
from lockstep.compare import compare
from lockstep.compare.text_diff import text_diff
from lockstep.message.definitions import definition
from made_bags import write_messages

SCAN = "sensor_msgs/msg/LaserScan"


def scan(count, step, start=-1.0, **changed):
    """Ranges that tell the angle of their beam: 5 + angle."""
    return {
        "header": {"stamp": {"sec": 1, "nanosec": 0}, "frame_id": "laser"},
        "angle_min": start,
        "angle_max": start + step * (count - 1),
        "angle_increment": step,
        "time_increment": 0.0,
        "scan_time": 0.1,
        "range_min": 0.1,
        "range_max": 30.0,
        "ranges": (5 + start + step * np.arange(count)).astype(np.float32),
        "intensities": np.zeros(0, np.float32),
        **changed,
    }


def compared(tmp_path, a, b, **tolerance):
    for name, message in (("a", a), ("b", b)):
        write_messages(tmp_path / name, SCAN, definition(SCAN), [message], topic="/scan")
    found = compare(tmp_path / "a", tmp_path / "b", tolerance=tolerance)
    key = found.keys["/scan"]
    return found, key.judged.fields, "\n".join([found.summary(), *text_diff(found, key)])


BEAMS = {"angle_*": {"ignore": True}, "ranges": {"abs": 1e-4}}


def test_a_finer_scan_has_the_same_ranges_at_the_same_angles(tmp_path):
    found, fields, _ = compared(tmp_path, scan(21, 0.1), scan(41, 0.05), **BEAMS)
    assert found.all_match and fields["ranges"].compared == 21
    b = scan(41, 0.05)
    b["ranges"][14] += 1
    found, fields, told = compared(tmp_path / "2", scan(21, 0.1), b, **BEAMS)
    assert fields["ranges"].wrong == 1 and fields["ranges"].max_error == pytest.approx(1, abs=1e-5)
    assert "ranges[7, at -0.3 rad] is 5.69" in told


def test_beams_that_only_a_has_are_wrong(tmp_path):
    _, fields, told = compared(tmp_path, scan(21, 0.1), scan(15, 0.1, start=-0.7), **BEAMS)
    assert (fields["ranges"].wrong, fields["ranges"].compared) == (6, 21)
    assert "ranges[0, at -1 rad] is nan (6 of 21 elements), expected 4.0" in told


def test_the_beams_of_equal_scans_belong_together_by_their_index(tmp_path):
    b = scan(21, 0.1)
    b["ranges"][3] += 1
    _, fields, told = compared(tmp_path, scan(21, 0.1), b)
    assert fields["ranges"].wrong == 1 and "ranges[3] is" in told
