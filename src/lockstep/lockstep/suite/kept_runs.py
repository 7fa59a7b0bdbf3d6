"""Runs of references that are kept for other cases of the same reference on the same inputs.

An entry is named after a digest of all that its run rests on (ground.py), and holds the bag of
outputs and what entries.py says, so that one that is damaged is found, and made anew. Entries are
in a folder (kept_in_folder.py) or behind a URL (kept_behind_url.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from ..bag.url import is_url
from ..component import Contract
from ..errors import BagError, unforeseen
from ..run.result import RunResult
from ..verify.fingerprints import Fingerprint
from ..verify.kept import KeptRun
from ..verify.model import Verification
from .entries import Damaged
from .ground import digest_of_reference
from .kept_behind_url import UrlShelf
from .kept_in_folder import FolderShelf

MOST_BYTES = 10 * 10**9
MOST_DAYS = 30


class Shelf(Protocol):
    """Where entries are; whatever is wrong with it is an OSError or a BagError."""

    def reserve(self, key: str) -> None:
        """Wait for whoever makes an entry just now; from now on others wait for us."""

    def let_go(self) -> None:
        """Let others in."""

    def take(self, key: str, folder: Path) -> KeptRun | None:
        """An entry with its files in a folder, None if there is none; raises Damaged."""

    def put(self, key: str, contract: Contract, result: RunResult) -> None:
        """Make an entry, whole or not at all."""

    def remove(self, key: str) -> None:
        """Remove an entry."""

    def evict(self, newest: str) -> None:
        """Remove what is too old, and the least recently used while all are too large."""


class KeptRuns:
    """The runs in a folder, or behind a URL; of one case at a time. Use `of_a_case` in a
    with-statement."""

    def __init__(
        self, place: Path | str, most_bytes: int = MOST_BYTES, most_days: float = MOST_DAYS
    ) -> None:
        self._place = place
        self._shelf: Shelf
        if isinstance(place, str) and is_url(place):
            self._shelf = UrlShelf(place, most_bytes, most_days)
        else:
            self._shelf = FolderShelf(Path(place), most_bytes, most_days)
        self._key: str | None = None
        self.remarks: list[str] = []
        """What went wrong with keeping runs of this case, which changes no verdict."""

    @contextmanager
    def of_a_case(self) -> Iterator[KeptRuns]:
        """Until the end whoever needs a run that this case makes waits for it."""
        self.remarks = []
        try:
            yield self
        finally:
            self._let_go()

    def find(
        self, verification: Verification, parts: Mapping[str, Fingerprint], folder: Path
    ) -> KeptRun | None:
        """The run of the reference, with its files put into `folder`; None if there is none, which
        nobody else makes meanwhile."""
        self._key = digest_of_reference(verification, parts)
        if self._key is None:
            return None
        try:
            self._shelf.reserve(self._key)
            run = self._taken(self._key, folder)
        except (OSError, BagError) as error:
            self.remarks.append(f"runs cannot be kept in {self._place}: {_said(error)}")
            self._key = None
            return None
        if run is not None:
            self._let_go()
        return run

    def keep(
        self,
        verification: Verification,
        parts: Mapping[str, Fingerprint],
        contract: Contract,
        result: RunResult,
    ) -> None:
        """Keep a run that has just been made and was the same when it was made again; `parts` are
        what is on disk since then."""
        key = self._key
        if key is None or result.failure is not None or not isinstance(result.bag, Path):
            return
        if digest_of_reference(verification, parts) != key:
            return  # it changed while it ran
        try:
            self._shelf.put(key, contract, result)
            self._shelf.evict(key)
        except (OSError, BagError) as error:
            self.remarks.append(f"the run of {result.name} is not kept: {_said(error)}")
        finally:
            self._let_go()

    def _taken(self, key: str, folder: Path) -> KeptRun | None:
        """The entry, if it is there and undamaged; one that is damaged is removed."""
        try:
            return self._shelf.take(key, folder)
        except Damaged:
            self.remarks.append(f"a kept run was damaged and is made anew ({key[:12]}…)")
            self._shelf.remove(key)
            return None

    def _let_go(self) -> None:
        self._shelf.let_go()
        self._key = None


def _said(error: OSError | BagError) -> str:
    return str(error) if isinstance(error, BagError) else unforeseen(error)
