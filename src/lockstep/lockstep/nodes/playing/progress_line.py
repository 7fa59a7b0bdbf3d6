"""How far a replay is: a line in a terminal, and a sentence at its end."""

from __future__ import annotations

import math
import sys
import time

from ...printable import tell
from .pace import FAST_HZ, Lateness, Pace, was_held

DEFAULT_HZ = 3.0


class ProgressLine:
    """A line on stderr that is written over again, if that is a terminal."""

    def __init__(self, hz: float) -> None:
        self._period_s = 1 / hz if hz else math.inf
        self._shown_s = -math.inf if hz and sys.stderr.isatty() else math.inf
        self._is_shown = False

    def show(self, pace: Pace, lateness: Lateness, sent: int, span_ns: tuple[int, float]) -> None:
        """Show where between start and end the replay is now, now and then."""
        now_s = time.monotonic()
        if now_s - self._shown_s < self._period_s:
            return
        self._shown_s = now_s
        text = line(pace, lateness, sent, *span_ns)
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
        self._is_shown = True

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self.clear()
        tell(text)

    def clear(self) -> None:
        """Take the line away."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._is_shown = False


def line(pace: Pace, lateness: Lateness, sent: int, start_ns: int, end_ns: float) -> str:
    """`[running] 1.2 of 20.0 s, rate 0.99 of 1, 123 messages, 4 late`"""
    now_ns = pace.position_ns()
    done_s = 0.0 if now_ns is None else (min(now_ns, end_ns) - start_ns) * 1e-9
    achieved = pace.achieved_rtf()
    rate = "rate" if achieved is None else f"rate {achieved:.3g} of"
    state = "paused" if pace.paused else "running"
    return (
        f"[{state}] {max(0.0, done_s):.1f} of {(end_ns - start_ns) * 1e-9:.1f} s, "
        f"{rate} {pace.rtf:g}, {sent} messages, {lateness.late} late"
    )


def summary(pace: Pace, lateness: Lateness, sent: int) -> str:
    """What the replay was like, in one line."""
    messages = f"{sent} message{'' if sent == 1 else 's'}"
    achieved = pace.achieved_rtf()
    p99_s = lateness.percentile_s(99)
    if achieved is None:
        return f"played {messages}"
    held = "" if was_held(pace.rtf, achieved) else ", which could not be held"
    text = f"played {messages} at rate {achieved:.3g} of {pace.rtf:g}{held}"
    if p99_s is not None:  # at rate inf nothing is late
        text += (
            f"; late by {_ms(lateness.percentile_s(50))} (median), {_ms(p99_s)} (99 %), "
            f"{_ms(lateness.max_s)} (most)"
        )
    if (sent_hz := pace.sent_hz(sent)) > FAST_HZ:
        text += (
            f"; {sent_hz:.0f} in a second: what a full queue of a subscriber has dropped is not "
            "known to a player (lockstep verify loses nothing)"
        )
    return text


def _ms(seconds: float | None) -> str:
    return f"{(seconds or 0.0) * 1e3:.3g} ms"
