"""The rows of the benchmark: what is done on which bag, by whom, and what is promised. Add rows
here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from . import contestants as by
from . import live, pacing, recording, runs, sampling, starting, suites, zoo
from .bags import (
    CLOUD,
    CLOUD_ROW,
    CLOUD_SHUFFLED,
    CLOUD_SPOILT,
    FORTY,
    FORTY_OTHERS,
    IMAGE,
    IMAGE_1MB,
    IMAGE_SPOILT,
    IMU,
    IMU_NOISY,
    IMU_PLAIN,
    IMU_TOPICS,
    LARGE,
    ODOMETRY,
    ODOMETRY_PLAIN,
    PACED,
    SCAN,
    SCAN_PLAIN,
    VECTOR,
    BagPlan,
    bag_path,
    make_bag,
)
from .contestants import Contestant, Task

_BAGS = Path(__file__).resolve().parent.parent.parent / "bags"
_QUICK = 10


@dataclass(frozen=True)
class Recording:
    """A topic of a recorded bag in bags/."""

    file: str
    topic: str
    count: int


@dataclass(frozen=True)
class Row:
    """One kind of work on one bag, by several contestants; the first is Lockstep.

    `targets`: how many times as fast as a contestant Lockstep must be. `limit_mb`: how much memory
    Lockstep may use at most; what is compared is then the memory at its peak instead of time.
    `rate`: what counts per second, if any.
    """

    name: str
    work: str
    bag: BagPlan | Recording
    contestants: Mapping[str, Contestant]
    targets: Mapping[str, float] = field(default_factory=dict)
    limit_mb: float | None = None
    paths: tuple[str, ...] = ()
    probe: str = ""
    rate: str = "msg/s"
    rounds: int = 5
    other: BagPlan | None = None
    """A second bag, to compare with the first."""
    share: float = 1.0
    """Of the messages of the bag, where a contestant is very slow."""
    least: Mapping[str, float] = field(default_factory=dict)
    """Messages per second that a contestant of ours must reach."""
    in_workspace: bool = False
    """Whether the contestants need ROS 2 and the packages of this tree."""
    deliveries: int | None = None
    """How many each message makes in a run of nodes; the processor time for each, of ours and of
    the nodes, is shown then."""
    most_cpu_us: float | None = None
    """Processor time, of ours and of the nodes, that a delivery may take at most."""
    right: tuple[float, float] | None = None
    """Between which shares of what was found must be right; instead of a rate."""
    optional: bool = False
    """Too long for QUICK=1 unless it is asked for by name."""

    def count(self, quick: bool) -> int:
        """Number of messages."""
        if isinstance(self.bag, Recording):
            return self.bag.count
        count = int(self.bag.count * self.share)
        return count // _QUICK if quick else count

    def task(self, quick: bool) -> Task:
        """What the contestants get; the bag is at its path after `prepare`."""
        count = self.count(quick)
        if isinstance(self.bag, Recording):
            path, plan = _BAGS / self.bag.file, None
        else:
            path, plan = bag_path(self.bag, count), self.bag
        other = bag_path(self.other, count) if self.other else None
        return Task(path, self.bag.topic, count, self.paths, self.probe, plan, other)

    def prepare(self, quick: bool) -> None:
        """Make the bag unless it is there."""
        if isinstance(self.bag, BagPlan):
            make_bag(self.bag, self.count(quick))
        if self.other is not None:
            make_bag(self.other, self.count(quick))


_RAW = {"lockstep": by.lockstep_raw, "rosbags": by.rosbags_raw, "mcap": by.mcap_raw}
_COLUMNS = {
    "lockstep": by.lockstep_columns,
    "rosbags": by.rosbags_columns,
    "baglab-mcap-backend": by.baglab_columns,
    "roboto-mcap-codec": by.roboto_columns,
}
_COLUMN_TARGETS = {"rosbags": 15.0, "baglab-mcap-backend": 3.0, "roboto-mcap-codec": 5.0}

_STAMP = ("header.stamp.sec", "header.stamp.nanosec")


def _members(path: str, names: str) -> tuple[str, ...]:
    return tuple(f"{path}.{name}" for name in names)


_IMU_SCALARS = (
    *_STAMP,
    *_members("orientation", "xyzw"),
    *_members("angular_velocity", "xyz"),
    *_members("linear_acceleration", "xyz"),
)
_IMU_FIELDS = (
    *_IMU_SCALARS,
    "orientation_covariance",
    "angular_velocity_covariance",
    "linear_acceleration_covariance",
)
_ODOMETRY_FIELDS = (
    *_STAMP,
    *_members("pose.pose.position", "xyz"),
    *_members("pose.pose.orientation", "xyzw"),
    "pose.covariance",
    *_members("twist.twist.linear", "xyz"),
    *_members("twist.twist.angular", "xyz"),
    "twist.covariance",
)
_SCAN_FIELDS = (
    *_STAMP,
    *("angle_min", "angle_max", "angle_increment", "time_increment", "scan_time"),
    *("range_min", "range_max", "ranges", "intensities"),
)
_IMU_PROBE = "angular_velocity.z"
_HUSKY_IMU = Recording("husky_gps_imu_odom/husky_gps_imu_odom.mcap", "/imu/data", 11_865)
_HUSKY_ACCELERATION = Recording(
    "husky_acceleration/husky_acceleration_0.mcap", "/imu/acceleration", 3_000
)


def _columns(
    name: str,
    work: str,
    plain: BagPlan,
    compressed: BagPlan,
    paths: tuple[str, ...],
    probe: str,
) -> tuple[Row, Row]:
    """Rows for a bag as rosbag2 writes it, and for one that is compressed."""
    return (
        Row(
            f"{name}_plain",
            f"{work}, not compressed",
            plain,
            _COLUMNS,
            _COLUMN_TARGETS,
            None,
            paths,
            probe,
        ),
        Row(name, f"{work}, zstd", compressed, _COLUMNS, _COLUMN_TARGETS, None, paths, probe),
    )


ROWS = (
    Row(
        "imu_raw",
        "raw messages of Imu, zstd",
        IMU,
        _RAW,
        {"rosbags": 2},
    ),
    Row("imu_raw_plain", "raw messages of Imu, not compressed", IMU_PLAIN, _RAW, {"rosbags": 2}),
    *_columns("imu_columns", "all numbers of Imu", IMU_PLAIN, IMU, _IMU_FIELDS, _IMU_PROBE),
    *_columns(
        "odometry_columns",
        "all numbers of Odometry",
        ODOMETRY_PLAIN,
        ODOMETRY,
        _ODOMETRY_FIELDS,
        "twist.twist.angular.z",
    ),
    *_columns(
        "scan_columns",
        "all numbers of LaserScan (360 rays)",
        SCAN_PLAIN,
        SCAN,
        _SCAN_FIELDS,
        "ranges",
    ),
    Row(
        "imu_scalars",
        "numbers of Imu without its arrays, zstd",
        IMU,
        _COLUMNS,
        paths=_IMU_SCALARS,
        probe=_IMU_PROBE,
    ),
    Row(
        "image_pixels",
        "1080p Image to pixels, not compressed",
        IMAGE,
        {
            "lockstep": by.lockstep_pixels,
            "plain reading": by.plain_reading,
            "rosbags": by.rosbags_pixels,
        },
        {"plain reading": 0.8},
        rate="MB/s",
    ),
    Row(
        "write",
        "write Imu, zstd, one call each",
        IMU,
        {"lockstep": by.lockstep_write, "rosbags": by.rosbags_write, "mcap": by.mcap_write},
        {"rosbags": 1},
    ),
    Row(
        "write_columns",
        "write Imu, zstd, from columns",
        IMU,
        {"lockstep": by.lockstep_write_columns, "rosbags": by.rosbags_write},
        {"rosbags": 3},
    ),
    Row(
        "real_raw",
        "raw messages of a real Imu (bags/husky_gps_imu_odom)",
        _HUSKY_IMU,
        _RAW,
    ),
    Row(
        "real_columns",
        "all numbers of a real Imu (bags/husky_gps_imu_odom)",
        _HUSKY_IMU,
        _COLUMNS,
        paths=_IMU_FIELDS,
        probe=_IMU_PROBE,
    ),
    Row(
        "compare_equal",
        "compare two equal bags of Imu, zstd",
        IMU,
        {
            "lockstep": by.lockstep_compare,
            "read, decompress, compare bytes": by.read_and_compare,
            "pymcap-cli diff": by.pymcap_diff,
        },
        {"read, decompress, compare bytes": 0.5, "pymcap-cli diff": 1},
        other=IMU,
    ),
    Row(
        "compare_topics",
        "the same of 8 topics",
        IMU_TOPICS,
        {
            "lockstep": by.lockstep_compare,
            "read, decompress, compare bytes": by.read_and_compare,
            "pymcap-cli diff": by.pymcap_diff,
        },
        {"read, decompress, compare bytes": 0.5, "pymcap-cli diff": 1},
        other=IMU_TOPICS,
    ),
    Row(
        "compare_equal_loop",
        "two equal bags of Imu, zstd, 100,000 messages",
        IMU,
        {"lockstep": by.lockstep_compare, "rosbags and isclose": by.rosbags_isclose},
        {"rosbags and isclose": 20},
        paths=_IMU_FIELDS,
        other=IMU,
        share=0.1,
        rounds=3,
    ),
    Row(
        "compare_within",
        "compare Imu that all differ within tolerance, 100,000 messages",
        IMU,
        {"lockstep": by.lockstep_compare, "rosbags and isclose": by.rosbags_isclose},
        {"rosbags and isclose": 10},
        paths=_IMU_FIELDS,
        other=IMU_NOISY,
        share=0.1,
        rounds=3,
    ),
    Row(
        "compare_images",
        "compare 1080p images that differ in a few pixels (of one bag)",
        IMAGE,
        {"lockstep": by.lockstep_compare, "plain reading": by.plain_reading},
        other=IMAGE_SPOILT,
        rate="MB/s",
    ),
    Row(
        "compare_clouds",
        "compare clouds of 100,000 points by index, a few of which differ",
        CLOUD,
        {"lockstep": by.lockstep_compare},
        least={"lockstep": 500},
        other=CLOUD_SPOILT,
    ),
    Row(
        "compare_shuffled",
        "compare such clouds in another order with noise, by nearest neighbours",
        CLOUD_ROW,
        {"lockstep": by.lockstep_compare_points},
        least={"lockstep": 10},
        other=CLOUD_SHUFFLED,
    ),
    *(
        Row(
            f"live_{name}",
            f"{work} (VectorNormalizer)",
            VECTOR,
            {
                who: partial(measured, command)
                for who, command in {
                    "lockstep, C++": live.lockstep_cpp,
                    "rclcpp": live.rclcpp,
                    "lockstep, Python": live.lockstep_python,
                }.items()
            },
            {"rclcpp": 1},
            rate="",
            share=share,
            in_workspace=True,
        )
        for name, work, measured, share in (
            ("median", "median of 5,000 round trips through a live node", live.median_trip, 0.005),
            ("p99", "99th percentile of such round trips", live.slow_trip, 0.005),
            ("processor", "processor time of a live node for each of 10 kHz", live.processor, 0.02),
        )
    ),
    *(
        Row(
            f"record_{name}",
            f"processor time of recording {work}, none lost",
            plan,
            {
                "lockstep": partial(recording.processor, recording.lockstep, rate_hz),
                "ros2 bag record": partial(recording.processor, recording.ros2_bag, rate_hz),
            },
            rate="",
            share=share,
            in_workspace=True,
            rounds=3,
        )
        for name, work, plan, rate_hz, share in (
            ("images", "50 MB/s of 1 MB images: each", IMAGE_1MB, 50.0, 1.0),
            ("small", "10,000 msg/s of 324 bytes: each", IMU, 10_000.0, 0.05),
        )
    ),
    Row(
        "pacing",
        "99th percentile of lateness, replayed at 200 Hz",
        PACED,
        {
            "lockstep": partial(pacing.p99_lateness, pacing.lockstep),
            "plain rclpy": partial(pacing.p99_lateness, pacing.plain_rclpy),
            "ros2 bag play": partial(pacing.p99_lateness, pacing.ros2_bag),
        },
        {"ros2 bag play": 2},
        rate="",
        in_workspace=True,
    ),
    Row(
        "start_up",
        "processor time of a command that shows its help",
        _HUSKY_ACCELERATION,
        {
            "lockstep": starting.lockstep_help,
            "python -c pass": starting.python_alone,
            "rosbags-convert": starting.rosbags_help,
            "pymcap-cli": starting.pymcap_help,
        },
        {"pymcap-cli": 1},
        rate="",
        in_workspace=True,
    ),
    Row(
        "start_up_info",
        "processor time of a command that tells what a small bag holds",
        _HUSKY_ACCELERATION,
        {"lockstep": starting.lockstep_info, "pymcap-cli": starting.pymcap_info},
        {"pymcap-cli": 1},
        rate="",
        in_workspace=True,
    ),
    Row(
        "suite",
        "200 small direct verifications ($BENCH_CASES), in wall time",
        _HUSKY_ACCELERATION,
        {"lockstep suite": suites.suite, "one after the other": suites.one_after_the_other},
        {"one after the other": 1.9},
        rate="",
        rounds=1,
        in_workspace=True,
    ),
    Row(
        "suite_overhead",
        "processor time of a small direct verification of a suite beyond its runs",
        _HUSKY_ACCELERATION,
        {"lockstep suite": suites.overhead, "what is allowed": suites.allowed_overhead},
        {"what is allowed": 1},
        rate="",
        rounds=3,
        in_workspace=True,
    ),
    Row(
        "suite_ray",
        "200 small direct verifications ($BENCH_CASES) on two workers, in wall time",
        _HUSKY_ACCELERATION,
        {"--on ray://": suites.on_ray, "--jobs 2": suites.on_two_cores},
        {"--jobs 2": 0.9},
        rate="",
        rounds=1,
        in_workspace=True,
    ),
    Row(
        "suite_memory",
        "a suite of 10,000 cases: memory at most",
        _HUSKY_ACCELERATION,
        {"lockstep suite": suites.coordinator},
        limit_mb=300,
        rounds=1,
        in_workspace=True,
    ),
    Row(
        "suite_shared",
        "ten candidates of one reference, which runs once, in wall time",
        _HUSKY_ACCELERATION,
        {"lockstep suite": suites.shared, "with --no-share": suites.not_shared},
        {"with --no-share": 1 / 0.6},
        rate="",
        rounds=3,
        in_workspace=True,
    ),
    Row(
        "report",
        "compare and report 1 M Imu that all differ",
        IMU,
        {"lockstep": by.lockstep_report},
        other=IMU_NOISY,
        rounds=1,
    ),
    Row(
        "explain",
        "compare 1 M messages of 40 numbers that all differ, and seek a law for each",
        FORTY,
        {"lockstep": by.lockstep_explain},
        other=FORTY_OTHERS,
        least={"lockstep": 100_000},
        rounds=1,
    ),
    Row(
        "zoo",
        "more than a hundred faults of ports, planted in recordings: named rightly",
        _HUSKY_IMU,
        {"lockstep": zoo.named},
        rate="",
        right=(0.9, 1.0),
        rounds=1,
    ),
    Row(
        "zoo_unrelated",
        "numbers and vectors that have nothing to do with each other: named all the same",
        _HUSKY_IMU,
        {"lockstep": zoo.named_falsely},
        rate="",
        right=(0.0, 0.01),
        rounds=1,
    ),
    Row(
        "compare_memory",
        "compare 10 GB of LaserScan with itself: memory at most",
        LARGE,
        {"lockstep": by.lockstep_compare},
        limit_mb=500,
        rounds=1,
        other=LARGE,
        optional=True,
    ),
    *(
        Row(
            f"direct_{plan.name}",
            f"direct run of {component}, bag to bag",
            plan,
            {
                "lockstep, C++": runs.direct_cpp,
                "lockstep, Python": runs.direct_python,
                "lockstep, Python in process": runs.in_process,
            },
            {"lockstep, Python in process": 20},
            least={"lockstep, C++": 200_000, "lockstep, Python in process": 30_000},
            in_workspace=True,
            rounds=3,
        )
        for plan, component in ((VECTOR, "VectorNormalizer"), (IMU, "ImuComplementaryFilter"))
    ),
    Row(
        "node",
        "direct run of an ordinary rclpy node that hands on Imu, in wall time",
        IMU,
        {"lockstep, rclpy": runs.direct_node},
        least={"lockstep, rclpy": 3_000},
        deliveries=1,
        in_workspace=True,
        share=0.01,
        rounds=3,
    ),
    Row(
        "node_cpp",
        "the same of a node in C++ on rcl",
        IMU,
        {"lockstep, C++": runs.direct_node_cpp},
        least={"lockstep, C++": 100_000},
        most_cpu_us=8,
        deliveries=1,
        in_workspace=True,
        share=0.2,
        rounds=3,
    ),
    Row(
        "node_images",
        "the same with images of 1 MB",
        IMAGE_1MB,
        {"lockstep, C++": runs.direct_node_images},
        least={"lockstep, C++": 500e6},
        deliveries=1,
        rate="MB/s",
        in_workspace=True,
        rounds=3,
    ),
    Row(
        "system",
        "direct run of five rclpy nodes as one system, six deliveries a message, in wall time",
        IMU,
        {"lockstep, rclpy": runs.direct_system},
        least={"lockstep, rclpy": 2_000 / 6},
        deliveries=6,
        in_workspace=True,
        share=0.01,
        rounds=3,
    ),
    Row(
        "lockstep",
        "live run in lockstep of VectorNormalizer, in wall time",
        VECTOR,
        {"lockstep, C++": runs.live_cpp, "lockstep, Python": runs.live_python},
        least={"lockstep, C++": 20_000, "lockstep, Python": 5_000},
        in_workspace=True,
        share=0.02,
        rounds=3,
    ),
    Row(
        "sample",
        "draw Vector3Stamped into a bag (Uniform, Normal, Pareto)",
        VECTOR,
        {"lockstep": sampling.lockstep_sample, "numpy and rosbags": sampling.numpy_and_rosbags},
        {"numpy and rosbags": 5},
        least={"lockstep": 100_000},
        in_workspace=True,
        share=0.5,
        rounds=3,
    ),
    Row(
        "memory",
        "scan 10 GB of LaserScan, not compressed: memory at most",
        LARGE,
        {"lockstep": by.lockstep_batches, "rosbags": by.rosbags_raw},
        limit_mb=300,
        rounds=1,
        optional=True,
    ),
)
