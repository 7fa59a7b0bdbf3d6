"""How far a verification is, in its folder, for whoever looks from outside."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from ..progress import Progress
from .runs import Watch

FILE_NAME = "progress.json"
_PERIOD_S = 0.5

State = Literal["running", "failed", "killed"]


@dataclass(frozen=True)
class HowFar:
    """A verification without a verdict: `sentence` is what it does, or why it has failed; `at` is
    when it told that, in seconds since 1970."""

    state: State
    sentence: str
    done: int
    total: int
    at: float


@contextmanager
def told(folder: Path, watch: Watch | None) -> Iterator[Watch]:
    """Watch as before, and keep in the folder of the verification, as soon as it is there, how far
    it is. What is kept is removed in the end, unless it fails: then it tells why."""
    file = folder / FILE_NAME
    has_begun = False

    def watched(what: str) -> Progress:
        nonlocal has_begun
        shown = watch(what) if watch else None
        told_s, has_begun = 0.0, True
        _write(file, HowFar("running", what, 0, 0, time.time()))

        def show(done: int, total: int) -> None:
            nonlocal told_s
            if shown:
                shown(done, total)
            if time.monotonic() - told_s > _PERIOD_S:
                told_s = time.monotonic()
                _write(file, HowFar("running", what, done, total, time.time()))

        return show

    try:
        yield watched
    except BaseException as error:
        if has_begun:
            _write(file, HowFar("failed", str(error) or "interrupted", 0, 0, time.time()))
        raise
    file.unlink(missing_ok=True)


def how_far(folder: Path) -> HowFar:
    """What a verification has told in its folder; it reads as killed if its process is gone."""
    try:
        data = json.loads((folder / FILE_NAME).read_text("utf-8"))
        pid = int(data.pop("pid"))
        found = HowFar(
            data["state"],
            str(data["sentence"]),
            int(data["done"]),
            int(data["total"]),
            float(data["at"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        return HowFar("failed", f"{FILE_NAME} cannot be read: {error}", 0, 0, 0.0)
    if found.state == "running" and not Path(f"/proc/{pid}").exists():
        return HowFar("killed", f"its process ended while {found.sentence}", 0, 0, found.at)
    return found


def _write(file: Path, how: HowFar) -> None:
    """At once or not at all; whether a run is watched must not decide whether it succeeds."""
    with suppress(OSError):
        new = file.with_suffix(".new")
        new.write_text(json.dumps({"pid": os.getpid(), **asdict(how)}) + "\n", "utf-8")
        new.replace(file)
