"""Many bags as one dataset: which are opened when, which are chosen, and what weighs how much."""

from __future__ import annotations

import json
import pickle
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from lockstep.dataset import Dataset, DatasetError, collected, summaries
from lockstep.dataset.backends.mcap import BagSource
from lockstep.dataset.source import part_of
from std_msgs.msg import Float64, Int64

S = 1_000_000_000
DAY = 86_400 * S


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The paths of bags as they are opened, for their summaries or to be read."""
    paths: list[str] = []

    class Noted(BagSource):
        def __init__(self, path: str) -> None:
            paths.append(path)
            super().__init__(path)

    class NotedBag(summaries.Bag):
        def __init__(self, path: str) -> None:
            paths.append(path)
            super().__init__(path)

    monkeypatch.setattr(collected, "BagSource", Noted)
    monkeypatch.setattr(summaries, "Bag", NotedBag)
    yield paths


def write(place: Path, values: list[float], start_ns: int, weather: str | None = None) -> None:
    """A bag with a topic of floats, a value each second, and one of whole numbers."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with Dataset.create("mcap", place) as dataset:
        for tick, value in enumerate(values):
            dataset.append("/speed", Float64(data=value), start_ns + tick * S)
            dataset.append("/gear", Int64(data=tick), start_ns + tick * S)
    if weather is not None:  # as `ros2 bag record --custom-data` writes it
        file = place / "metadata.yaml"
        text = file.read_text()
        line = next(line for line in text.splitlines() if "custom_data" in line)
        indent = line[: len(line) - len(line.lstrip())]
        file.write_text(text.replace(line, f"{indent}custom_data:\n{indent}  weather: {weather}"))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Three bags, one of them a bare file, on three days."""
    folder = tmp_path / "logs"
    write(folder / "north/monday", [1.0, 2.0], 1 * DAY, "rain")
    write(folder / "north/tuesday", [3.0], 2 * DAY, "sun")
    write(folder / "wednesday.mcap", [4.0, 5.0], 3 * DAY)
    return folder


def speeds(dataset: Dataset) -> list[float]:
    return dataset["/speed"].column("data").tolist()


def test_all_bags_below_a_folder_are_one_dataset_in_order_of_time(logs: Path) -> None:
    dataset = Dataset.collect(logs)
    assert speeds(dataset) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert (dataset.count, dataset.start_ns, dataset.end_ns) == (10, DAY, 3 * DAY + S)
    assert [record.value.data for record in dataset.records(["/gear"])] == [0, 1, 0, 0, 1]
    assert dataset["/speed"][3].data == 4.0


def test_a_second_time_no_bag_is_opened_to_tell_what_it_holds(
    logs: Path, opened: list[str]
) -> None:
    Dataset.collect(logs)
    assert len(opened) == 3
    opened.clear()
    dataset = Dataset.collect(logs, topics=["/speed"])
    assert (dataset.keys(), len(dataset["/speed"]), dataset.end_ns) == (["/speed"], 5, 3 * DAY + S)
    assert opened == []


def test_only_bags_that_hold_what_is_asked_for_are_opened(logs: Path, opened: list[str]) -> None:
    Dataset.collect(logs)
    opened.clear()
    dataset = Dataset.collect(logs).select("/speed", start_ns=2 * DAY, end_ns=3 * DAY)
    assert [record.value.data for record in dataset.records()] == [3.0]
    assert opened == [str(logs / "north/tuesday")]


def test_a_bag_whose_files_have_changed_is_looked_at_again(logs: Path, opened: list[str]) -> None:
    Dataset.collect(logs)
    shutil.rmtree(logs / "north/tuesday")
    write(logs / "north/tuesday", [7.0, 8.0, 9.0], 2 * DAY)
    (logs / "wednesday.mcap").unlink()
    opened.clear()
    assert speeds(Dataset.collect(logs)) == [1.0, 2.0, 7.0, 8.0, 9.0]
    assert opened.count(str(logs / "north/tuesday")) == 2


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 1}', '{"version": 1, "summaries": [3]}']
)
def test_a_damaged_cache_is_made_anew(logs: Path, cache: Path, text: str) -> None:
    Dataset.collect(logs)
    (file,) = cache.rglob("*.json")
    file.write_text(text)
    assert Dataset.collect(logs).count == 10
    assert json.loads(file.read_text())["summaries"]


def test_a_cache_that_cannot_be_written_is_done_without(logs: Path, cache: Path) -> None:
    cache.write_text("a file where a folder should be")
    assert Dataset.collect(logs).count == 10


def test_bags_are_chosen_by_topic_type_time_and_label(logs: Path) -> None:
    assert Dataset.collect(logs, topics=["/g*"]).keys() == ["/gear"]
    assert Dataset.collect(logs, types=["std_msgs/msg/Float64"]).keys() == ["/speed"]
    assert speeds(Dataset.collect(logs, labels={"weather": "rain"})) == [1.0, 2.0]
    assert speeds(Dataset.collect(logs, labels={"weather": "*n"})) == [1.0, 2.0, 3.0]
    assert speeds(Dataset.collect(logs, start_ns=DAY + S, end_ns=3 * DAY + 1)) == [2.0, 3.0, 4.0]
    assert speeds(Dataset.collect(f"{logs}/*/*day")) == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("choice", [{"topics": ["/x"]}, {"labels": {"weather": "snow"}}])
def test_where_nothing_fits_that_is_told(logs: Path, choice: dict[str, object]) -> None:
    with pytest.raises(DatasetError, match="none of the 3 bags below"):
        Dataset.collect(logs, **choice)
    with pytest.raises(DatasetError, match="there is no bag below"):
        Dataset.collect(logs / "nowhere")


def test_a_bag_that_cannot_be_opened_is_told_and_left_out(logs: Path) -> None:
    (logs / "broken.mcap").write_bytes(b"no bag at all")
    with pytest.warns(UserWarning, match=r"left out: .*broken\.mcap"):
        assert Dataset.collect(logs).count == 10


def test_readers_share_bags_so_that_each_is_opened_by_one(logs: Path, opened: list[str]) -> None:
    dataset = Dataset.collect(logs).select(["/speed"])
    opened.clear()
    read = []
    for turn in range(3):
        part = part_of(pickle.loads(pickle.dumps(dataset._source)), turn, 3)
        assert part is not None
        read += [record.decoded().value.data for record in part.records()]
    assert sorted(read) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(opened) == 3
    assert part_of(dataset._source, 0, 4) is None  # each reads its values of all bags


def test_bags_behind_a_url_are_collected_and_known_again(logs: Path, opened: list[str]) -> None:
    fsspec = pytest.importorskip("fsspec")
    files = fsspec.filesystem("memory")
    files.put(str(logs), "/collected", recursive=True)
    try:
        assert speeds(Dataset.collect("memory://collected")) == [1.0, 2.0, 3.0, 4.0, 5.0]
        opened.clear()
        dataset = Dataset.collect("memory://collected", labels={"weather": "sun"})
        assert opened == []
        assert speeds(dataset) == [3.0]
        assert speeds(Dataset.collect("memory://collected/*.mcap")) == [4.0, 5.0]
    finally:
        files.rm("/collected", recursive=True)


@pytest.mark.skipif(not find_spec("torch"), reason="PyTorch is not installed")
@pytest.mark.parametrize("workers", [0, 2, 4])
def test_loaders_of_torch_see_each_value_once(logs: Path, workers: int) -> None:
    from torch.utils.data import DataLoader

    samples = Dataset.collect(logs).to_torch({"/speed": ["data"]}, stream=True)
    loader = DataLoader(samples, num_workers=workers, batch_size=None)
    assert sorted(float(one["/speed"]) for one in loader) == [1.0, 2.0, 3.0, 4.0, 5.0]


def test_recordings_are_combined_by_weight_and_what_was_said_before_is_left_out(
    logs: Path,
) -> None:
    write(logs / "south/copy", [1.0, 2.0, 6.0], 4 * DAY)
    north, south = (Dataset.collect(logs / name, topics=["/speed"]) for name in ("north", "south"))
    both = Dataset.combine([(north, 2.0), (south, 1.0)])
    assert speeds(both) == [1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 6.0]
    assert both["/speed"].times().tolist()[-1] == 4 * DAY + 2 * S
    assert speeds(Dataset.combine([(north, 1.0), (south, 1.0)], distinct=False))[3:] == [1, 2, 6]
    only = Dataset.combine([(north, 1.0), (south, 1.0)]).select(start_ns=2 * DAY)
    assert [record.value.data for record in only.records()] == [3.0, 6.0]


def test_a_weight_of_a_tenth_takes_one_in_ten_and_the_seed_decides_which() -> None:
    dataset = Dataset.create()
    for tick in range(5000):
        dataset.append("x", float(tick), tick)
    drawn = [Dataset.combine([(dataset, 0.1)], seed=seed)["x"].column("") for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert 400 < len(drawn[0]) < 600


def test_large_arrays_that_differ_in_the_middle_are_no_duplicates() -> None:
    dataset = Dataset.create()
    for tick in range(3):
        values = np.zeros(5000)
        values[2500] = tick % 2
        dataset.append("grid", values, tick)
    assert len(Dataset.combine([(dataset, 1.0)])["grid"]) == 2


@pytest.mark.parametrize("weight", [0.0, -1.0, float("inf"), float("nan")])
def test_what_is_no_weight_is_refused(weight: float) -> None:
    with pytest.raises(DatasetError, match="is no weight of a dataset"):
        Dataset.combine([(Dataset.create(), weight)])
    with pytest.raises(DatasetError, match="nothing is to be combined"):
        Dataset.combine([])


def test_a_thousand_bags_open_within_two_seconds_once_they_are_known(tmp_path: Path) -> None:
    write(tmp_path / "one", [1.0, 2.0], DAY)
    for number in range(1000):
        shutil.copytree(tmp_path / "one", tmp_path / f"logs/{number:04}")
    Dataset.collect(tmp_path / "logs")
    start_s = time.process_time()
    dataset = Dataset.collect(tmp_path / "logs", topics=["/speed"])
    assert (len(dataset["/speed"]), dataset.start_ns) == (2000, DAY)
    assert time.process_time() - start_s < 2.0
    assert Counter(speeds(dataset.select(end_ns=DAY + 1))) == {1.0: 1000}
