"""The bags that are measured: made once, the same for the same seed, by a writer that is none of
the contestants' own.

The mcap library writes them as rosbag2 would: chunks of 768 KB without checksums, either plain (its
default) or compressed with zstd (at that library's level 3). Messages are XCDR1, laid out here by
numpy; the types are those of ROS 2 Jazzy.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mcap.writer import CompressionType, Writer
from rosbags.typesys import Stores, get_typestore

Bytes = npt.NDArray[np.uint8]
Rng = np.random.Generator

_EDITION = 1  # of the contents; bags of an older one are made anew
_SEED = 1
_START_NS = 1_700_000_000_000_000_000
_CHUNK_BYTES = 768 * 1024
_STAMP = [("sec", "<i4"), ("nanosec", "<u4")]
_UPRIGHT = np.array([0.0, 0.0, 0.0, 1.0])
_GRAVITY = np.array([0.0, 0.0, 9.81])


@dataclass(frozen=True)
class BagPlan:
    """A bag of one type; `make(rng, times)` gives the CDR (n, bytes) of messages stamped `times`
    (n,) in ns.

    They are dealt in turn to `topics` topics, of which `topic` is the first.
    `block` messages are made at a time, so that bags may be larger than memory.
    """

    name: str
    type: str
    topic: str
    count: int
    period_ns: int
    compression: str
    make: Callable[[Rng, npt.NDArray[np.int64]], Bytes]
    block: int
    topics: int = 1
    own_definition: str = ""
    """Of a type that is none of ROS 2's."""

    def messages(self, count: int) -> Iterator[tuple[npt.NDArray[np.int64], Bytes]]:
        """Log times and payloads of the first `count` messages, in blocks."""
        rng = np.random.default_rng(_SEED)
        for start in range(0, count, self.block):
            times = _START_NS + np.arange(start, min(start + self.block, count)) * self.period_ns
            yield times, self.make(rng, times)

    @property
    def definition(self) -> str:
        """The message definition to embed."""
        if self.own_definition:
            return self.own_definition
        store: Any = get_typestore(Stores.ROS2_JAZZY)
        text, _ = store.generate_msgdef(self.type, ros_version=2)
        return str(text)

    @property
    def type_hash(self) -> str:
        """The RIHS01 hash of the type."""
        store: Any = get_typestore(Stores.ROS2_JAZZY)
        return str(store.hash_rihs01(self.type))


def folder() -> Path:
    """Where bags are kept between runs: $LOCKSTEP_BENCH_BAGS, or build/bench."""
    default = Path(__file__).resolve().parent.parent.parent / "build/bench"
    return Path(os.environ.get("LOCKSTEP_BENCH_BAGS") or default)


def bag_path(plan: BagPlan, count: int) -> Path:
    """Where a bag is, or would be."""
    return folder() / f"{plan.name}-{count}-{_EDITION}.mcap"


def make_bag(plan: BagPlan, count: int) -> Path:
    """Write a bag of `count` messages unless it is there."""
    path = bag_path(plan, count)
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        _write(plan, count, partial)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return partial.rename(path)


def _write(plan: BagPlan, count: int, path: Path) -> None:
    with path.open("wb") as stream:
        writer: Any = Writer(
            stream,
            chunk_size=_CHUNK_BYTES,
            compression=CompressionType[plan.compression.upper()],
            enable_crcs=False,
        )
        writer.start("ros2", "bench")
        schema = writer.register_schema(plan.type, "ros2msg", plan.definition.encode())
        channels = [
            writer.register_channel(
                f"{plan.topic}_{number}" if number else plan.topic,
                "cdr",
                schema,
                {"offered_qos_profiles": ""},
            )
            for number in range(plan.topics)
        ]
        sequence = 0
        for times, payloads in plan.messages(count):
            for time_ns, payload in zip(times.tolist(), payloads, strict=True):
                channel = channels[sequence % plan.topics]
                writer.add_message(channel, time_ns, payload.tobytes(), time_ns, sequence)
                sequence += 1
        writer.finish()


