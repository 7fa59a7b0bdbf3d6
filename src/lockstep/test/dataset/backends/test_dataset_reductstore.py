"""Datasets in ReductStore, on a stand-in for its server; on a real one as well where one is
reachable: `docker run -p 8383:8383 reduct/store`, REDUCTSTORE_URL=reduct://localhost:8383."""

from __future__ import annotations

import asyncio
import os
import tracemalloc
import uuid
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from lockstep.dataset import Dataset, DatasetError

if find_spec("reduct"):
    import reduct
    from reduct_stand_in import StandIn, stand_in

pytestmark = pytest.mark.skipif(not find_spec("reduct"), reason="reduct-py is not installed")

T0 = 1_700_000_000_000_000_000


@pytest.fixture
def server() -> Iterator[StandIn]:
    with stand_in() as server:
        yield server


@pytest.fixture(params=["stand-in", "real"])
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a new bucket, which is removed afterwards."""
    if request.param == "stand-in":
        yield f"{request.getfixturevalue('server').url}/new"
        return
    server = os.environ.get("REDUCTSTORE_URL")
    if not server:
        pytest.skip("REDUCTSTORE_URL names no ReductStore server")
    name = f"lockstep-{uuid.uuid4().hex}"
    parts = urlsplit(server)
    address, token = f"http://{parts.netloc.rpartition('@')[2]}", parts.username

    async def reach() -> None:
        await reduct.Client(address, api_token=token).info()

    async def remove() -> None:
        await (await reduct.Client(address, api_token=token).get_bucket(name)).remove()

    try:
        asyncio.run(reach())
    except reduct.ReductError as error:
        pytest.skip(f"the ReductStore server {address} cannot be reached: {error}")
    yield f"{server.rstrip('/')}/{name}"
    asyncio.run(remove())


def breaks(server: StandIn, kind: str, when: str, times: int, every: int = 1) -> None:
    """Let connections break at every so many-th request of a kind, so many times."""
    left, seen = times, 0

    def fault(asked: str, now: str) -> bool:
        nonlocal left, seen
        if (asked, now) != (kind, when) or not left:
            return False
        seen += 1
        left -= seen % every == 0
        return seen % every == 0

    server.fault = fault


def test_a_bag_comes_back_from_a_bucket(bucket: str, bags: Path) -> None:
    source = Dataset.load(bags / "husky_gps_imu_odom").select(ticks=slice(200))
    with source.save(bucket) as stored:
        assert sorted(stored.keys()) == sorted(source.keys())
        for key in source:
            assert stored[key].times().tolist() == source[key].times().tolist()
            assert [r.value.data for r in stored.select(key).stored()] == [
                r.value.data for r in source.select(key).stored()
            ]
        assert stored["/imu/data"].type_name == "sensor_msgs/msg/Imu"
        cut = source["/imu/data"][50:60]
        part = stored.select("/imu/data", start_ns=cut.start_ns, end_ns=cut.end_ns)
        assert part["/imu/data"].times().tolist() == cut.times().tolist()[:-1]


def test_values_of_one_time_are_all_kept(bucket: str) -> None:
    with Dataset.create(bucket) as dataset:
        for tick in range(200):
            dataset.append("x", float(tick), T0 + tick // 3)
            dataset.append("state", {"tick": tick}, T0)
    with Dataset.load(bucket) as stored:
        assert stored["x"].column().tolist() == [float(tick) for tick in range(200)]
        assert stored["x"].times().tolist() == [T0 + tick // 3 for tick in range(200)]
        assert [value["tick"] for value in stored["state"]] == list(range(200))
        with pytest.raises(DatasetError, match="only read"):
            stored.append("x", 1.0)


def test_others_find_messages_by_their_labels(bucket: str) -> None:
    with Dataset.create(bucket) as dataset:
        dataset.append("/arm/pose", np.arange(3.0), T0 + 1_234)
    parts = urlsplit(bucket)

    async def look() -> None:
        async with reduct.Client(f"http://{parts.netloc}") as client:
            found = await client.get_bucket(parts.path.strip("/"))
            async with found.read("arm/pose") as record:
                assert record.timestamp == (T0 + 1_234) // 1000
                assert record.labels["topic"] == "/arm/pose"
                assert record.labels["type"] == "std_msgs/msg/Float64MultiArray"
                assert record.labels["serialization"] == "cdr"
            described = (await found.read_attachments("arm/pose"))["$ros"]
            assert described["encoding"] == "cdr"
            assert "float64[] data" in described["schema"]

    asyncio.run(look())


@pytest.mark.parametrize("agent", ["reduct-bridge", "reductstore_agent"])
def test_what_agents_of_reductstore_have_written_is_read(bucket: str, agent: str) -> None:
    """The one tells the type beside the schema, the other in a label of each record."""
    parts = urlsplit(bucket)
    told = {"encoding": "cdr", "topic": "/imu/raw", "schema": "float64 data"}
    labels = {"robot": "r2"}
    if agent == "reduct-bridge":
        told["schema_name"] = "std_msgs/msg/Float64"
    else:
        labels |= {"type": "std_msgs/msg/Float64", "topic": "/imu/raw", "serialization": "cdr"}

    async def write() -> None:
        async with reduct.Client(f"http://{parts.netloc}") as client:
            made = await client.create_bucket(parts.path.strip("/"), exist_ok=True)
            batch = reduct.RecordBatch()
            for tick in range(3):
                data = b"\0\1\0\0" + np.float64(tick).tobytes()
                at = T0 // 1000 + tick
                batch.add("imu", at, data, content_type="application/cdr", labels=labels)
            await made.write_record_batch(batch)
            await made.write_attachments("imu", {"$ros": told})

    asyncio.run(write())
    with Dataset.load(bucket) as stored:
        assert stored["/imu/raw"].type_name == "std_msgs/msg/Float64"
        assert stored["/imu/raw"].column("data").tolist() == [0.0, 1.0, 2.0]
        assert stored["/imu/raw"].times().tolist() == [T0, T0 + 1000, T0 + 2000]


def test_a_server_that_is_not_there_is_told_in_a_sentence() -> None:
    with pytest.raises(DatasetError, match="ReductStore server") as told:
        Dataset.load("reduct://secret@127.0.0.1:9/bucket")
    assert "secret" not in str(told.value)
    with pytest.raises(DatasetError, match="is no place in ReductStore"):
        Dataset.create("reduct://127.0.0.1")


def ticks(place: str) -> list[int]:
    with Dataset.load(place) as stored:
        return [int(value) for value in stored["x"]]


@pytest.mark.parametrize("when", ["before", "after"])
def test_what_was_appended_is_there_once_though_connections_broke(
    server: StandIn, when: str
) -> None:
    """Before: the server has taken nothing; after: it has, and nobody heard of it."""
    place = f"{server.url}/new"
    with Dataset.create(place) as dataset:
        for tick in range(300):
            dataset.append("x", tick, T0 + tick // 4)  # which move on to microseconds that are free
            if tick == 10:
                breaks(server, "write", when, times=3, every=2)
    assert ticks(place) == list(range(300))


def test_equal_values_of_one_time_are_all_kept_though_a_connection_broke(server: StandIn) -> None:
    place = f"{server.url}/new"
    with Dataset.create(place) as dataset:
        dataset.append("x", 7, T0)
        dataset.flush()
        breaks(server, "write", "after", times=1)
        for _ in range(100):
            dataset.append("x", 7, T0)
    assert ticks(place) == [7] * 101


def test_what_could_not_be_written_is_kept_and_written_later(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.dataset.backends.reductstore._FIRST_PAUSE_S", 1e-3)
    place = f"{server.url}/new"
    with Dataset.create(place) as dataset:
        dataset.append("x", 0, T0)
        dataset.flush()  # is acknowledged
        server.fault = lambda kind, now: (kind, now) == ("write", "after")
        dataset.append("x", 1, T0 + 1_000_000)
        with pytest.raises(DatasetError, match="ReductStore server"):
            dataset.flush()
        server.fault = lambda kind, now: False
        dataset.append("x", 2, T0 + 2_000_000)
    assert ticks(place) == [0, 1, 2]


def test_a_reading_goes_on_where_its_connection_broke(server: StandIn) -> None:
    place = f"{server.url}/new"
    with Dataset.create(place) as dataset:
        for tick in range(500):
            dataset.append("x", tick, T0 + tick * 1_000_000)
            dataset.append("y", float(tick), T0 + tick * 1_000_000)
    breaks(server, "read", "after", times=4, every=3)
    with Dataset.load(place) as stored:
        records = [(record.key, int(record.value)) for record in stored.records()]
    assert sorted(records) == sorted((key, tick) for tick in range(500) for key in "xy")


def test_a_server_that_breaks_each_connection_is_told_in_a_sentence(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lockstep.dataset.backends.reductstore._FIRST_PAUSE_S", 1e-3)
    place = f"{server.url}/new"
    with Dataset.create(place) as dataset:
        for tick in range(100):
            dataset.append("x", tick, T0 + tick * 1000)
    with Dataset.load(place) as stored:
        server.fault = lambda kind, now: kind == "read"
        with pytest.raises(DatasetError, match="ReductStore server"):
            list(stored.records())


def test_records_are_streamed_and_their_times_need_no_data(server: StandIn) -> None:
    place = f"{server.url}/new"
    with Dataset.create(place) as dataset:
        for tick in range(400):
            dataset.append("x", np.full(12_500, float(tick)), T0 + tick * 1_000_000)
    with Dataset.load(place) as stored:
        tracemalloc.start()
        assert len(stored["x"].times()) == 400
        of_times = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        assert sum(1 for _ in stored.stored()) == 400  # 40 MB, of which some 64 are held at a time
        of_records = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert of_times < 3e6
    assert of_records < 30e6
