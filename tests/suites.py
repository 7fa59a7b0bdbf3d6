"""Components of a suite that take what is not theirs; apart from that they are the
VectorNormalizer of lockstep_examples."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from geometry_msgs.msg import Vector3Stamped

from lockstep_examples import VectorNormalizer


class Doubled(VectorNormalizer):
    """Differs."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        msg.vector.x *= -1.0
        super().on_vector(msg)


class TakesAllMemory(VectorNormalizer):
    """Wants more than there is."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.all = [bytearray(100_000_000) for _ in range(10_000)]


class TakesAllTime(VectorNormalizer):
    """Never answers, and lets nobody notice by itself."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        time.sleep(3600)


class KillsItsWorker(VectorNormalizer):
    """Kills the process that runs the case, as the kernel does for want of memory."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        os.kill(_worker(), signal.SIGKILL)
        time.sleep(3600)


class KillsItsWorkerOnce(VectorNormalizer):
    """Does so the first time only."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        before = Path(os.environ["SUITE_TEST_MARK"])
        if not before.exists():
            before.touch()
            os.kill(_worker(), signal.SIGKILL)
            time.sleep(3600)
        super().on_vector(msg)


def _worker() -> int:
    """The process that has started this one."""
    return os.getppid()