def scratch(pid: int) -> Path:
    """Where the process `pid` may write a bag."""
    return folder() / f"written-{pid}"


def free_bytes() -> int:
    """Disk space left where bags are kept."""
    folder().mkdir(parents=True, exist_ok=True)
    return shutil.disk_usage(folder()).free


def _cdr(body: npt.NDArray[np.void]) -> Bytes:
    """Little-endian CDR of messages whose members are aligned as XCDR1 aligns them."""
    payload = np.zeros((len(body), 4 + body.itemsize), np.uint8)
    payload[:, 1] = 1
    payload[:, 4:] = body.view(np.uint8).reshape(len(body), -1)
    return payload


def _text(name: str, value: str) -> list[tuple[str, str]]:
    return [(f"{name}_length", "<u4"), (name, f"S{len(value) + 1}")]


def _empty(times: npt.NDArray[np.int64], fields: list[Any], **texts: str) -> npt.NDArray[np.void]:
    body = np.zeros(len(times), np.dtype(_STAMP + fields, align=True))
    body["sec"], body["nanosec"] = np.divmod(times, 1_000_000_000)
    for name, value in texts.items():
        body[f"{name}_length"], body[name] = len(value) + 1, value.encode()
    return body


def _walk(rng: Rng, *shape: int) -> npt.NDArray[np.float64]:
    return np.cumsum(rng.normal(0, 0.01, shape), axis=0)


