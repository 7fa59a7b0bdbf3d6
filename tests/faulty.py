"""Components that go wrong in one way each; apart from that they are the VectorNormalizer of
lockstep_examples.

With PYTHONPATH=tests, a verify.yaml names them as `component: "faulty:Hang"`.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from geometry_msgs.msg import Vector3Stamped
from lockstep.component import Output, Parameter

from lockstep_examples import VectorNormalizer

MIDDLE = 50


class CrashAtStart(VectorNormalizer):
    """Raises before the first message."""

    def on_start(self) -> None:
        raise RuntimeError("there is no calibration")


class _InTheMiddle(VectorNormalizer):
    """Calls `go_wrong` when the 50th message arrives."""

    count = 0

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.count += 1
        if self.count == MIDDLE:
            self.go_wrong()
        super().on_vector(msg)

    def go_wrong(self) -> None:
        raise NotImplementedError


class CrashInTheMiddle(_InTheMiddle):
    """Raises."""

    def go_wrong(self) -> None:
        raise ValueError("the 50th vector is not to my taste")


class CrashOtherwise(_InTheMiddle):
    """Raises something else in the same step."""

    def go_wrong(self) -> None:
        raise KeyError("no such vector")


class RunOutOfMemory(_InTheMiddle):
    """Raises in the same step what no port is to blame for."""

    def go_wrong(self) -> None:
        raise MemoryError


class CrashLater(VectorNormalizer):
    """Raises at the 51st message."""

    count = 0

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.count += 1
        if self.count > MIDDLE:
            raise KeyError("the 51st vector is not to my taste")
        super().on_vector(msg)


class Printing(VectorNormalizer):
    """Prints to stdout, in Python and below it, as a debugging engineer does."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        print("x is", msg.vector.x, flush=True)
        os.write(1, b"LKD1 is no frame\n")
        super().on_vector(msg)


class ExitInTheMiddle(_InTheMiddle):
    """Ends the process, without a word."""

    def go_wrong(self) -> None:
        os._exit(7)


class SegfaultInTheMiddle(_InTheMiddle):
    """Dies of SIGSEGV, as C++ does."""

    def go_wrong(self) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(60)  # the signal comes


class AbortInTheMiddle(_InTheMiddle):
    """Dies of SIGABRT, with a word on stderr, as C++ does after an uncaught exception."""

    def go_wrong(self) -> None:
        os.write(2, b"terminate called after throwing an instance of 'std::bad_alloc'\n")
        os.abort()


class Hang(_InTheMiddle):
    """Never returns from the 50th message, and so does not see SIGINT or SIGTERM either."""

    def go_wrong(self) -> None:
        while True:
            time.sleep(3600)


class HangAtStart(VectorNormalizer):
    """Never comes to the first message."""

    def on_start(self) -> None:
        while True:
            time.sleep(3600)


class Leaks(VectorNormalizer):
    """Keeps 8 kB of each message."""

    def on_start(self) -> None:
        self.kept: list[bytes] = []

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.kept.append(b"x" * 8192)
        time.sleep(1e-3)
        super().on_vector(msg)


class Slow(VectorNormalizer):
    """Takes 20 ms for each message, so that there is time to interrupt it."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        time.sleep(0.02)
        super().on_vector(msg)


class Silent(VectorNormalizer):
    """Takes everything and says nothing."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        pass


class DropsOne(_InTheMiddle):
    """Does not answer the 50th message."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.count += 1
        if self.count != MIDDLE:
            VectorNormalizer.on_vector(self, msg)


class Doubles(_InTheMiddle):
    """Answers the 50th message twice."""

    def go_wrong(self) -> None:
        self.normalized.publish(Vector3Stamped())


class Repeats(_InTheMiddle):
    """Gives the answer to the 50th message twice."""

    def on_vector(self, msg: Vector3Stamped) -> None:
        super().on_vector(msg)
        if self.count == MIDDLE:
            VectorNormalizer.on_vector(self, msg)

    def go_wrong(self) -> None:
        """Not yet."""


class Late(_InTheMiddle):
    """Answers one message late from the 50th on: each answer comes with the next input."""

    _held: Vector3Stamped | None = None

    def on_vector(self, msg: Vector3Stamped) -> None:
        self.count += 1
        if self.count < MIDDLE:
            VectorNormalizer.on_vector(self, msg)
            return
        held, self._held = self._held, msg
        if held is not None:
            VectorNormalizer.on_vector(self, held)


class WrongDefault(VectorNormalizer):
    """Breaks the contract: another default of a parameter."""

    epsilon = Parameter(1e-6)


class ExtraOutput(VectorNormalizer):
    """Breaks the contract: an output that the reference does not have."""

    length = Output(Vector3Stamped)


class IgnoresSigint(VectorNormalizer):
    """Takes no notice of SIGINT."""

    def on_start(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


class IgnoresSigintAndSigterm(Slow):
    """Ends on nothing but SIGKILL."""

    def on_start(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


class HangsWithAChild(Hang):
    """Hangs, and has a process of its own that heeds neither SIGINT nor SIGTERM."""

    def on_start(self) -> None:
        if os.fork() == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            while True:
                time.sleep(3600)


class HangsWithADaemon(Hang):
    """Hangs, and has a daemon, with a session and without parents of its own, that heeds nothing;
    its process ID is in daemon.pid."""

    def on_start(self) -> None:
        if os.fork() != 0:
            return
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with open("daemon.pid", "w", encoding="utf-8") as file:
            file.write(str(os.getpid()))
        self.go_on()

    def go_on(self) -> None:
        while True:
            time.sleep(3600)


class HangsWithADaemonWithoutATrace(HangsWithADaemon):
    """The same, whose daemon is another program, without what it was given to know of the run."""

    def go_on(self) -> None:
        os.execve("/bin/sleep", ["sleep", "3600"], {})


def __getattr__(name: str) -> Any:
    if name == "ImportFails":
        raise ImportError("libcalibration.so: cannot open shared object file")
    raise AttributeError(name)


class Forgetful(VectorNormalizer):
    """Depends on more than its inputs: what it puts out is not the same in every run."""

    def on_start(self) -> None:
        self.noise = int.from_bytes(os.urandom(4), "little") * 1e-12

    def on_vector(self, msg: Vector3Stamped) -> None:
        msg.vector.x += self.noise
        super().on_vector(msg)
