"""Inputs that somebody else plays, like `ros2 bag play`, a simulator or a driver: they are recorded
as they arrive, on the graph of the shell, and each implementation is given what arrived."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ..component import Contract
from ..errors import Hang, Loss, RunError
from ..host.events import told_error, told_progress
from ..host.protocol import resolved
from ..printable import tell
from ..progress import Progress
from .folder import create_folder
from .inputs import CLOCK_TOPIC, Arrived, ports_of
from .model import Inputs
from .processes import Process, Processes, wait_for

COMES_WITHIN_S = 120.0
"""How long a player is waited for."""
_TOLD_S = 1.0


def record_arrivals(
    declared: Inputs, contract: Contract, folder: Path, watch: Callable[[str], Progress] | None
) -> Arrived:
    """Record what an external player sends, until it has gone or for as long as is wanted, into a
    new `folder`.

    Raises Hang if none comes, Loss if a message was lost on the way.
    """
    create_folder(folder)
    ports = ports_of(declared, contract)
    types = {resolved(name): port.type for name, port in ports.items()}
    domain = os.environ.get("ROS_DOMAIN_ID") or "0"
    waiting = (
        f"waiting for an external player of {', '.join(f'{n} ({t})' for n, t in types.items())} "
        f"on ROS_DOMAIN_ID {domain}"
    )
    with Processes(os.environ) as processes:
        recorder = processes.start(
            "the recorder of what an external player sends",
            _command(declared, types, folder),
            folder / "recorder.log",
        )
        wait_for(recorder, [], _Meanwhile(recorder, waiting, watch))
    told = told_error(recorder.events)
    if not (folder / "recorder.json").exists() or (told and not isinstance(told, Loss)):
        raise told or RunError(
            f"{recorder.name} failed ({recorder.how_it_ended()}); {recorder.last_words()}"
        )
    report = json.loads((folder / "recorder.json").read_text("utf-8"))
    missing = {name: count for name, count in report["missing"].items() if name != CLOCK_TOPIC}
    for name, count in missing.items():
        raise Loss(
            f"{count} messages of {name} were lost between the external player and the recorder; "
            "play more slowly, or let the player offer more (reliable, keep_all, a deeper queue)"
        )
    return Arrived(
        domain,
        folder / "bag",
        {name: count for name, count in report["recorded"].items() if name in types},
        {name: count for name, count in report["before"].items() if count and name in types},
        report["missing"].get(CLOCK_TOPIC, 0),
    )


class _Meanwhile:
    """Tells how far the recorder is, and does not wait for ever for a first message."""

    def __init__(
        self, recorder: Process, waiting: str, watch: Callable[[str], Progress] | None
    ) -> None:
        self._recorder, self._waiting, self._watch = recorder, waiting, watch
        self._began_s = time.monotonic()
        self._is_told = False
        self._progress: Progress | None = None

    def __call__(self) -> None:
        count = (told_progress(self._recorder.events) or (0, 0))[0]
        waited_s = time.monotonic() - self._began_s
        if not count:
            if waited_s > _TOLD_S and not self._is_told:
                self._is_told = True
                tell(f"{self._waiting}, for {COMES_WITHIN_S:g} s at most")
            if waited_s > COMES_WITHIN_S:
                raise Hang(f"no message came: {self._waiting} took {COMES_WITHIN_S:g} s")
            return
        if self._watch is not None:
            if self._progress is None:
                self._progress = self._watch("recording what an external player sends")
            self._progress(count, 0)


def _command(declared: Inputs, types: Mapping[str, str], folder: Path) -> list[str]:
    command = [sys.executable, "-m", "lockstep.nodes.recorder", str(folder / "bag")]
    command += ["--report", str(folder / "recorder.json")]
    for name, message_type in types.items():
        command += ["--topic", f"{name}:{message_type}"]
    if declared.clock != "times":
        command += ["--regex", f"^{CLOCK_TOPIC}$"]
    if declared.duration is not None:
        command += ["--at-most", str(declared.start + declared.duration)]
    # It waits for the disk and loses nothing to it.
    return [*command, "--until-gone", "--max-cache-size", "0"]
