import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lockstep.dataset import Dataset, DatasetError

T0 = 1_700_000_000_000_000_000
HUSKY = "husky_gps_imu_odom"


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.fixture
def pyarrow() -> Any:
    return pytest.importorskip("pyarrow", reason="pyarrow is not installed")


def test_a_series_becomes_a_data_frame(pandas: Any, bags: Path) -> None:
    imu = Dataset.load(bags / HUSKY)["/imu/data"]
    frame = imu.to_pandas(["angular_velocity.z", "orientation_covariance", "header.frame_id"])
    assert list(frame.columns[:2]) == ["angular_velocity.z", "orientation_covariance[0]"]
    assert frame.shape == (11865, 11)
    np.testing.assert_array_equal(frame["angular_velocity.z"], imu.column("angular_velocity.z"))
    assert frame.index.name == "time"
    assert frame.index[0] == pandas.Timestamp(int(imu.times()[0]), tz="UTC")
    assert set(imu[:2].to_pandas().columns) >= {"header.stamp", "angular_velocity.z"}


def test_plain_numbers_become_the_column_value(pandas: Any) -> None:
    dataset = Dataset.create()
    dataset.append("x", 1.5, T0)
    dataset.append("d", {"a": 1, "b": "x", "c": [1, 2]}, T0)
    assert dataset["x"].to_pandas()["value"].tolist() == [1.5]
    assert list(dataset["d"].to_pandas().columns) == ["a", "b"]


def test_a_series_becomes_an_arrow_table(pyarrow: Any, bags: Path) -> None:
    imu = Dataset.load(bags / HUSKY)["/imu/data"][:100]
    table = imu.to_arrow()
    assert table.num_rows == 100
    assert table["time"].type == pyarrow.timestamp("ns", "UTC")
    assert table["time"].cast("int64").to_pylist() == imu.times().tolist()
    assert table["orientation_covariance"].type == pyarrow.list_(pyarrow.float64(), 9)
    assert table["header.frame_id"].to_pylist() == imu.column("header.frame_id").tolist()


def test_arrays_of_any_shape_become_nested_lists(pyarrow: Any) -> None:
    dataset = Dataset.create()
    dataset.append("even", np.arange(6).reshape(2, 3), T0)
    dataset.append("odd", np.arange(2), T0)
    dataset.append("odd", np.arange(3), T0)
    assert dataset["even"].to_arrow()["value"].to_pylist() == [[[0, 1, 2], [3, 4, 5]]]
    assert dataset["odd"].to_arrow()["value"].to_pylist() == [[0, 1], [0, 1, 2]]
    time = dataset["odd"].to_arrow()["time"][0].as_py()
    assert time.tzinfo is not None or isinstance(time, datetime.datetime)


def test_without_the_libraries_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = Dataset.create()
    dataset.append("x", 1.0, T0)
    for library, make in (("pandas", "to_pandas"), ("pyarrow", "to_arrow")):
        monkeypatch.setitem(__import__("sys").modules, library, None)
        with pytest.raises(DatasetError, match=f"needs {library}"):
            getattr(dataset["x"], make)()


def test_a_frame_has_columns_of_arrays_and_tells_what_it_leaves_out(bags, pandas):
    with Dataset.load(bags / "office_scan_odom_tf") as dataset:
        frame = dataset["/scan"][:3].to_pandas()
        assert [len(ranges) for ranges in frame["ranges"]] == [
            len(scan.ranges) for scan in dataset["/scan"][:3]
        ]
        with pytest.warns(UserWarning, match="left out, as a list is no column: transforms; name"):
            dataset["/tf"][:3].to_pandas()
