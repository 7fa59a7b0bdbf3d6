"""The recording for the Rerun viewer, whose library is optional."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.report import ReportError
from lockstep.report.rerun_file import write_rrd
from made_bags import write_changed, write_messages

DEFINITION = "float64 x\nfloat64 y\nfloat64[] ranges\nstring name\n"


def two_bags(tmp_path):
    for side, more in (("a", 0.0), ("b", 0.5)):
        messages = [
            {"x": 1.0 * tick, "y": tick + more, "ranges": [1.0, 2.0], "name": side}
            for tick in range(50)
        ]
        write_messages(tmp_path / side, "pkg/msg/X", DEFINITION, messages, topic="/robot/x")
    return Bag(tmp_path / "a"), Bag(tmp_path / "b")


def printed(file) -> str:
    """What rerun's own command says of a recording."""
    words = [sys.executable, "-m", "rerun_cli", "rrd", "print", "-vvv", str(file)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def test_without_the_library_the_command_that_installs_it_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rerun", None)
    a, b = two_bags(tmp_path)
    with pytest.raises(
        ReportError, match=r"needs the package rerun-sdk .* -m pip install rerun-sdk"
    ):
        write_rrd(compare(a, b), (a, b), tmp_path / "both.rrd")


def test_both_sides_and_the_error_are_on_one_timeline(tmp_path):
    pytest.importorskip("rerun")
    a, b = two_bags(tmp_path)
    write_rrd(compare(a, b), (a, b), tmp_path / "both.rrd")
    told = printed(tmp_path / "both.rrd")
    for side in ("a", "b", "error"):
        assert f"/robot/x/y/{side}" in told
    assert "/robot/x/ranges" not in told
    assert "/summary" in told


def test_images_are_in_it(bags, tmp_path):
    pytest.importorskip("rerun")

    def spoil(tick, image):
        image.data = np.array(image.data)
        image.data[:120] ^= 0x40

    with Bag(bags / "spot_raw_stills") as bag:
        topic = next(name for name, t in bag.topics.items() if t.type == "sensor_msgs/msg/Image")
        with Bag(write_changed(tmp_path / "b", bag, topic, spoil)) as b:
            write_rrd(compare(bag, b, topics=[topic]), (bag, b), tmp_path / "images.rrd")
    told = printed(tmp_path / "images.rrd")
    assert all(f"{topic}/{side}" in told for side in ("a", "b", "error"))
