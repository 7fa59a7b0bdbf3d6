"""Against a real server: `docker run -p 8383:8383 reduct/store`,
LOCKSTEP_REDUCTSTORE_URL=reduct://localhost:8383."""

import asyncio
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
from lockstep.dataset import Dataset, DatasetError

T0 = 1_700_000_000_000_000_000


@pytest.fixture
def bucket() -> Iterator[str]:
    """The URL of a new bucket, which is removed afterwards."""
    reduct = pytest.importorskip("reduct", reason="reduct-py is not installed")
    server = os.environ.get("LOCKSTEP_REDUCTSTORE_URL")
    if not server:
        pytest.skip("LOCKSTEP_REDUCTSTORE_URL names no ReductStore server")
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
    import reduct

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


def test_a_server_that_is_not_there_is_told_in_a_sentence() -> None:
    pytest.importorskip("reduct", reason="reduct-py is not installed")
    with pytest.raises(DatasetError, match="ReductStore server") as told:
        Dataset.load("reduct://secret@127.0.0.1:9/bucket")
    assert "secret" not in str(told.value)
    with pytest.raises(DatasetError, match="is no place in ReductStore"):
        Dataset.create("reduct://127.0.0.1")
