"""metadata.yaml of a rosbag2 folder: any version is read,
version 9 written as Jazzy does (rosbag2_storage/yaml.hpp).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

import yaml

from ..errors import BagError
from ..message.time import NS_PER_S

FILE_NAME = "metadata.yaml"
LARGEST = 1 << 24
"""Bytes of a metadata.yaml that is still read."""

# rmw_qos_policy_kind_t names as rosbag2 writes them since version 9;
# older bags carry the enum's numbers.
_OTHER = {0: "system_default", 3: "unknown", 4: "best_available"}
_HISTORY = _OTHER | {1: "keep_last", 2: "keep_all"}
_RELIABILITY = _OTHER | {1: "reliable", 2: "best_effort"}
_DURABILITY = _OTHER | {1: "transient_local", 2: "volatile"}
_DEEPEST = 32
_MOST = 1 << 22
_LIVELINESS = _OTHER | {1: "automatic", 2: "manual_by_node", 3: "manual_by_topic"}
FOREVER_NS = (1 << 63) - 1
DISTRO = "jazzy"
"""Whose metadata.yaml is written."""


@dataclass(frozen=True)
class OfferedQoS:
    """The QoS that a topic's publisher offered when it was recorded; times in ns."""

    history: str = "keep_last"
    depth: int = 10
    reliability: str = "reliable"
    durability: str = "volatile"
    deadline_ns: int = FOREVER_NS
    lifespan_ns: int = FOREVER_NS
    liveliness: str = "automatic"
    liveliness_lease_duration_ns: int = FOREVER_NS
    avoid_ros_namespace_conventions: bool = False


@dataclass(frozen=True)
class Origin:
    """What a recording says of itself as a whole: whatever its recorder was told to note,
    and the distribution of ROS it was made with ("" if it does not tell).
    """

    custom_data: Mapping[str, str] = field(default_factory=dict)
    ros_distro: str = ""

    @property
    def described(self) -> str:
        """What a place that keeps nothing of it loses, in words; "" if that is nothing."""
        data = "custom data of metadata.yaml" if self.custom_data else ""
        other = self.ros_distro not in ("", DISTRO)
        distro = f"the ROS distribution '{self.ros_distro}'" if other else ""
        return ", ".join(filter(None, (data, distro)))


@dataclass(frozen=True)
class FileMetadata:
    """One row of `files`: a file of the folder, and what it holds; times in ns."""

    path: str
    start_ns: int
    end_ns: int
    message_count: int


@dataclass(frozen=True)
class Compression:
    """What rosbag2 is told of files or messages that are compressed as a whole."""

    format: Literal["", "zstd"] = ""
    mode: Literal["", "FILE", "MESSAGE"] = ""


@dataclass(frozen=True)
class TopicMetadata:
    """One row of `topics_with_message_count`.

    `type_hash` is the RIHS01 hash of the type (REP-2011).
    """

    name: str
    type: str
    message_count: int
    type_hash: str = ""
    qos: tuple[OfferedQoS, ...] = ()
    serialization_format: str = "cdr"


