"""Writing rosbag2 bags with SQLite storage, which rosbag2 before Iron wrote by default."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rosbags.interfaces import (
    Connection,
    Qos,
    QosDurability,
    QosHistory,
    QosLiveliness,
    QosReliability,
    QosTime,
)
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from rosbags.typesys import Stores, TypesysError, get_types_from_msg, get_typestore

from . import metadata
from .batch import Batch
from .errors import BagError

if TYPE_CHECKING:
    from typing_extensions import Self

_FOREVER = QosTime(9223372036, 854775807)


class Sqlite3Writer:
    """Writes one bag, like BagWriter; SQLite storage keeps neither publish times nor sequence numbers."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        try:
            self._writer = Writer(self.path, version=9, storage_plugin=StoragePlugin.SQLITE3)
            self._writer.open()
        except WriterError as error:
            raise BagError(
                f"{self.path} exists already; choose another folder or delete it"
            ) from error
        except (OSError, sqlite3.Error) as error:
            raise BagError(f"cannot create {self.path}: {error}") from error
        self._connections: dict[str, Connection] = {}
        self._definitions: dict[str, str] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def counts(self) -> dict[str, int]:
        """Messages written so far, by topic."""
        return {name: self._writer.counts[c.id] for name, c in self._connections.items()}

    def add_topic(
        self,
        name: str,
        type_name: str,
        definition: str,
        type_hash: str = "",
        qos: tuple[metadata.OfferedQoS, ...] = (),
        *,
        encoding: str = "ros2msg",
        message_encoding: str = "cdr",
    ) -> None:
        """Declare a topic before its first message; see BagWriter."""
        if message_encoding != "cdr" or encoding not in ("ros2msg", "ros2idl"):
            raise BagError(
                f"{name} is no ROS topic ({message_encoding}, {encoding}), which SQLite storage cannot hold; "
                "leave it out or write MCAP"
            )
        if self._definitions.setdefault(type_name, definition) != definition:
            raise BagError(
                f"{name} is recorded with another definition of {type_name} than other topics, which SQLite "
                "storage cannot hold; leave it out or write MCAP"
            )
        self._connections[name] = self._writer.add_connection(
            name,
            type_name,
            msgdef=definition,
            rihs01=type_hash or _type_hash(name, type_name, definition),
            offered_qos_profiles=[_qos(item) for item in qos],
        )

    def write_batch(self, batch: Batch) -> None:
        """Append the messages of a batch whose topics were added, with their log times."""
        names = [self._connections.get(name) for name in batch.topics]
        times = batch.log_time_ns.tolist()
        try:
            for topic, time_ns, data in zip(
                batch.topic.tolist(), times, batch.payloads(), strict=True
            ):
                connection = names[topic]
                if connection is not None:
                    self._writer.write(connection, time_ns, data)
        except sqlite3.Error as error:
            raise BagError(f"cannot write {self.path}: {error}") from error

    def close(self) -> None:
        """Write metadata.yaml; a second time is harmless."""
        if self._writer.storage is None:
            return
        try:
            self._writer.close()
        except (OSError, sqlite3.Error) as error:
            self._writer.abort()
            raise BagError(f"cannot write {self.path}: {error}") from error


def _type_hash(topic: str, type_name: str, definition: str) -> str:
    store = get_typestore(Stores.EMPTY)
    try:
        store.register(get_types_from_msg(definition, type_name))
        return store.hash_rihs01(type_name)
    except (TypesysError, KeyError, ValueError) as error:
        raise BagError(
            f"{topic} has no usable definition of {type_name}, which SQLite storage needs; "
            "leave it out or write MCAP"
        ) from error


def _qos(offered: metadata.OfferedQoS) -> Qos:
    history, reliability, durability = (
        name.upper() for name in (offered.history, offered.reliability, offered.durability)
    )
    return Qos(
        QosHistory.__members__.get(history, QosHistory.SYSTEM_DEFAULT),
        offered.depth,
        QosReliability.__members__.get(reliability, QosReliability.SYSTEM_DEFAULT),
        QosDurability.__members__.get(durability, QosDurability.SYSTEM_DEFAULT),
        _FOREVER,
        _FOREVER,
        QosLiveliness.AUTOMATIC,
        _FOREVER,
        avoid_ros_namespace_conventions=False,
    )
