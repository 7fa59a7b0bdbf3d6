"""What recordings hold beside messages: the attachments and metadata records of MCAP
(https://mcap.dev/spec), copied byte by byte.
"""

from __future__ import annotations

from dataclasses import dataclass

from mcap.data_stream import ReadDataStream
from mcap.opcode import Opcode
from mcap.records import Attachment, AttachmentIndex, Metadata, MetadataIndex

from .mcap_format import HEAD, Stream

RECORDER = "rosbag2"
"""The name of the metadata record in which rosbag2 repeats its metadata.yaml."""


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


def enclosed(opcode: int, body: bytes) -> Enclosed:
    """What the body of a record holds; raises whatever the library raises for one that is none."""
    kind = Attachment if opcode == Opcode.ATTACHMENT else Metadata
    return Enclosed(opcode, kind.read(ReadDataStream(Stream(body))).name, body)
