import dataclasses
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.dataset import Dataset, DatasetError

T0 = 1_700_000_000_000_000_000
HUSKY = "husky_gps_imu_odom"


@dataclasses.dataclass
class Pose:
    x: float
    y: float


@dataclasses.dataclass
class Robot:
    name: str
    pose: Pose
    scan: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(2))


VALUES: dict[str, list[Any]] = {
    "bool": [True, False],
    "int": [1, -(2**63), 2**63 - 1],
    "float": [1.5, -0.0, float("inf")],
    "str": ["", "Grüße\n"],
    "bytes": [b"", b"\x00\xff"],
    "dict": [{"a": 1, "b": {"c": [1.5, None, "x"]}}, {"other": True}],
    "float32": [np.float32(0.1)],
    "uint8": [np.uint8(255)],
    "date": [np.datetime64("2024-02-29T12", "ns")],
    "float16": [np.float16(0.1)],
    "matrix": [np.arange(6.0).reshape(2, 3), np.zeros((0, 3)), np.array(7.0)],
    "image": [np.arange(24, dtype=np.uint8).reshape(2, 4, 3)],
    "big endian": [np.arange(3, dtype=">i4")],
    "column-major": [np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3))],
    "mask": [np.array([[True], [False]])],
    "complex": [np.array([1 + 2j])],
    "half": [np.array([0.5], np.float16)],
    "dates": [np.array(["2024-02-29"], "datetime64[D]")],
    "names": [np.array(["ab", "c"])],
    "points": [np.array([(1, 2.5)], [("ring", "<u2"), ("x", "<f4")])],
}
STORES = {"memory": None, "pickle": "data.pkl", "bag": "data", "mcap": "data.mcap"}


@pytest.fixture(params=STORES)
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Dataset], Dataset]:
    """A function that gives a dataset back as one backend stores it."""
    name = STORES[request.param]
    return (lambda d: d.copy()) if name is None else (lambda d: d.save(tmp_path / name))


def numbers(count: int, key: str = "x") -> Dataset:
    dataset = Dataset.create()
    for tick in range(count):
        dataset.append(key, float(tick), T0 + tick * 10)
    return dataset


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return (
            isinstance(other, np.ndarray)
            and (one.dtype, one.shape) == (other.dtype, other.shape)
            and bool(np.all(one == other))
        )
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize("kind", VALUES)
def test_values_come_back_as_they_were_stored(
    kind: str, stored: Callable[[Dataset], Dataset]
) -> None:
    dataset = Dataset.create()
    for tick, value in enumerate(VALUES[kind]):
        dataset.append(kind, value, T0 + tick, publish_ns=T0 - tick)
    back = stored(dataset)
    assert all(map(same, VALUES[kind], back[kind]))
    assert back[kind].times().tolist() == [T0 + tick for tick in range(len(VALUES[kind]))]
    assert back[kind].times("publish").tolist() == [T0 - tick for tick in range(len(VALUES[kind]))]


def test_dataclasses_come_back_as_dicts_and_by_their_class(
    stored: Callable[[Dataset], Dataset],
) -> None:
    dataset = Dataset.create()
    robot = Robot("a", Pose(1.0, 2.0), np.array([3.0, 4.0]))
    dataset.append("robot", robot, T0)
    back = stored(dataset)["robot"]
    (again,) = back.messages(Robot)
    assert (again.name, again.pose, again.scan.tolist()) == ("a", robot.pose, [3.0, 4.0])
    assert back.column("pose.y").tolist() == [2.0]


def test_ros_messages_stay_cdr_on_every_backend(
    bags: Path, stored: Callable[[Dataset], Dataset]
) -> None:
    source = Dataset.load(bags / HUSKY).select("/imu/data", ticks=slice(50))
    back = stored(source)["/imu/data"]
    expected = source["/imu/data"]
    assert len(back) == 50
    for path in ("angular_velocity.z", "header.stamp", "orientation_covariance", "header.frame_id"):
        np.testing.assert_array_equal(back.column(path), expected.column(path))
    np.testing.assert_array_equal(back.times("header"), expected.times("header"))


def test_rosidl_messages_can_be_stored_and_asked_for(
    stored: Callable[[Dataset], Dataset],
) -> None:
    messages = pytest.importorskip("sensor_msgs.msg", reason="there is no ROS here")
    geometry = pytest.importorskip("geometry_msgs.msg", reason="there is no ROS here")
    scan = messages.LaserScan(angle_min=0.5, ranges=[1.0, 2.0], intensities=[])
    scan.header.frame_id, scan.header.stamp.nanosec = "laser", 7
    cloud = messages.PointCloud(points=[geometry.Point32(x=1.0), geometry.Point32(y=2.0)])
    cloud.channels = [messages.ChannelFloat32(name="rgb", values=[0.5])]
    image = messages.Image(height=1, width=2, encoding="mono8", step=2, data=b"\x01\x02")
    array = messages.JointState(name=["a", "b"], position=[1.0, 2.0])
    dataset = Dataset.create()
    for message in (scan, cloud, image, array):
        dataset.append(type(message).__name__, message, T0)
    back = stored(dataset)
    for message in (scan, cloud, image, array):
        assert list(back[type(message).__name__].messages(type(message))) == [message]
    assert back["LaserScan"].column("ranges[1]").tolist() == [2.0]
    assert back["PointCloud"].column("points[].y").tolist() == [[0.0, 2.0]]


def test_a_bag_is_a_dataset(bags: Path) -> None:
    with Dataset.load(bags / HUSKY) as dataset:
        imu = dataset["/imu/data"]
        assert len(imu) == 11865
        assert imu.type_name == "sensor_msgs/msg/Imu"
        rates = imu.column("angular_velocity.z")
        assert (rates.shape, rates.dtype) == ((11865,), np.float64)
        decoded = [message.angular_velocity.z for message in imu[10:20]]
        assert rates[10:20].tolist() == decoded
        assert imu[11864].angular_velocity.z == imu[-1].angular_velocity.z == rates[-1]
        assert imu.times(relative_to=imu.start_ns)[0] == 0
        assert imu.rate_hz == pytest.approx(30, rel=0.01)
        assert dataset.keys() == list(Bag(bags / HUSKY).topics)
        assert dataset.count == Bag(bags / HUSKY).count


def test_a_series_is_sliced_by_ranges_indices_and_masks(
    stored: Callable[[Dataset], Dataset],
) -> None:
    series = stored(numbers(100))["x"]
    assert list(series[10:13]) == [10.0, 11.0, 12.0]
    assert list(series[90:][5:]) == [95.0, 96.0, 97.0, 98.0, 99.0]
    assert list(series[::-40]) == [99.0, 59.0, 19.0]
    assert list(series[[3, 3, 1]]) == [3.0, 3.0, 1.0]
    assert list(series[series.column() > 97]) == [98.0, 99.0]
    assert series[20:22].column().tolist() == [20.0, 21.0]
    assert series[20:22].times().tolist() == [T0 + 200, T0 + 210]
    assert list(series[50:50]) == []
    with pytest.raises(IndexError, match="x has 100 values"):
        series[100]


def test_values_at_one_time_are_told_apart(stored: Callable[[Dataset], Dataset]) -> None:
    dataset = Dataset.create()
    for tick, stamp in enumerate([5, 3, 5, 5, 1]):  # time runs backwards, too
        dataset.append("x", tick, T0 + stamp)
    series = stored(dataset)["x"]
    assert [series[index] for index in range(5)] == [0, 1, 2, 3, 4]
    assert list(series[2:4]) == [2, 3]


def test_fields_of_unequal_length_are_objects() -> None:
    dataset = Dataset.create()
    dataset.append("scan", {"ranges": np.array([1.0, 2.0])}, T0)
    dataset.append("scan", {"ranges": np.array([3.0])}, T0)
    ranges = dataset["scan"].column("ranges")
    assert ranges.dtype == object
    assert ranges[1].tolist() == [3.0]
    assert dataset["scan"].column("ranges[0]").tolist() == [1.0, 3.0]


def test_other_tools_see_numbers_arrays_and_dicts_as_messages(tmp_path: Path) -> None:
    dataset = Dataset.create()
    dataset.append("speed", 1.5, T0)
    dataset.append("grid", np.ones((2, 3), np.float32), T0)
    dataset.append("state", {"mode": "idle", "level": 3}, T0)
    dataset.save(tmp_path / "bag")
    bag = Bag(tmp_path / "bag")
    types = {name: (topic.type, topic.message_encoding) for name, topic in bag.topics.items()}
    assert types == {
        "speed": ("std_msgs/msg/Float64", "cdr"),
        "grid": ("std_msgs/msg/Float32MultiArray", "cdr"),
        "state": ("dict", "json"),
    }
    grid = next(iter(bag.messages(["grid"])))
    layout = bag.codec("grid").decode(grid.data).layout
    assert [(dim.size, dim.stride) for dim in layout.dim] == [(2, 6), (3, 3)]
    assert '"level": {"type": "integer"}' in bag.topics["state"].definition


@pytest.mark.parametrize("name", ["data.pkl", "data"])
def test_what_cannot_be_stored_is_refused_in_a_sentence(name: str, tmp_path: Path) -> None:
    with Dataset.create(str(tmp_path / name)) as dataset:
        for value in (object(), lambda: 0, np.array([object()]), Dataset):
            with pytest.raises(DatasetError) as refused:
                dataset.append("x", value, T0)
            assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "value",
    [{"a": float("nan")}, {1: "a"}, {"a": b"bytes"}, {"a": {1, 2}}, 2**63, [1, 2], None],
    ids=repr,
)
def test_what_a_bag_cannot_hold_is_refused_in_a_sentence(value: Any, tmp_path: Path) -> None:
    with Dataset.create(str(tmp_path / "data")) as dataset, pytest.raises(DatasetError):
        dataset.append("x", value, T0)


