import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.bag.metadata import Origin
from lockstep.dataset import Dataset, DatasetError, LeftOut
from lockstep.dataset.backends.memory import MemoryBackend
from lockstep.dataset.picking import Shuffled
from made_bags import write_annotated

T0 = 1_700_000_000_000_000_000
NS = 1_000_000_000
HUSKY = "husky_gps_imu_odom"


def dataset_of(**values: dict[float, Any]) -> Dataset:
    """Values by key and time in seconds after T0, appended in the order of their times."""
    dataset = Dataset.create()
    rows = [(t, key, value) for key, row in values.items() for t, value in row.items()]
    for t, key, value in sorted(rows, key=lambda row: row[0]):
        dataset.append(key, value, T0 + round(t * NS))
    return dataset


def listed(dataset: Dataset) -> list[tuple[str, float, Any]]:
    return [(r.key, (r.stamp_ns - T0) / NS, r.value) for r in dataset.records()]


def consistent(dataset: Dataset) -> None:
    """That a view's times, columns and slices tell the same as its records."""
    stamps = [record.stamp_ns for record in dataset.records()]
    assert (dataset.start_ns, dataset.end_ns) == (min(stamps), max(stamps))
    for key in dataset:
        records = [record for record in dataset.records() if record.key == key]
        assert [r.value for r in dataset[key].records()] == [r.value for r in records]
        assert len(dataset[key]) == len(records)
        assert dataset[key].times().tolist() == [r.stamp_ns for r in records]
        assert dataset[key].times("publish").tolist() == [r.publish_ns for r in records]
        assert dataset[key].column().tolist() == [r.value for r in records]
        assert list(dataset[key][::2]) == [r.value for r in records[::2]]
        if records:
            middle = records[len(records) // 2].stamp_ns
            late = [r.value for r in records if r.stamp_ns >= middle]
            assert [r.value for r in dataset.stored(middle) if r.key == key] == late


@pytest.fixture
def ab() -> Dataset:
    return dataset_of(a={t: float(t) for t in range(10)}, b={t + 0.5: -float(t) for t in range(5)})


def test_select_takes_keys_times_and_ticks(ab: Dataset) -> None:
    assert ab.select("a").keys() == ["a"]
    assert listed(ab.select("b", start_s=1.5, end_s=3.5)) == [("b", 1.5, -1.0), ("b", 2.5, -2.0)]
    assert listed(ab.select(start_ns=T0 + 9 * NS)) == [("a", 9.0, 9.0)]
    assert listed(ab.select(ticks=slice(-1, None))) == [("b", 4.5, -4.0), ("a", 9.0, 9.0)]
    both = ab.select(ticks=slice(0, 10, 3), start_s=2)
    assert listed(both) == [("a", 3.0, 3.0), ("b", 3.5, -3.0), ("a", 6.0, 6.0), ("a", 9.0, 9.0)]
    for view in (both, ab.select("b", start_s=1.5), ab.select(ticks=slice(2, 4))):
        consistent(view)
    with pytest.raises(DatasetError, match="no key c"):
        ab.select(["a", "c"])
    with pytest.raises(DatasetError, match="give one of them"):
        ab.select(start_s=1, start_ns=1)


def test_rename_gives_other_keys(ab: Dataset) -> None:
    view = ab.rename({"a": "b", "b": "a"})
    assert listed(view)[:2] == [("b", 0.0, 0.0), ("a", 0.5, -0.0)]
    consistent(view)
    with pytest.raises(DatasetError, match="two keys would be named b"):
        ab.rename({"a": "b"})
    with pytest.raises(DatasetError, match="no key c"):
        ab.rename({"c": "d"})


def test_time_is_shifted_and_scaled(ab: Dataset) -> None:
    assert listed(ab.shift(seconds=-2.5))[0] == ("a", -2.5, 0.0)
    assert ab.shift(ns=1).start_ns == T0 + 1
    assert listed(ab.scale_time(2))[-1] == ("a", 18.0, 9.0)
    assert ab.starting_at(7).start_ns == 7
    for factor in (2, 1 / 3, 0.1, 7.7):
        consistent(ab.scale_time(factor))
    consistent(ab.shift(seconds=3).scale_time(0.5).shift(ns=-1))
    for factor in (0, -1, float("nan"), float("inf")):
        with pytest.raises(DatasetError, match="cannot be scaled"):
            ab.scale_time(factor)


def test_concatenate_puts_datasets_end_to_end(ab: Dataset) -> None:
    other = dataset_of(a={100: 100.0}, c={101: 101.0})
    view = ab.concatenate(other, Dataset.create(), other, gap_s=1)
    assert listed(view)[-4:] == [
        ("a", 10.0, 100.0),
        ("c", 11.0, 101.0),
        ("a", 12.0, 100.0),
        ("c", 13.0, 101.0),
    ]
    assert view.keys() == ["a", "b", "c"]
    consistent(view)


def test_chain_keeps_times(ab: Dataset) -> None:
    view = ab.chain(ab)
    assert listed(view) == listed(ab) * 2
    consistent(view)


def test_merge_goes_by_time(ab: Dataset) -> None:
    view = ab.merge(dataset_of(a={0.75: 0.75}, c={3.2: 3.2}), Dataset.create())
    times = [t for _, t, _ in listed(view)]
    assert times == sorted(times)
    assert len(times) == 17
    assert view["a"].column()[:3].tolist() == [0.0, 0.75, 1.0]
    consistent(view)


def test_shuffle_is_a_permutation_that_the_seed_decides(ab: Dataset) -> None:
    view = ab.shuffle(seed=1)
    assert listed(view) != listed(ab)
    assert sorted(listed(view)) == sorted(listed(ab))
    assert listed(view) == listed(ab.shuffle(seed=1)) != listed(ab.shuffle(seed=2))
    consistent(view)


def test_a_shuffle_in_bounded_memory_is_the_same(ab: Dataset) -> None:
    source = MemoryBackend()
    for record in ab.records():
        source.append(record.key, record.value, record.stamp_ns, record.publish_ns)
    for limit in (1, 3_000, 10_000):
        assert listed(Dataset(Shuffled(source, 1, limit))) == listed(ab.shuffle(seed=1))


def test_split_by_time_leaks_nothing(ab: Dataset) -> None:
    train, test = ab.split(0.3)
    assert train.end_ns < test.start_ns
    assert listed(train) + listed(test) == listed(ab)
    assert [t for _, t, _ in listed(test)] == [7.0, 8.0, 9.0]
    assert listed(ab.split(0)[0]) == listed(ab)
    assert listed(ab.split(1)[1]) == listed(ab)


def test_split_by_seed_draws_of_each_key(ab: Dataset) -> None:
    train, test = ab.split(0.2, seed=3)
    assert sorted(listed(train) + listed(test)) == sorted(listed(ab))
    assert (len(test["a"]), len(test["b"])) == (2, 1)
    assert listed(test) == listed(ab.split(0.2, seed=3)[1])
    consistent(train)
    consistent(test)
    with pytest.raises(DatasetError, match="no share"):
        ab.split(20)


def test_resample_gives_every_key_at_the_same_times(ab: Dataset) -> None:
    view = ab.resample(2, "previous")
    assert view["a"].times().tolist() == view["b"].times().tolist()
    assert view["a"].times(relative_to=T0)[[0, -1]].tolist() == [NS // 2, 9 * NS]
    assert view["a"].column()[:4].tolist() == [0.0, 1.0, 1.0, 2.0]
    assert view["b"].column()[-1] == -4.0
    consistent(view)


def test_resample_takes_the_nearest_value() -> None:
    dataset = dataset_of(a={0: 0.0, 0.4: 4.0, 1.0: 10.0})
    view = dataset.resample(5, "nearest")
    assert view["a"].column().tolist() == [0.0, 0.0, 4.0, 4.0, 10.0, 10.0]
    consistent(view)


def test_resample_interpolates_linearly() -> None:
    dataset = dataset_of(
        a={0: 0.0, 1: 10.0},
        b={0: np.array([0.0, 2.0], np.float32), 1: np.array([1.0, 4.0], np.float32)},
        c={0: {"x": 1.0, "n": 3, "s": "p"}, 1: {"x": 2.0, "n": 4, "s": "q"}},
    )
    view = dataset.resample(4, "linear")
    assert view["a"].column().tolist() == [0.0, 2.5, 5.0, 7.5, 10.0]
    assert view["b"].column()[1].tolist() == [0.25, 2.5]
    assert view["b"].column().dtype == np.float32
    assert view["c"][2] == {"x": 1.5, "n": 3, "s": "p"}
    consistent(view.select("a"))
    with pytest.raises(DatasetError, match="nothing between two str of s"):
        list(dataset_of(s={0: "a", 1: "b"}).resample(2, "linear").records())


def test_interpolated_messages_have_the_time_of_the_tick_and_unit_quaternions(bags: Path) -> None:
    dataset = Dataset.load(bags / HUSKY).select("/imu/data", ticks=slice(60))
    view = dataset.resample(100, "linear")["/imu/data"]
    assert view.times("header").tolist() == view.times().tolist()
    turned = np.stack([view.column(f"orientation.{axis}") for axis in "xyzw"], axis=1)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-5)
    z, t = dataset["/imu/data"].column("angular_velocity.z"), dataset["/imu/data"].times()
    expected = np.interp(view.times(relative_to=t[0]), t - t[0], z)
    np.testing.assert_allclose(view.column("angular_velocity.z"), expected, atol=1e-9)


def test_bad_resampling_is_told_in_a_sentence(ab: Dataset) -> None:
    for rate in (0, -1, float("nan"), 2e9):
        with pytest.raises(DatasetError, match="is no rate"):
            ab.resample(rate)
    with pytest.raises(DatasetError, match="resamples nothing"):
        ab.resample(1, "cubic")  # type: ignore[arg-type]
    with pytest.raises(DatasetError, match="empty"):
        Dataset.create().resample(1)


def test_time_that_runs_backwards_is_resampled_by_time() -> None:
    dataset = Dataset.create()
    for t in (2, 0, 1):
        dataset.append("a", float(t), T0 + t * NS)
    assert dataset.resample(1, "previous")["a"].column().tolist() == [0.0, 1.0, 2.0]
    assert dataset.resample(2, "linear")["a"].column().tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]


