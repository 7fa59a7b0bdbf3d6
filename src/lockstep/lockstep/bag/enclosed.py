"""What recordings hold beside messages: the attachments and metadata records of MCAP
(https://mcap.dev/spec), copied byte by byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mcap.data_stream import ReadDataStream, RecordBuilder
from mcap.opcode import Opcode
from mcap.records import Attachment, AttachmentIndex, Metadata, MetadataIndex

from . import metadata
from .mcap_format import HEAD, Stream

RECORDER = "rosbag2"
"""The name of the metadata record in which rosbag2 repeats its metadata.yaml."""
_YAML, _DISTRO = "serialized_metadata", "ROS_DISTRO"


@dataclass(frozen=True)
class Enclosed:
    """One attachment or metadata record; `body` is that of its record."""

    opcode: int
    name: str
    body: bytes

    @property
    def described(self) -> str:
        """What it is, with its name."""
        kind = "attachment" if self.opcode == Opcode.ATTACHMENT else "metadata record"
        return f"the {kind} '{self.name}'"

    @property
    def origin(self) -> metadata.Origin:
        """The origin that the record of rosbag2 tells; none if it is another or tells none."""
        if self.opcode != Opcode.METADATA or self.name != RECORDER:
            return metadata.Origin()
        told = Metadata.read(ReadDataStream(Stream(self.body))).metadata
        of_iron = metadata.Origin(ros_distro=told.get(_DISTRO, ""))
        return metadata.joined_origins([metadata.embedded_origin(told.get(_YAML, "")), of_iron])

    def index(self, offset: int) -> AttachmentIndex | MetadataIndex:
        """Its entry in the summary of a file where its record begins at `offset`."""
        length = HEAD.size + len(self.body)
        if self.opcode == Opcode.METADATA:
            return MetadataIndex(offset=offset, length=length, name=self.name)
        attachment = Attachment.read(ReadDataStream(Stream(self.body)))
        return AttachmentIndex(
            offset=offset,
            length=length,
            create_time=attachment.create_time,
            log_time=attachment.log_time,
            data_size=len(attachment.data),
            name=attachment.name,
            media_type=attachment.media_type,
        )


def embedded(information: Mapping[str, Any]) -> Enclosed:
    """The record in which rosbag2 repeats its metadata.yaml."""
    builder: Any = RecordBuilder()
    Metadata(RECORDER, {_YAML: metadata.embedded(information)}).write(builder)
    return Enclosed(Opcode.METADATA, RECORDER, builder.end()[HEAD.size :])


def enclosed(opcode: int, body: bytes) -> Enclosed:
    """What the body of a record holds; raises whatever the library raises for one that is none."""
    kind = Attachment if opcode == Opcode.ATTACHMENT else Metadata
    return Enclosed(opcode, kind.read(ReadDataStream(Stream(body))).name, body)