def test_a_key_of_a_bag_holds_one_kind_of_value(tmp_path: Path) -> None:
    with Dataset.create(str(tmp_path / "data")) as dataset:
        dataset.append("x", 1.5, T0)
        dataset.append("x", 2, T0)  # a whole number is a float, too
        with pytest.raises(DatasetError, match="key x: a str is not among the float"):
            dataset.append("x", "2", T0)
        dataset.append("y", np.zeros(2), T0)
        with pytest.raises(
            DatasetError, match="ndarray of int64 is not among the ndarray of float"
        ):
            dataset.append("y", np.zeros(2, np.int64), T0)


@pytest.mark.parametrize(
    ("stamp", "said"),
    [(1.5, "whole nanoseconds"), ("now", "whole nanoseconds"), (True, "whole"), (2**63, "64 bits")],
)
def test_a_bad_time_is_refused(stamp: Any, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        Dataset.create().append("x", 1, stamp)


def test_without_a_time_a_value_is_stored_at_the_current_one() -> None:
    dataset = Dataset.create()
    before = time.time_ns()
    dataset.append("x", 1)
    assert before <= dataset["x"].times()[0] <= time.time_ns()


def test_mistakes_are_told_in_a_sentence(bags: Path, tmp_path: Path) -> None:
    dataset = Dataset.load(bags / HUSKY)
    with pytest.raises(DatasetError, match="there is no key /imu; there is /fix, "):
        dataset["/imu"]
    with pytest.raises(DatasetError, match="only read"):
        dataset.append("x", 1)
    with pytest.raises(DatasetError, match="angular"):
        dataset["/imu/data"].column("angular.z")
    with pytest.raises(DatasetError, match="'local' is no time"):
        dataset["/imu/data"].times("local")  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="no header"):
        numbers(1)["x"].times("header")
    with pytest.raises(DatasetError, match="needs a place"):
        Dataset.create("mcap")
    with pytest.raises(DatasetError, match="is no backend"):
        Dataset.create("sql", tmp_path)
    with pytest.raises(DatasetError, match="does not exist"):
        Dataset.load(tmp_path / "nothing")
    with pytest.raises(DatasetError, match="No such file"):
        Dataset.load(tmp_path / "nothing.pkl")
    with pytest.raises(DatasetError, match="at least one"):
        Dataset.load([])
    for name in ("there.pkl", "there"):
        numbers(1).save(tmp_path / name)
        with pytest.raises(DatasetError, match="exists already"):
            numbers(1).save(tmp_path / name)
    with pytest.raises(DatasetError, match="cannot be written"):
        Dataset.create("s3://bucket/bag")


def test_a_bag_that_was_read_takes_no_more_values(tmp_path: Path) -> None:
    with Dataset.create(str(tmp_path / "data")) as dataset:
        dataset.append("x", 1.0, T0)
        assert list(dataset["x"]) == [1.0]
        with pytest.raises(DatasetError, match="is finished"):
            dataset.append("x", 2.0, T0)


@pytest.mark.parametrize("name", ["data.pkl", "data.mcap"])
def test_a_file_that_is_cut_off_gives_what_is_whole_with_a_warning(
    name: str, tmp_path: Path
) -> None:
    numbers(100).save(tmp_path / name)
    data = (tmp_path / name).read_bytes()
    (tmp_path / f"cut_{name}").write_bytes(data[:-40])
    with pytest.warns(UserWarning, match=r"cut off|not whole|damaged"):
        dataset = Dataset.load(tmp_path / f"cut_{name}")
    assert list(dataset["x"])[:90] == [float(tick) for tick in range(90)]


def test_several_recordings_are_chained(tmp_path: Path) -> None:
    numbers(3).save(tmp_path / "a")
    numbers(2).shift(seconds=1).save(tmp_path / "b.pkl")
    with Dataset.load([tmp_path / "a", tmp_path / "b.pkl"]) as dataset:
        assert list(dataset["x"]) == [0.0, 1.0, 2.0, 0.0, 1.0]
        assert dataset["x"].column().tolist() == [0.0, 1.0, 2.0, 0.0, 1.0]
        assert dataset.end_ns == T0 + 10**9 + 10


def test_a_pickle_file_can_be_read_while_it_is_written(tmp_path: Path) -> None:
    with Dataset.create(str(tmp_path / "data.pkl")) as dataset:
        dataset.append("x", 1.0, T0)
        assert list(dataset["x"]) == [1.0]
        dataset.append("x", 2.0, T0)
        assert list(dataset["x"]) == [1.0, 2.0]


def test_importing_datasets_needs_neither_ros_nor_optional_libraries() -> None:
    code = (
        "import sys, lockstep.dataset; "
        "print({'torch', 'pandas', 'pyarrow', 'reduct', 'rclpy', "
        "'builtin_interfaces'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
