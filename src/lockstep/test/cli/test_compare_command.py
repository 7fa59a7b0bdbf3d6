"""`lockstep compare` at a shell: images judged as a whole, and topics whose
definition has changed.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from lockstep.cdr.codec import Codec
from lockstep.cli.compare import short_names
from lockstep.cli.show import console, print_summary
from lockstep.message.definitions import definition
from made_bags import write_messages
from stranger import Stranger

IMAGE = "sensor_msgs/msg/Image"


def camera(folder: Path, error: int) -> None:
    """Ten images, of which the eighth has an error in all its pixels."""
    rows, columns = np.indices((48, 64))
    images = []
    for tick in range(10):
        pixels = ((rows * rows + 3 * columns + tick) % 200).astype(np.uint8)
        images.append(
            {
                "header": {"stamp": {"sec": tick, "nanosec": 0}, "frame_id": "camera"},
                "height": 48,
                "width": 64,
                "encoding": "mono8",
                "is_bigendian": 0,
                "step": 64,
                "data": (pixels + (error if tick == 7 else 0)).ravel(),
            }
        )
    write_messages(folder, IMAGE, definition(IMAGE), images, topic="/camera", period_ns=10**9)


def state(folder: Path, text: str) -> None:
    kind = "test_msgs/msg/State"
    messages = [dict.fromkeys(Codec(kind, text).fields(), tick) for tick in range(10)]
    write_messages(folder, kind, text, messages, topic="/state", period_ns=10**9)


def test_images_are_held_to_a_psnr_and_an_ssim(stranger: Stranger):
    camera(stranger.cwd / "a", 0)
    camera(stranger.cwd / "b", 2)  # PSNR 20 log10(255 / 2) = 42.1 dB
    assert stranger.run("compare", "a", "b").code == 1
    done = stranger.run("compare", "a", "b", "--tolerance", "data=by:psnr,at_least:40")
    assert (done.code, done.err) == (0, "")
    assert "data: PSNR is 42.1102 dB at tick 7, the worst image, tolerance PSNR ≥ 40 dB" in done.out
    done = stranger.run("compare", "a", "b", "--tolerance", "data=by:ssim,at_least:0.95")
    assert (done.code, done.err) == (0, "")
    rule = ["--tolerance", "data=by:psnr,at_least:45"]
    done = stranger.run("compare", "a", "b", *rule, "-o", "diffs", "--html", "report.html")
    assert done.code == 1
    assert "+data: PSNR 42.1102 dB" in (stranger.cwd / "diffs/camera.diff").read_text("utf-8")
    data = json.loads(stranger.run("compare", "a", "b", *rule, "--json").out)
    assert round(data["keys"]["/camera"]["fields"]["data"]["judged"], 4) == 42.1102
    done = stranger.run("compare", "a", "b", "--tolerance", "width=by:psnr,at_least:40")
    assert (done.code, done.out) == (2, "")
    assert "'width' is no image" in done.error


def test_a_topic_with_a_new_field_is_compared_in_the_others(stranger: Stranger):
    state(stranger.cwd / "a", "float64 x\nint32 n\n")
    state(stranger.cwd / "b", "float64 x\nint32 n\nuint8 quality\n")
    done = stranger.run("compare", "a", "b")
    assert done.code == 1
    assert "quality is missing against uint8" in done.out
    done = stranger.run("compare", "a", "b", "--common-fields", "-o", "diffs", "--html", "r.html")
    assert done.code == 1
    assert "10 aligned, 0 differ" in done.out
    assert "not compared: quality is missing against uint8" in done.out
    assert "+uint8 quality" in (stranger.cwd / "diffs/state.diff").read_text("utf-8")
    done = stranger.run("compare", "a", "b", "--common-fields", "--tolerance", "quality=ignore")
    assert (done.code, done.err) == (0, "")
    assert "within tolerance in 10 messages" in done.out


@pytest.mark.parametrize(
    ("a", "b", "names"),
    [
        ("python", "cpp", ("python", "cpp")),
        (
            "/runs/of/today/morning/python/bag",
            "/runs/of/today/morning/cpp/bags",
            ("python/bag", "cpp/bags"),
        ),
        ("/runs/today/morning/1/python/bag", "/runs/today/morning/1/cpp/bag", ("python", "cpp")),
        (
            "s3://bucket/of/recordings/one.mcap",
            "two.mcap",
            None,
        ),
        ("/a/long/path/to/a/recording/of", "/a/long/path/to/a/recording/of/x", None),
    ],
)
def test_bags_with_long_paths_are_called_by_what_tells_them_apart(a, b, names):
    assert short_names(a, b) == (names or (a, b))


@pytest.mark.parametrize(("word", "code"), [("MATCH", "32"), ("DIFFERENT", "31")])
def test_the_verdict_has_a_colour_on_a_terminal(word, code):
    shown = io.StringIO()
    print_summary(type(console)(file=shown, force_terminal=True), [f"{word}: b and a", "more"])
    assert shown.getvalue() == f"\x1b[1;{code}m{word}\x1b[0m: b and a\nmore\n"