def _unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    unit: npt.NDArray[np.float64] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def _imu(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    fields: list[Any] = _text("frame_id", "imu_link")
    for name, size in (("orientation", 4), ("angular_velocity", 3), ("linear_acceleration", 3)):
        fields += [(name, "<f8", size), (f"{name}_covariance", "<f8", (3, 3))]
    body = _empty(times, fields, frame_id="imu_link")
    body["orientation"] = _unit(_walk(rng, len(body), 4) + _UPRIGHT)
    body["angular_velocity"] = _walk(rng, len(body), 3)
    body["linear_acceleration"] = _walk(rng, len(body), 3) + _GRAVITY
    for name in ("orientation", "angular_velocity", "linear_acceleration"):
        body[f"{name}_covariance"] = np.eye(3) * 4e-4
    return _cdr(body)


def _vector(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    body = _empty(
        times, [*_text("frame_id", "imu_link"), ("vector", "<f8", 3)], frame_id="imu_link"
    )
    body["vector"] = _walk(rng, len(body), 3) + _GRAVITY
    return _cdr(body)


def _odometry(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    fields: list[Any] = [*_text("frame_id", "odom"), *_text("child_frame_id", "base_link")]
    fields += [("position", "<f8", 3), ("orientation", "<f8", 4), ("pose_covariance", "<f8", 36)]
    fields += [("twist", "<f8", 6), ("twist_covariance", "<f8", 36)]
    body = _empty(times, fields, frame_id="odom", child_frame_id="base_link")
    body["position"] = _walk(rng, len(body), 3)
    body["orientation"] = _unit(_walk(rng, len(body), 4) + _UPRIGHT)
    body["twist"] = _walk(rng, len(body), 6)
    body["pose_covariance"] = body["twist_covariance"] = np.eye(6).reshape(-1) * 1e-3
    return _cdr(body)


def _scan(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    rays = 360
    fields: list[Any] = [*_text("frame_id", "laser"), ("settings", "<f4", 7)]
    for name in ("ranges", "intensities"):
        fields += [(f"{name}_length", "<u4"), (name, "<f4", rays)]
    body = _empty(times, fields, frame_id="laser")
    body["settings"] = [-np.pi, np.pi, 2 * np.pi / rays, 0, 0.1, 0.1, 30]
    body["ranges_length"] = body["intensities_length"] = rays
    outline = 5 + np.cumsum(rng.normal(0, 0.1, rays))
    noisy = outline + rng.normal(0, 0.01, (len(body), rays))
    body["ranges"] = np.abs(noisy).round(3)  # real scanners count millimetres
    body["intensities"] = rng.integers(0, 4096, (len(body), rays))
    return _cdr(body)


def _image(rng: Rng, times: npt.NDArray[np.int64], height: int = 1080, width: int = 1920) -> Bytes:
    fields: list[Any] = [*_text("frame_id", "cam"), ("height", "<u4"), ("width", "<u4")]
    fields += [*_text("encoding", "rgb8"), ("is_bigendian", "u1"), ("step", "<u4")]
    fields += [("data_length", "<u4"), ("data", "u1", 3 * height * width)]
    body = _empty(times, fields, frame_id="cam", encoding="rgb8")
    body["height"], body["width"], body["step"] = height, width, 3 * width
    body["data_length"] = 3 * height * width
    body["data"] = rng.integers(0, 256, (len(body), 3 * height * width), np.uint8)
    return _cdr(body)


_POINTS = 100_000
_AFTER_POINTS = 4
"""Bytes of a cloud behind its points, with what aligns the next."""
_POINT_FIELDS = (("x", 0, 7), ("y", 4, 7), ("z", 8, 7), ("intensity", 12, 7))


def _cloud(rng: Rng, times: npt.NDArray[np.int64], rows: int = 100) -> Bytes:
    """Clouds of 100,000 points in so many rows, as a lidar turns from one to the next."""
    fields: list[Any] = [*_text("frame_id", "lidar"), ("height", "<u4"), ("width", "<u4")]
    fields += [("fields_length", "<u4")]
    texts = {"frame_id": "lidar"}
    for number, (name, _, _) in enumerate(_POINT_FIELDS):
        texts[f"name_{number}"] = name
        fields += [*_text(f"name_{number}", name), (f"offset_{number}", "<u4")]
        fields += [(f"datatype_{number}", "u1"), (f"count_{number}", "<u4")]
    fields += [("is_bigendian", "u1"), ("point_step", "<u4"), ("row_step", "<u4")]
    fields += [("data_length", "<u4"), ("data", "u1", 16 * _POINTS), ("is_dense", "u1")]
    body = _empty(times, fields, **texts)
    body["height"], body["width"], body["fields_length"] = rows, _POINTS // rows, 4
    for number, (_, offset, datatype) in enumerate(_POINT_FIELDS):
        body[f"offset_{number}"], body[f"datatype_{number}"] = offset, datatype
        body[f"count_{number}"] = 1
    body["point_step"], body["row_step"] = 16, 16 * _POINTS // rows
    body["data_length"] = 16 * _POINTS
    body["data"] = _points(rng, len(body)).view(np.uint8).reshape(len(body), -1)
    return _cdr(body)


def _points(rng: Rng, clouds: int) -> npt.NDArray[np.float32]:
    """x, y, z and intensity, (clouds, points, 4)."""
    turn = np.linspace(0, 2 * np.pi, _POINTS)
    far = rng.uniform(2, 50, (clouds, _POINTS))
    rise = rng.uniform(-0.3, 0.3, (clouds, _POINTS))
    places = [far * np.cos(turn), far * np.sin(turn), far * rise]
    return np.stack([*places, rng.uniform(0, 255, far.shape)], axis=2).astype("<f4")


def _spoilt_cloud(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    """The same clouds, of each a few points in another place."""
    payload = _cloud(rng, times)
    end = payload.shape[1] - _AFTER_POINTS
    payload[:, end - 8_000 : end - 7_998] ^= 0x40
    return payload


def _shuffled_cloud(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    """The same clouds in a single row, with points in another order and off by a millimetre."""
    payload = _cloud(rng, times, rows=1)
    end = payload.shape[1] - _AFTER_POINTS
    data = slice(end - 16 * _POINTS, end)
    for row in range(len(payload)):
        points = payload[row, data].copy().view("<f4").reshape(-1, 4)
        points[:, :3] += np.random.default_rng(row).uniform(-1e-3, 1e-3, (len(points), 3))
        shuffled = points[np.random.default_rng(row).permutation(len(points))]
        payload[row, data] = shuffled.reshape(-1).view(np.uint8)
    return payload


def _noisy_imu(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    """The same messages, each with an angular velocity that is off by some 1e-9."""
    payload = _imu(rng, times)
    fields: list[Any] = [*_text("frame_id", "imu_link"), ("orientation", "<f8", 4)]
    fields += [("orientation_covariance", "<f8", (3, 3)), ("angular_velocity", "<f8", 3)]
    at = 4 + np.dtype(_STAMP + fields, align=True).fields["angular_velocity"][1]  # type: ignore[index]
    rates = payload[:, at : at + 8].copy().view("<f8")
    rates += 1e-9
    payload[:, at : at + 8] = rates.view(np.uint8)
    return payload


def _forty(rng: Rng, times: npt.NDArray[np.int64], seed: int = 0) -> Bytes:
    """40 numbers that are near those of any other seed, and follow no law of them."""
    body = np.zeros(len(times), np.dtype([("values", "<f8", 40)]))
    body["values"] = _walk(rng, len(times), 40)
    if seed:
        body["values"] += 0.01 * np.random.default_rng((seed, int(times[0]))).random(
            (len(times), 40)
        )
    return _cdr(body)


def _spoilt_image(rng: Rng, times: npt.NDArray[np.int64]) -> Bytes:
    """The same images, each with a few wrong pixels."""
    payload = _image(rng, times)
    payload[:, -3000:-2990] ^= 0x40
    return payload


IMU = BagPlan(
    "imu", "sensor_msgs/msg/Imu", "/imu", 1_000_000, 10_000_000, "zstd", _imu, block=10_000
)
ODOMETRY = BagPlan(
    "odometry", "nav_msgs/msg/Odometry", "/odom", 1_000_000, 20_000_000, "zstd", _odometry, 10_000
)
SCAN = BagPlan(
    "scan", "sensor_msgs/msg/LaserScan", "/scan", 200_000, 100_000_000, "zstd", _scan, 2_000
)
VECTOR = BagPlan(
    "vector",
    "geometry_msgs/msg/Vector3Stamped",
    "/vector",
    1_000_000,
    10_000_000,
    "zstd",
    _vector,
    block=10_000,
)
PACED = replace(VECTOR, name="vector-200hz", count=4_000, period_ns=5_000_000)
IMU_PLAIN, ODOMETRY_PLAIN, SCAN_PLAIN = (
    replace(plan, name=f"{plan.name}-plain", compression="none") for plan in (IMU, ODOMETRY, SCAN)
)
IMU_TOPICS = replace(IMU, name="imu-topics", topics=8)
IMU_NOISY = replace(IMU, name="imu-noisy", make=_noisy_imu)
FORTY = BagPlan(
    "forty",
    "bench_interfaces/msg/Forty",
    "/forty",
    1_000_000,
    10_000_000,
    "zstd",
    _forty,
    block=10_000,
    own_definition="".join(f"float64 number_{i}\n" for i in range(40)),
)
FORTY_OTHERS = replace(FORTY, name="forty-others", make=partial(_forty, seed=1))
IMAGE = BagPlan(
    "image", "sensor_msgs/msg/Image", "/image", 150, 33_333_333, "none", _image, block=1
)
IMAGE_1MB = replace(IMAGE, name="image-1mb", count=500, make=partial(_image, height=600, width=556))
IMAGE_SPOILT = replace(IMAGE, name="image-spoilt", make=_spoilt_image)
CLOUD = BagPlan(
    "cloud", "sensor_msgs/msg/PointCloud2", "/cloud", 100, 100_000_000, "none", _cloud, block=1
)
CLOUD_SPOILT = replace(CLOUD, name="cloud-spoilt", make=_spoilt_cloud)
CLOUD_ROW = replace(CLOUD, name="cloud-row", count=20, make=partial(_cloud, rows=1))
CLOUD_SHUFFLED = replace(CLOUD_ROW, name="cloud-shuffled", make=_shuffled_cloud)
LARGE = replace(SCAN_PLAIN, name="large", count=3_400_000)