def parse(data: bytes, name: str) -> dict[str, Any]:
    """The `rosbag2_bagfile_information` of any version; `name` is of the file, for messages.

    What is used of it is checked: `relative_file_paths` are strings, each row of
    `topics_with_message_count` has a name and a count. Raises BagError if it is something else.
    """
    try:
        if len(data) > LARGEST:
            raise ValueError("it is too large")
        information = dict(_loaded(data.decode("utf-8"))["rosbag2_bagfile_information"])
        for row in (rows := information.get("topics_with_message_count") or []):
            topic, count = row["topic_metadata"]["name"], row["message_count"]
            if not isinstance(topic, str) or not isinstance(count, int):
                raise TypeError("topics_with_message_count")
        names = information.get("relative_file_paths") or []
        if not all(isinstance(row, str) for row in names) or isinstance(names, str):
            raise TypeError("relative_file_paths")
    except (
        UnicodeDecodeError,
        yaml.YAMLError,
        KeyError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:
        raise BagError(
            f"{name} is not rosbag2 metadata ({type(error).__name__}); "
            "delete it to read the bag without"
        ) from error
    return information | {"topics_with_message_count": rows, "relative_file_paths": names}


def joined(informations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several bags together hold by their metadata; {} where one has none."""
    if len(informations) == 1:
        return informations[0]
    if not all(informations):
        return {}
    counts: dict[str, int] = {}
    for information in informations:
        for row in information["topics_with_message_count"]:
            name = row["topic_metadata"]["name"]
            counts[name] = counts.get(name, 0) + row["message_count"]
    together = joined_origins(map(origin, informations))
    return {
        "topics_with_message_count": [
            {"topic_metadata": {"name": name}, "message_count": count}
            for name, count in counts.items()
        ],
        "custom_data": dict(together.custom_data),
        "ros_distro": together.ros_distro,
    }


def origin(information: Mapping[str, Any]) -> Origin:
    """The origin that metadata tells."""
    data, distro = information.get("custom_data"), information.get("ros_distro")
    return Origin(
        {str(key): str(value) for key, value in data.items()} if isinstance(data, dict) else {},
        distro if isinstance(distro, str) else "",
    )


def joined_origins(origins: Iterable[Origin]) -> Origin:
    """The custom data of all, and the distribution that the first of them tells."""
    custom_data: dict[str, str] = {}
    ros_distro = ""
    for one in origins:
        custom_data |= one.custom_data
        ros_distro = ros_distro or one.ros_distro
    return Origin(custom_data, ros_distro)


def embedded_origin(text: str) -> Origin:
    """The origin that the YAML tells which rosbag2 repeats in the files of a bag; none if that is
    no such YAML: it is advice, not data.
    """
    try:
        found = _loaded(text) if len(text) <= LARGEST else None
    except (ValueError, yaml.YAMLError, RecursionError):
        return Origin()
    return origin(found) if isinstance(found, dict) else Origin()


def offered(topic_metadata: Mapping[str, Any]) -> tuple[OfferedQoS, ...]:
    """The QoS in the row of a topic, which is YAML in a string before version 9; none if it
    is no QoS: it is advice, not data, so that the defaults serve.
    """
    profiles = topic_metadata.get("offered_qos_profiles")
    try:
        return parse_qos(profiles) if isinstance(profiles, str) else _profiles(profiles)
    except ValueError:
        return ()


def information_of(
    files: Sequence[FileMetadata],
    topics: Sequence[TopicMetadata],
    storage: str = "mcap",
    origin: Origin = Origin(),
    compression: Compression = Compression(),
) -> dict[str, Any]:
    """The `rosbag2_bagfile_information`, version 9, of a bag of at least one file."""
    filled = [file for file in files if file.message_count]
    start_ns = min((file.start_ns for file in filled), default=0)
    end_ns = max((file.end_ns for file in filled), default=0)
    count = sum(topic.message_count for topic in topics)
    return {
        "version": 9,
        "storage_identifier": storage,
        **_span(start_ns, end_ns, count),
        "topics_with_message_count": [
            {
                "topic_metadata": {
                    "name": topic.name,
                    "type": topic.type,
                    "serialization_format": topic.serialization_format,
                    "offered_qos_profiles": [_dump_qos(qos) for qos in topic.qos],
                    "type_description_hash": topic.type_hash,
                },
                "message_count": topic.message_count,
            }
            for topic in topics
        ],
        "compression_format": compression.format,
        "compression_mode": compression.mode,
        "relative_file_paths": [file.path for file in files],
        "files": [
            {"path": file.path, **_span(file.start_ns, file.end_ns, file.message_count)}
            for file in files
        ],
        "custom_data": dict(origin.custom_data),
        "ros_distro": origin.ros_distro or DISTRO,
    }


def write(folder: Path, information: Mapping[str, Any]) -> None:
    """Write metadata.yaml to a folder, all of it or none."""
    text = yaml.safe_dump({"rosbag2_bagfile_information": information}, sort_keys=False)
    unfinished = folder / f".{FILE_NAME}"
    try:
        unfinished.write_text(text, "utf-8")
        unfinished.replace(folder / FILE_NAME)
    finally:
        unfinished.unlink(missing_ok=True)


def _span(start_ns: int, end_ns: int, count: int) -> dict[str, Any]:
    return {
        "duration": {"nanoseconds": end_ns - start_ns},
        "starting_time": {"nanoseconds_since_epoch": start_ns},
        "message_count": count,
    }


def embedded(information: Mapping[str, Any]) -> str:
    """The YAML that `embedded_origin` reads."""
    return str(yaml.safe_dump(information, sort_keys=False))


@cache
def qos_yaml(qos: tuple[OfferedQoS, ...]) -> str:
    """QoS profiles as the MCAP channel metadata `offered_qos_profiles` holds them."""
    return str(yaml.safe_dump([_dump_qos(item) for item in qos], sort_keys=False))


@lru_cache(1024)  # thousands of topics have few profiles between them
def parse_qos(text: str) -> tuple[OfferedQoS, ...]:
    """The inverse of `qos_yaml`; also reads the numbered policies of older bags.

    Raises ValueError for anything else.
    """
    try:
        rows = _loaded(text)
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise ValueError(f"not a QoS profile ({type(error).__name__}: {error})") from error
    return _profiles(rows)


def _profiles(rows: Any) -> tuple[OfferedQoS, ...]:
    try:
        return tuple(map(_qos, rows or ()))
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
        AttributeError,
    ) as error:
        raise ValueError(f"not a QoS profile ({type(error).__name__}: {error})") from error


def _loaded(text: str) -> Any:
    """What YAML text says.

    Raises ValueError if it is nested so deeply that libyaml would end the process. The same for
    what would never end because aliases of aliases multiply.
    """
    open_: list[tuple[str | None, int]] = []  # anchors of what is open, and the values before each
    sizes: dict[str | None, int] = {}  # values under each anchor, aliases written out
    count = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            open_.append((event.anchor, count))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_.pop()
            if anchor is not None:
                sizes[anchor] = count - before
        elif isinstance(event, yaml.AliasEvent):
            count += sizes.get(event.anchor, 0)
        count += 1
        if len(open_) > _DEEPEST or count > _MOST:
            raise ValueError("it is nested too deeply")
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _qos(row: dict[str, Any]) -> OfferedQoS:
    liveliness = row.get("liveliness", OfferedQoS.liveliness)
    return OfferedQoS(
        history=_HISTORY.get(row["history"], str(row["history"])),
        depth=int(row.get("depth", 0)) or OfferedQoS.depth,  # 0: rosbag2 could not tell
        reliability=_RELIABILITY.get(row["reliability"], str(row["reliability"])),
        durability=_DURABILITY.get(row["durability"], str(row["durability"])),
        deadline_ns=_duration_ns(row.get("deadline")),
        lifespan_ns=_duration_ns(row.get("lifespan")),
        liveliness=_LIVELINESS.get(liveliness, str(liveliness)),
        liveliness_lease_duration_ns=_duration_ns(row.get("liveliness_lease_duration")),
        avoid_ros_namespace_conventions=bool(row.get("avoid_ros_namespace_conventions", False)),
    )


def _duration_ns(row: dict[str, Any] | None) -> int:
    """A duration; before Foxy there was none."""
    if row is None:
        return FOREVER_NS
    return min(int(row["sec"]) * NS_PER_S + int(row["nsec"]), FOREVER_NS)


def _duration(duration_ns: int) -> dict[str, int]:
    seconds, nanoseconds = divmod(duration_ns, NS_PER_S)
    return {"sec": seconds, "nsec": nanoseconds}


def _dump_qos(qos: OfferedQoS) -> dict[str, Any]:
    return {
        "history": qos.history,
        "depth": qos.depth,
        "reliability": qos.reliability,
        "durability": qos.durability,
        "deadline": _duration(qos.deadline_ns),
        "lifespan": _duration(qos.lifespan_ns),
        "liveliness": qos.liveliness,
        "liveliness_lease_duration": _duration(qos.liveliness_lease_duration_ns),
        "avoid_ros_namespace_conventions": qos.avoid_ros_namespace_conventions,
    }
