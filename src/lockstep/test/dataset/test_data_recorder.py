import math
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lockstep.bag import Bag
from lockstep.dataset import DataRecorder, Dataset, DatasetError

T0 = 1_700_000_000_000_000_000
NS = 1_000_000_000


def times(recorder: DataRecorder, name: str = "x") -> list[int]:
    return recorder.dataset[name].times(relative_to=T0).tolist()


def test_a_recorder_writes_a_bag(tmp_path: Path) -> None:
    with DataRecorder(tmp_path / "drive") as recorder:
        recorder.add_input("speed", float).add_input("pose", dict)
        assert recorder.record("speed", 1.5, timestamp=T0)
        recorder.record("pose", {"x": 1.0})
    assert Bag(tmp_path / "drive").count == 2
    assert Dataset.load(tmp_path / "drive")["speed"].times().tolist() == [T0]


def test_without_a_place_values_stay_in_memory() -> None:
    recorder = DataRecorder().add_input("x")
    recorder.record("x", "anything", T0)
    assert list(recorder.dataset["x"]) == ["anything"]


def test_a_given_dataset_stays_open_when_the_recorder_closes(tmp_path: Path) -> None:
    with Dataset.create(str(tmp_path / "data.pkl")) as dataset:
        with DataRecorder(dataset) as recorder:
            recorder.add_input("x").record("x", 1, T0)
        dataset.append("x", 2, T0)
        assert list(dataset["x"]) == [1, 2]


@pytest.mark.parametrize(("rate", "kept"), [(10.0, 10), (30.0, 30), (3.0, 3), (1000.0, 100)])
def test_the_sampling_rate_does_not_drift(rate: float, kept: int) -> None:
    recorder = DataRecorder(config=DataRecorder.Config(rate_hz=rate)).add_input("x").add_input("y")
    for tick in range(100):
        for name in "xy":
            recorder.record(name, tick, T0 + tick * NS // 100)
    assert len(recorder.dataset["x"]) == len(recorder.dataset["y"]) == kept
    assert recorder.counts["x"] == {"recorded": kept, "skipped": 100 - kept}


def test_a_ring_buffer_keeps_the_last_values() -> None:
    recorder = DataRecorder(config=DataRecorder.Config(keep_last=3)).add_input("x").add_input("y")
    recorder.record("y", "old", T0 - 5)
    for tick in range(10):
        recorder.record("x", tick, T0 + tick)
    assert list(recorder.dataset["x"]) == [7, 8, 9]
    assert list(recorder.dataset["y"]) == ["old"]


def test_a_ring_buffer_keeps_the_last_seconds(tmp_path: Path) -> None:
    config = DataRecorder.Config(keep_last_s=0.5)
    with DataRecorder(tmp_path / "last.pkl", config) as recorder:
        recorder.add_input("x")
        for tick in range(100):
            recorder.record("x", tick, T0 + tick * NS // 10)
        assert times(recorder) == [t * NS // 10 for t in range(94, 100)]
        saved = recorder.save(tmp_path / "now.pkl")
        recorder.record("x", 100, T0 + 10 * NS)
    assert list(saved["x"]) == [94, 95, 96, 97, 98, 99]
    assert list(Dataset.load(tmp_path / "last.pkl")["x"]) == [95, 96, 97, 98, 99, 100]


def test_while_it_is_paused_nothing_is_recorded() -> None:
    recorder = DataRecorder().add_input("x")
    for tick, step in enumerate([None, recorder.pause, recorder.resume]):
        if step is not None:
            step()
        assert recorder.record("x", tick, T0) == (step != recorder.pause)
    assert list(recorder.dataset["x"]) == [0, 2]


def test_threads_record_at_once(tmp_path: Path) -> None:
    with DataRecorder(tmp_path / "data") as recorder:
        recorder.add_input("x")

        def record(thread: int) -> None:
            for tick in range(500):
                recorder.record("x", float(thread), T0 + tick)

        threads = [threading.Thread(target=record, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    values = Dataset.load(tmp_path / "data")["x"].column()
    assert np.bincount(values.astype(int)).tolist() == [500] * 4


def test_messages_are_recorded_at_a_ros_time() -> None:
    messages = pytest.importorskip("sensor_msgs.msg", reason="there is no ROS here")
    imu = messages.Imu()
    imu.header.stamp.sec, imu.header.stamp.nanosec = 5, 7
    recorder = DataRecorder().add_input("imu", messages.Imu)
    recorder.record("imu", imu, imu.header.stamp)
    assert recorder.dataset["imu"].times().tolist() == [5 * NS + 7]
    with pytest.raises(DatasetError, match="imu takes Imu, not Image"):
        recorder.record("imu", messages.Image())


def test_what_is_flushed_can_be_read_by_others(tmp_path: Path) -> None:
    with DataRecorder(tmp_path / "d.pkl", DataRecorder.Config(flush_s=0.0)) as recorder:
        recorder.add_input("x").record("x", 1, T0)
        assert list(Dataset.load(tmp_path / "d.pkl")["x"]) == [1]


@pytest.mark.parametrize(
    ("name", "value", "timestamp", "said"),
    [
        ("y", 1.0, T0, r"input y is not declared \(x\)"),
        ("x", "a", T0, "input x takes float, not str"),
        ("x", 1.0, math.nan, "nan is no time"),
        ("x", 1.0, "now", "'now' is no time"),
        ("x", 1.0, None, "has no timestamp"),
    ],
)
def test_mistakes_are_told_in_a_sentence(name: str, value: Any, timestamp: Any, said: str) -> None:
    recorder = DataRecorder(config=DataRecorder.Config(auto_timestamp=False))
    recorder.add_input("x", float)
    with pytest.raises(DatasetError, match=said):
        recorder.record(name, value, timestamp)


def test_a_recorder_is_declared_with_sense() -> None:
    with pytest.raises(DatasetError, match="rate_hz is 0"):
        DataRecorder(config=DataRecorder.Config(rate_hz=0))
    recorder = DataRecorder().add_input("x")
    with pytest.raises(DatasetError, match="declared twice"):
        recorder.add_input("x")
    with pytest.raises(DatasetError, match="cannot be named start"):
        recorder.add_input("start")
    recorder.close()
    recorder.close()
    with pytest.raises(DatasetError, match="recorder is closed"):
        recorder.record("x", 1)