def test_a_view_is_only_read(ab: Dataset) -> None:
    with pytest.raises(DatasetError, match="view of datasets is only read"):
        ab.select("a").append("a", 1.0)


def test_a_view_of_a_bag_is_saved_without_decoding(bags: Path, tmp_path: Path) -> None:
    source = Dataset.load(bags / HUSKY)
    view = source.select("/imu/data", start_s=10, end_s=20).rename({"/imu/data": "/imu"})
    saved = view.shift(seconds=5).save(tmp_path / "part")
    expected = [m for m in Bag(bags / HUSKY).messages(["/imu/data"])]
    start = Bag(bags / HUSKY).start_ns
    inside = [m for m in expected if start + 10 * NS <= m.log_time_ns < start + 20 * NS]
    got = list(Bag(tmp_path / "part").messages(["/imu"]))
    assert [m.data for m in got] == [m.data for m in inside]
    assert [m.log_time_ns for m in got] == [m.log_time_ns + 5 * NS for m in inside]
    assert saved["/imu"].type_name == "sensor_msgs/msg/Imu"


def test_views_of_a_bag_larger_than_memory_stream(tmp_path: Path) -> None:
    """A bag of 400 MB is selected, moved in time and merged with itself, with 150 MB for data."""
    payload = b"\x00\x01\x00\x00" + bytes(100_000)
    with BagWriter(tmp_path / "big", compression="none") as writer:
        writer.add_topic("/blob", "test_msgs/msg/Blob", "uint8[100000] data\n")
        for tick in range(4_000):
            writer.write("/blob", payload, T0 + tick)
    code = """
import resource, sys
from lockstep.dataset import Dataset
big = Dataset.load(sys.argv[1])
view = big.merge(big.shift(ns=5)).select(ticks=slice(0, 7_000))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert sum(1 for _ in view.stored()) == 7_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "big"], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 150_000


VIEWS = {
    "whole": lambda dataset: dataset,
    "copied": Dataset.copy,
    "selected": lambda dataset: dataset.select("/a", ticks=slice(1)),
    "renamed": lambda dataset: dataset.rename({"/a": "/b"}),
    "shifted": lambda dataset: dataset.shift(seconds=1),
    "shuffled": lambda dataset: dataset.shuffle(0),
    "resampled": lambda dataset: dataset.resample(1.0),
    "drawn": lambda dataset: dataset.split(0.5, seed=0)[0],
    "chained": lambda dataset: dataset.concatenate(dataset),
    "merged": lambda dataset: dataset.merge(dataset.shift(seconds=9)),
}


@pytest.mark.parametrize("view", VIEWS)
def test_what_a_bag_holds_beside_messages_goes_along(tmp_path: Path, view: str):
    with Dataset.load(write_annotated(tmp_path / "bag")) as loaded:
        VIEWS[view](loaded).save(tmp_path / "out").close()
    with Bag(tmp_path / "bag") as bag, Bag(tmp_path / "out") as out:
        assert list(out.enclosed()) == list(bag.enclosed())
        assert [one.name for one in out.enclosed()] == ["calib.yaml", "episode"]
        assert out.origin == Origin({"vehicle": "truck 7"}, "rolling")


def test_what_a_place_cannot_hold_beside_values_is_named(tmp_path: Path):
    expected = (
        "left out, as the target cannot hold it: custom data of metadata.yaml, the ROS distribution"
        " 'rolling', the attachment 'calib.yaml', the metadata record 'episode'"
    )
    loaded = Dataset.load(write_annotated(tmp_path / "bag"))
    with pytest.warns(LeftOut) as told:
        loaded.save(tmp_path / "x.pkl")
    assert [str(one.message) for one in told] == [expected]
