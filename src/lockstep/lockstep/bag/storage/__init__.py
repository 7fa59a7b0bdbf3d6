"""The storages that bags are read from: one module and one row each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from ...errors import BagError
from ...message.batch import Batch
from .. import magic
from ..enclosed import Enclosed
from ..metadata import Origin
from ..source import Source
from ..topic import Topic
from .mcap import McapFile
from .sqlite3 import Sqlite3File


class BagFile(Protocol):
    """One open file of a bag.

    `topics` carry their message counts; `start_ns` and `end_ns` are the earliest and latest log
    time, None without messages; `problem` is a sentence if the file is known to be cut off or
    damaged.
    """

    @property
    def topics(self) -> dict[str, Topic]: ...
    @property
    def start_ns(self) -> int | None: ...
    @property
    def end_ns(self) -> int | None: ...
    @property
    def problem(self) -> str | None: ...

    def batches(
        self,
        topics: Collection[str] | None = None,
        start_ns: int | None = None,
        end_ns: int | None = None,
        strict: bool = True,
    ) -> Iterator[Batch]:
        """Messages of `topics` (None: all) with start_ns <= log time < end_ns, in file order.

        Strict: raises BagError where the file is damaged, after all that is whole before it.
        Otherwise yields all that is whole anywhere in the file, and says in `problem` what is lost.
        """

    def enclosed(self) -> Iterator[Enclosed]:
        """What the file holds beside messages, as far as it is whole."""

    def origin(self) -> Origin:
        """What the file tells of the recording as a whole."""

    def close(self) -> None:
        """Close the source too; nothing can be read any more."""


@dataclass(frozen=True)
class Storage:
    """How files of one storage are known: by their first bytes."""

    suffix: str
    magic: bytes
    open: Callable[[Source], BagFile]


def _open_rosbag1(source: Source) -> BagFile:
    from .rosbag1 import Rosbag1File  # its conversion of types takes long to import

    return Rosbag1File(source)


STORAGES = (
    Storage(".mcap", magic.MCAP, McapFile),
    Storage(".db3", magic.SQLITE3, Sqlite3File),
    Storage(".bag", magic.ROSBAG1, _open_rosbag1),
)


EMPTY = "is empty: its recorder was killed before it wrote anything; record or copy it again"
"""What is said of files without a byte."""


def open_file(source: Source) -> BagFile:
    """Open a file with the storage that its first bytes tell.

    Raises BagError for one that is no bag, and closes the source then.
    """
    try:
        return _storage_of(source).open(source)
    except BaseException:
        source.close()
        raise


def _storage_of(source: Source) -> Storage:
    if not source.size:
        raise BagError(f"{source.name} {EMPTY}")
    start = source.read(0, max(len(storage.magic) for storage in STORAGES))
    for storage in STORAGES:
        if start.startswith(storage.magic):
            return storage
    known = ", ".join(storage.suffix for storage in STORAGES)
    raise BagError(f"{source.name} is not a bag; give a rosbag2 folder or a file of {known}")
