"""Being on time on a machine that others use, too: what a player asks of the kernel for it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

_PR_SET_TIMERSLACK = 29  # linux/prctl.h
_SWITCH_S = 5e-4
_PRIORITY = 1  # the lowest that goes before all that has none


class Exactness:
    """Of the thread that makes it, from then on.

    It wakes up from sleep when it is time, no other thread of its process computes for long, and,
    at recorded speed or below, it goes before whatever else wants a processor, if the process may
    have that (CAP_SYS_NICE, or a limit of real-time priority: see sched(7)). Threads and processes
    that it starts do not inherit it.
    """

    def __init__(self, rtf: float) -> None:
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
        sys.setswitchinterval(_SWITCH_S)
        self._goes_first = rtf <= 1 and _schedule(os.SCHED_RR | os.SCHED_RESET_ON_FORK, _PRIORITY)

    def give_way(self) -> None:
        """To others: what cannot hold its rate never sleeps, and would leave them nothing."""
        if self._goes_first:
            self._goes_first = False
            _schedule(os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, 0)


def _schedule(policy: int, priority: int) -> bool:
    """Whether the kernel lets this thread be scheduled so."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, policy, os.sched_param(priority))
        return True
    return False
