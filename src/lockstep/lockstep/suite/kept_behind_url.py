"""Kept runs behind a URL, by fsspec, which all workers of a cluster reach.

The files of an entry have a place of their own each time they are made, and `entry.json`, which
comes last and at once, says which; so two that make an entry at a time do not mix. Nothing is
locked there: whoever makes an entry does not wait for others, which only costs time.
"""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from pathlib import Path

from ..bag import url
from ..component import Contract
from ..run.result import RunResult
from ..verify.kept import KeptRun
from .entries import DAY_S, ENTRY, entry_of, run_of

_MOST_BYTES_OF_ENTRY = 1 << 24


class UrlShelf:
    """As kept_runs.Shelf."""

    def __init__(self, place: str, most_bytes: int, most_days: float) -> None:
        self._place, self._most_bytes, self._most_days = place, most_bytes, most_days

    def reserve(self, key: str) -> None:
        pass

    def let_go(self) -> None:
        pass

    def take(self, key: str, folder: Path) -> KeptRun | None:
        place = f"{self._place}/{key}"
        told = url.read_if_there(f"{place}/{ENTRY}", _MOST_BYTES_OF_ENTRY)
        if told is None:
            return None
        at, _, data = told.partition(b"\n")

        def bring(name: str, target: Path) -> None:
            target.parent.mkdir(parents=True, exist_ok=True)
            url.download(f"{place}/{at.decode()}/{name}", target)

        run = run_of(lambda: data, key, folder, bring)
        url.write(f"{place}/{ENTRY}", told)  # used just now
        return run

    def put(self, key: str, contract: Contract, result: RunResult) -> None:
        place, at = f"{self._place}/{key}", uuid.uuid4().hex
        entry = entry_of(key, contract, result)
        source = Path(result.bag)
        url.upload(source, f"{place}/{at}/{source.name}")
        url.write(f"{place}/{ENTRY}", f"{at}\n{json.dumps(entry)}".encode())

    def remove(self, key: str) -> None:
        url.remove(f"{self._place}/{key}")

    def evict(self, newest: str) -> None:
        sizes: defaultdict[str, int] = defaultdict(int)
        used_s: defaultdict[str, float] = defaultdict(float)
        for name, (size, written_s) in url.files_in(self._place).items():
            key, _, inside = name.partition("/")
            sizes[key] += 0 if inside == ENTRY else size
            used_s[key] = max(used_s[key], written_s)
        now_s, total = used_s[newest], sum(sizes.values())
        for key in sorted(used_s, key=lambda each: used_s[each]):
            is_old = now_s - used_s[key] > self._most_days * DAY_S
            if key != newest and (is_old or total > self._most_bytes):
                self.remove(key)
                total -= sizes[key]
