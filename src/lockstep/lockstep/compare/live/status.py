"""How two live topics do, as diagnostics tell it, and whether that is enough for a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..comparison import Comparison
from ..key_comparison import KeyComparison
from ..summary import summary_of_key
from ..words import reason
from .online import OnlineComparison

Level = Literal["ok", "warn", "error"]
_LATE = 0.5  # of its patience that a message has waited
_LONGEST = 400


@dataclass(frozen=True)
class Status:
    """One level, one line, and the numbers behind it."""

    level: Level
    message: str
    values: dict[str, str]


def status_of(online: OnlineComparison, about: Comparison, now_s: float) -> Status:
    """The status of one pair of topics, of a comparison that gives names and tolerances."""
    key = online.result()
    silent, lost = silent_sides(online, about), lost_messages(online, about)
    differs = bool(key.problem or key.judged.differing) or not (lost or key.matches)
    waits = []
    if key.problem is None:
        waits += [f"nothing received yet from {name}" for name in silent]
        if not silent and not (key.aligned.count or differs):
            waits.append(f"{online.pending} messages wait for their partners")
        elif _is_late(online, now_s):
            waits.append("a message is late")
    level: Level = "error" if differs else "warn" if waits or lost else "ok"
    lines = [line.strip() for line in summary_of_key(key, about.names)]
    told = lines[0].removeprefix(f"{key.topic} ({key.type}): ")
    why = lines[1:2] if differs else []
    message = "; ".join([cut(line) for line in (told, *why)] + lost + waits)
    return Status(level, message, _values(online, key))


def cut(text: str) -> str:
    """The beginning of a text that is too long to be sent again and again."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def no_verdict(online: OnlineComparison, about: Comparison) -> str | None:
    """Why nothing can be said of two topics; None if something can."""
    key = online.result()
    if key.problem:
        return None
    if silent := silent_sides(online, about):
        return f"nothing was received on {key.topic} from {' and '.join(silent)}"
    if lost := lost_messages(online, about):
        return f"of {key.topic}, {' and '.join(lost)}"
    if key.matches and not key.aligned.count:
        return f"no two messages of {key.topic} belong together"
    return None


def silent_sides(online: OnlineComparison, about: Comparison) -> list[str]:
    """The names of the sides from which nothing has come."""
    return [
        name
        for name, count in zip(about.names, online.counts, strict=True)
        if not count.received and not count.dropped
    ]


def lost_messages(online: OnlineComparison, about: Comparison) -> list[str]:
    """How many messages were dropped, for each side of which any was."""
    return [
        f"{count.dropped} messages from {name} were dropped"
        for name, count in zip(about.names, online.counts, strict=True)
        if count.dropped
    ]


def _is_late(online: OnlineComparison, now_s: float) -> bool:
    oldest_s = online.oldest_s
    return oldest_s is not None and now_s - oldest_s > _LATE * online.patience_s


def _values(online: OnlineComparison, key: KeyComparison) -> dict[str, str]:
    a, b = online.counts
    aligned, judged = key.aligned, key.judged
    listed = len(aligned.only_a), len(aligned.only_b), len(aligned.reordered)
    missing, extra, reordered = (n + m for n, m in zip(listed, aligned.unlisted, strict=True))
    first, worst = judged.first, judged.worst
    return {
        "received a": str(a.received),
        "received b": str(b.received),
        "aligned": str(aligned.count),
        "aligned by": aligned.by,
        "identical bytes": str(judged.equal_bytes),
        "differing": str(judged.differing),
        "missing": str(missing),
        "extra": str(extra),
        "out of order": str(reordered),
        "pending": str(online.pending),
        "dropped": str(a.dropped + b.dropped),
        "before the start": str(a.before_start + b.before_start),
        "at the end": str(a.at_end + b.at_end),
        "worst field": worst.field if worst else "",
        "max error": f"{worst.error:.6g}" if worst and worst.error is not None else "",
        "first difference": cut(
            f"tick {first.tick_a}: {first.fields[0].field} is {first.fields[0].b}, "
            f"expected {first.fields[0].a}{reason(first.fields[0])}"
            if first
            else ""
        ),
    }
