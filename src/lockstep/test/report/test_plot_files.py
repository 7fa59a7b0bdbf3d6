import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.bag.convert import copy, declare
from lockstep.compare import compare
from lockstep.report.clouds import cloud_errors
from lockstep.report.files import Plots, write_plots
from made_bags import write_changed, write_messages
from made_clouds import cloud, moved, some_points, write_clouds


def shift_acceleration(tick, imu):
    imu.linear_acceleration.x += 0.5 if tick > 100 else 0.0
    imu.orientation_covariance = imu.orientation_covariance * (1 + tick % 2)


def spoil_pixels(tick, image):
    image.data = np.array(image.data)
    image.data[: 3 * 40] ^= 0x40


def test_numbers_and_arrays_that_differ_are_drawn_a_file_each(bags, tmp_path):
    with Bag(bags / "husky_gps_imu_odom") as bag:
        b = Bag(write_changed(tmp_path / "b", bag, "/imu/data", shift_acceleration))
        comparison = compare(bag, b, topics=["/imu/data"])
        files = write_plots(comparison, (bag, b), tmp_path / "plots").files
    assert files[0].name == "differences.png"
    assert sorted(file.name for file in files[1:]) == [
        "imu__data.linear_acceleration.x.png",
        "imu__data.orientation_covariance.png",
    ]
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


def test_images_that_differ_are_drawn_side_by_side(bags, tmp_path):
    with Bag(bags / "spot_raw_stills") as bag:
        topic = next(name for name, t in bag.topics.items() if t.type == "sensor_msgs/msg/Image")
        b = Bag(write_changed(tmp_path / "b", bag, topic, spoil_pixels))
        comparison = compare(bag, b, topics=[topic])
        (file,) = write_plots(comparison, (bag, b), tmp_path / "plots", "svg").files
    assert file.read_text("utf-8").startswith("<?xml")


def test_nothing_is_drawn_of_what_matches_or_has_no_numbers(bags, tmp_path):
    with Bag(bags / "husky_acceleration") as bag:
        with BagWriter(tmp_path / "more") as writer:
            copy(bag, writer)
            writer.add_topic("/name", "std_msgs/msg/String", "string data")
            writer.write("/name", b"\0\1\0\0\2\0\0\0a\0", bag.start_ns)
        more = Bag(tmp_path / "more")
        assert write_plots(compare(bag, bag), (bag, bag), tmp_path / "plots") == Plots((), ())
        assert write_plots(compare(bag, more), (bag, more), tmp_path / "plots") == Plots((), ())


@pytest.mark.parametrize("name", ["/a/../../b", "/"])
def test_the_names_of_topics_lead_nowhere_else(tmp_path, name):
    for side in ("a", "b"):
        messages = [{"x": tick + (side == "b")} for tick in range(20)]
        write_messages(tmp_path / side, "pkg/msg/X", "float64 x", messages, topic=name, period_ns=1)
    with Bag(tmp_path / "a") as a, Bag(tmp_path / "b") as b:
        (file,) = write_plots(compare(a, b), (a, b), tmp_path / "plots").files
    assert file.parent == tmp_path / "plots"


def test_a_point_is_drawn_as_its_distance_beside_its_parts(bags, tmp_path):
    def drift(tick, message):
        message.pose.pose.position.x += 0.001 * tick

    bag = Bag(bags / "gazebo_diff_drive")
    with bag, Bag(write_changed(tmp_path / "b", bag, "/odom", drift)) as b:
        rules = {"pose.pose.position": {"distance": 0.5}}
        comparison = compare(bag, b, topics=["/odom"], tolerance=rules)
        files = write_plots(comparison, (bag, b), tmp_path / "plots", "svg").files[1:]
    names = [f"odom.pose.pose.position{part}.svg" for part in (".x", ".y", ".z", "")]
    assert [file.name for file in files] == names
    assert "497 of 998 are beyond tolerance, first at tick 501" in files[-1].read_text("utf-8")


def test_the_clouds_that_differ_most_are_drawn(tmp_path):
    points = some_points(500)
    clouds = [[cloud(points, 0), cloud(points, 1)]]
    clouds.append([cloud(moved(points, z=(7, 0.001)), 0), cloud(moved(points, z=(7, 0.05)), 1)])
    bags = [write_clouds(tmp_path / name, side) for name, side in zip("ab", clouds, strict=True)]
    files = write_plots(compare(*bags), tuple(bags), tmp_path / "plots").files
    assert [file.name for file in files] == ["points.png", "points.data.z.png"]
    assert files[0].stat().st_size > 10_000
    tick, errors = cloud_errors(tuple(bags), compare(*bags), compare(*bags).keys["/points"])
    assert (tick, errors.finding) == (1, "1 of 500 points are apart, by at most 0.05")


def test_epochs_of_a_simulation_are_drawn_a_file_each_over_their_own_time(bags, tmp_path):
    with Bag(bags / "gazebo_diff_drive") as bag:
        for side in ("a", "b"):
            with BagWriter(tmp_path / side) as writer:
                for name in ("/clock", "/odom"):
                    declare(writer, bag.topics[name], name)
                codec = bag.codec("/odom")
                for epoch, end_ns in enumerate((3 * 10**9, 2 * 10**9)):
                    for message in bag.messages(["/clock", "/odom"], end_ns=end_ns):
                        data = message.data
                        if message.topic == "/odom" and side == "b" and epoch:
                            odometry = codec.decode(data)
                            odometry.pose.pose.position.x += 1.0
                            data = codec.encode(odometry)
                        writer.write(message.topic, data, message.log_time_ns)
    with Bag(tmp_path / "a") as a, Bag(tmp_path / "b") as b:
        comparison = compare(a, b, tolerance={"pose.pose.position": {"distance": 0.5}})
        files = write_plots(comparison, (a, b), tmp_path / "plots", "svg").files
    parts = [f"odom.pose.pose.position{part}" for part in (".x", ".y", ".z", "")]
    assert [file.name for file in files] == [f"{p}.epoch{n}.svg" for p in parts for n in (1, 2)]
    first, second = (file.read_text("utf-8") for file in files[-2:])
    assert "how far off, epoch 1" in first
    assert "97 of 97 are beyond tolerance, first at tick 0" in second


def test_what_has_no_picture_is_named(tmp_path):
    text = "string name\nfloat64[] ranges\nfloat64 x\nfloat64 y\n"
    for side, more in (("a", 0.0), ("b", 1.0)):
        messages = [
            {"name": side, "ranges": [1.0] * (tick + int(more)), "x": tick + more, "y": -more}
            for tick in range(20)
        ]
        write_messages(tmp_path / side, "pkg/msg/X", text, messages, topic="/x", period_ns=1)
    with Bag(tmp_path / "a") as a, Bag(tmp_path / "b") as b:
        drawn = write_plots(compare(a, b), (a, b), tmp_path / "plots")
    assert [file.name for file in drawn.files] == ["differences.png", "x.x.png", "x.y.png"]
    assert sorted(drawn.left_out) == [
        "/x name: no numbers of one shape",
        "/x ranges: arrays of other lengths",
    ]
