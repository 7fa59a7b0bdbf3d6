import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from lockstep.bag import Bag, BagError
from lockstep.compare import compare
from lockstep.report.error_bag import write_error_bag
from made_bags import write_changed


def shift_x(tick, message):
    message.vector.x += 0.5 if tick >= 10 else 0.0


@pytest.fixture
def both(bags, tmp_path):
    """A real bag, and a copy a minute later whose x is 0.5 larger from tick 10 on."""
    with Bag(bags / "husky_acceleration") as bag:
        write_changed(
            tmp_path / "b",
            bag,
            "/imu/acceleration",
            shift_x,
            later_ns=60 * 10**9,
            end_ns=bag.start_ns + 10**10,
        )
    with Bag(bags / "husky_acceleration") as a, Bag(tmp_path / "b") as b:
        yield a, b


def test_both_sides_and_the_error_are_in_one_bag_on_one_time(both, tmp_path):
    a, b = both
    comparison = compare(a, b, align="time")
    write_error_bag(comparison, both, tmp_path / "out")
    with Bag(tmp_path / "out") as out:
        assert out.problem is None
        counts = {name: topic.count for name, topic in out.topics.items()}
        assert counts == {
            "/a/imu/acceleration": 3000,
            "/b/imu/acceleration": b.count,
            "/error/imu/acceleration": b.count,
        }
        errors = out.columns("/error/imu/acceleration", ["vector.x", "vector.y", "header.stamp"])
        assert np.allclose(errors["vector.x"][:10], 0)
        assert np.allclose(errors["vector.x"][10:], 0.5)
        assert not errors["vector.y"].any()
        stamps = a.times("/imu/acceleration", "header")[: b.count]
        assert errors["header.stamp"].tolist() == stamps.tolist()
        times = [out.times(f"/{side}/imu/acceleration")[: b.count] for side in ("a", "b", "error")]
        assert all(np.array_equal(times[0], other) for other in times[1:])


def test_layouts_show_what_differs_first(both, tmp_path):
    comparison = compare(*both, align="time")
    write_error_bag(comparison, both, tmp_path / "out")
    layout = json.loads((tmp_path / "out/foxglove_layout.json").read_text("utf-8"))
    first = layout["configById"]["Plot!values1"]
    assert [path["value"] for path in first["paths"]] == [
        "/a/imu/acceleration.vector.x",
        "/b/imu/acceleration.vector.x",
    ]
    shown = json.dumps(layout["layout"])
    assert all(name in shown for name in layout["configById"])
    root = ET.parse(tmp_path / "out/plotjuggler_layout.xml").getroot()
    curves = [curve.get("name") for curve in root.iter("curve")]
    assert curves[:3] == [f"/{side}/imu/acceleration/vector/x" for side in ("a", "b", "error")]


def test_a_bag_that_exists_is_never_written_into(both, tmp_path):
    (tmp_path / "out").mkdir()
    with pytest.raises(BagError, match="exists already"):
        write_error_bag(compare(*both), both, tmp_path / "out")


@pytest.mark.parametrize(
    "name", ["office_scan_odom_tf", "sick_scan_cloud_radar", "spot_raw_stills"]
)
def test_any_type_of_message_has_an_error(bags, tmp_path, name):
    with Bag(bags / name) as bag:
        topics = [t.name for t in bag.topics.values() if 0 < t.count < 400][:4]
        comparison = compare(bag, bag, topics=topics)
        write_error_bag(comparison, (bag, bag), tmp_path / "out")
    with Bag(tmp_path / "out") as out:
        for topic in comparison.keys:  # of transforms a topic for each pair of frames
            name = re.sub(r"[^\w/]+", "_", topic).lstrip("/")
            assert out.topics[f"/error/{name}"].count == out.topics[f"/a/{name}"].count
