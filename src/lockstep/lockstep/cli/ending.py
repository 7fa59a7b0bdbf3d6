"""How a command ends: one sentence on stderr and an exit code, whatever ends it."""

from __future__ import annotations

import gc
import io
import signal
import sys
from collections.abc import Callable
from types import FrameType

from ..errors import FAILED, INTERRUPTED, Interrupted, LockstepError, unforeseen
from ..printable import tell

_RUNS = "lockstep.run.processes"
_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def end_well(command: Callable[[], None]) -> None:
    """Run a command that can be interrupted; whatever ends it is told."""
    heed_interruptions()
    tell_errors(command)


def heed_interruptions() -> None:
    """All modules are loaded: from now on Ctrl-C and the like raise Interrupted.

    Not before: what a signal raises in the import system's own callbacks is lost.
    """
    gc.freeze()
    gc.enable()
    if _RUNS in sys.modules:  # this command may start processes
        from ..run.strays import adopt

        adopt()
    for number in _INTERRUPTIONS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
            signal.signal(number, _interrupt)


def tell_errors(command: Callable[[], None]) -> None:
    """Run a command; an error becomes one sentence on stderr and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal without our arrows still gets a verdict.
            stream.reconfigure(errors="replace")
    try:
        command()
    except LockstepError as error:
        sys.exit(_say(error, error.exit_code))
    except Interrupted:
        ending = "; all processes ended" if _end_what_is_left() else ""
        tell(f"interrupted{ending}")
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - never a traceback, and never taken for a verdict
        sys.exit(_say(unforeseen(error), FAILED))
    finally:
        _end_what_is_left()


def _end_what_is_left() -> bool:
    """End processes that have left their run without a trace, and tell it; whether all that this
    command has started has ended for sure."""
    if _RUNS not in sys.modules:
        return True
    from ..run.strays import end_adopted

    left = end_adopted()
    for stray in left or ():
        tell(f"a run left {stray}")
    return left is not None and all(stray.has_ended for stray in left)


def _say(error: Exception | str, code: int) -> int:
    tell(f"error: {error}")
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    for each in _INTERRUPTIONS:
        # Once is enough; a second time must not disturb the end.
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted
