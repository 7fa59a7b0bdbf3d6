from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from lockstep.dataset import Dataset, DatasetError

if find_spec("torch"):
    import torch
    from torch.utils.data import DataLoader

pytestmark = pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed")
T0 = 1_700_000_000_000_000_000
HUSKY = "husky_gps_imu_odom"
COLUMNS = {
    "/imu/data": ["angular_velocity.z", "linear_acceleration.x", "orientation_covariance"],
    "/husky_velocity_controller/odom": ["twist.twist.linear.x"],
}


@pytest.fixture
def drive(bags: Path) -> Dataset:
    """Two keys of a real robot at the same ticks."""
    return Dataset.load(bags / HUSKY).select(list(COLUMNS)).resample(10)


def test_columns_become_tensors(drive: Dataset) -> None:
    samples = drive.to_torch(COLUMNS)
    assert len(samples) == len(drive["/imu/data"])
    sample = samples[100]
    assert {key: tuple(tensor.shape) for key, tensor in sample.items()} == {
        "/imu/data": (11,),
        "/husky_velocity_controller/odom": (),
    }
    assert sample["/imu/data"].dtype == torch.float32
    expected = np.float32(drive["/imu/data"].column("angular_velocity.z")[100])
    assert sample["/imu/data"][0].item() == expected


@pytest.mark.parametrize("workers", [0, 2])
def test_a_loader_shuffles_and_sees_every_sample_once(drive: Dataset, workers: int) -> None:
    samples = drive.to_torch(COLUMNS)
    loader = DataLoader(samples, batch_size=64, shuffle=True, num_workers=workers)
    seen = torch.cat([batch["/imu/data"] for batch in loader])
    assert seen.shape == (len(samples), 11)
    assert seen.dtype == torch.float32
    expected = torch.stack([samples[i]["/imu/data"] for i in range(len(samples))])
    assert torch.equal(seen[:, :2].sort(dim=0).values, expected[:, :2].sort(dim=0).values)
    assert not torch.equal(seen, expected)


@pytest.mark.parametrize("workers", [0, 1, 2, 3])
def test_streaming_workers_see_every_value_exactly_once(bags: Path, workers: int) -> None:
    with Dataset.load(bags / HUSKY) as dataset:
        fixes = dataset.select("/fix").shuffle(seed=0)
        samples = fixes.to_torch({"/fix": ["header.stamp"]}, dtype="int64", stream=True)
        seen = [batch["/fix"] for batch in DataLoader(samples, num_workers=workers, batch_size=10)]
        stamps = Counter(torch.cat(seen).tolist())
        assert stamps == Counter(dataset["/fix"].times("header").tolist())


def test_streamed_keys_come_one_by_one() -> None:
    dataset = Dataset.create()
    dataset.append("a", 1.0, T0)
    dataset.append("b", np.ones(3), T0)
    samples = list(dataset.to_torch(stream=True))
    assert [list(sample) for sample in samples] == [["a"], ["b"]]
    assert samples[1]["b"].dtype == torch.float32


def test_images_are_tensors_of_their_shape() -> None:
    dataset = Dataset.create()
    for tick in range(3):
        dataset.append("image", np.full((4, 5, 3), tick, np.uint8), T0 + tick)
    (batch,) = DataLoader(dataset.to_torch(dtype="uint8"), batch_size=3)
    assert batch["image"].shape == (3, 4, 5, 3)


def test_mistakes_are_told_in_a_sentence(bags: Path) -> None:
    dataset = Dataset.load(bags / HUSKY)
    with pytest.raises(DatasetError, match="resample first"):
        dataset.to_torch(COLUMNS)
    with pytest.raises(DatasetError, match="no column of numbers"):
        dataset.to_torch({"/fix": ["header.frame_id"]})
    with pytest.raises(DatasetError, match="no key /imu"):
        dataset.to_torch({"/imu": ["x"]})
    with pytest.raises(DatasetError, match="no dtype"):
        dataset.to_torch(COLUMNS, dtype="str")
    with pytest.raises(DatasetError, match="empty dataset"):
        Dataset.create().to_torch()
