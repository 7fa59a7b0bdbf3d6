"""Text diffs in the manner of `diff -u`: one file per key, hunks headed by tick and time."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path

from ..printable import one_line
from .comparison import Comparison, summary
from .definitions import MISSING
from .key_comparison import KEPT_TICKS, KeyComparison, TickDifference
from .words import KEPT_FIELDS, by_statistic, in_distribution, reason, when


def write_text_diffs(comparison: Comparison, folder: Path, no_verdict: str = "") -> dict[str, Path]:
    """Write one `.diff` file per key that differs and `summary.txt`, which tells why there is
    `no_verdict` if so; gives the diffs by key."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for key in comparison.keys.values():
        if not key.matches:
            path = _free(folder, re.sub(r"[^\w.-]", "_", key.topic.strip("/").replace("/", "__")))
            path.write_text("\n".join(text_diff(comparison, key)) + "\n", "utf-8")
            files[key.topic] = path
    (folder / "summary.txt").write_text("\n".join(summary(comparison, no_verdict)) + "\n", "utf-8")
    return files


def _free(folder: Path, stem: str) -> Path:
    """A name for a diff that no other topic has."""
    names = (f"{stem or 'root'}{number or ''}.diff" for number in itertools.count())
    return next(path for path in (folder / name for name in names) if not path.exists())


def text_diff(comparison: Comparison, key: KeyComparison) -> Iterator[str]:
    """The diff of one key, printable line by line; bounded in length."""
    return map(one_line, _lines(comparison, key))


def _lines(comparison: Comparison, key: KeyComparison) -> Iterator[str]:
    aligned, judged = key.aligned, key.judged
    yield f"--- {comparison.name_a}\t{key.topic}\t{key.type}\t{aligned.count_a} messages"
    yield f"+++ {comparison.name_b}\t{key.topic}\t{key.type}\t{aligned.count_b} messages"
    if key.problem:
        yield f"@@ {key.problem} @@"
    yield from _definitions(key)
    yield from _distributions(key)
    for tick_a, tick_b in aligned.reordered[:KEPT_TICKS].tolist():
        yield f"@@ tick {tick_a} / {tick_b} @@"
        yield f" in another order in {comparison.name_b}, not compared"
    for found in judged.fields.values():
        if found.judged is not None and not found.matches:
            yield f"@@ {by_statistic(found)} @@"
    hunks = [*_differing(key), *_alone(key, comparison.names)]
    for _, lines in sorted(hunks, key=lambda hunk: hunk[0]):
        yield from lines
    listed = len(hunks) + min(len(aligned.reordered), KEPT_TICKS)
    hidden = judged.differing + aligned.alone + sum(aligned.unlisted) - listed
    if hidden:
        yield f"… {hidden} more like this"


def _definitions(key: KeyComparison) -> Iterator[str]:
    """The fields that only one side has, or that are of another kind there."""
    if not key.redefined:
        return
    yield f"@@ {key.redefined} @@"
    for path, kinds in list(key.unlike.items())[:KEPT_FIELDS]:
        sides = zip("-+", kinds, strict=True)
        yield from (f"{sign}{kind} {path}" for sign, kind in sides if kind != MISSING)
    if len(key.unlike) > KEPT_FIELDS:
        yield f" … {len(key.unlike) - KEPT_FIELDS} more fields"


def _distributions(key: KeyComparison) -> Iterator[str]:
    for found in key.judged.distributions.values():
        if not found.matches:
            yield f"@@ {in_distribution(found)} @@"
            if math.isnan(found.wasserstein):
                continue
            for sign, mean, deviation in zip("-+", found.means, found.deviations, strict=True):
                yield f"{sign}{found.field}: mean {mean:.9g}, standard deviation {deviation:.9g}"


def _differing(key: KeyComparison) -> Iterator[tuple[int, list[str]]]:
    """The lines on each tick that is kept, with its time in ns."""
    hidden, kept = key.judged.hidden, key.judged.kept
    more = [hidden] if hidden and hidden.tick_a > kept[-1].tick_a else []
    for difference in [*kept, *more]:
        yield difference.time_ns, list(_hunk(difference, key))


def _hunk(difference: TickDifference, key: KeyComparison) -> Iterator[str]:
    tick_a, tick_b = difference.tick_a, difference.tick_b
    yield f"@@ {when(key.aligned, 0, tick_a, difference.time_ns, tick_b)} @@"
    for deviation in difference.fields[:KEPT_FIELDS]:
        yield f"-{deviation.field}: {deviation.a}"
        yield f"+{deviation.field}: {deviation.b}{reason(deviation)}"
    if len(difference.fields) > KEPT_FIELDS:
        yield f" … {len(difference.fields) - KEPT_FIELDS} more fields"


def _alone(key: KeyComparison, names: tuple[str, str]) -> Iterator[tuple[int, list[str]]]:
    """The lines on the first messages without partner, with their times in ns."""
    aligned = key.aligned
    for side, alone in enumerate((aligned.only_a, aligned.only_b)):
        for tick, time_ns in alone[:KEPT_TICKS].tolist():
            head = f"@@ {when(aligned, side, tick, time_ns)} @@"
            yield time_ns, [head, f"{'-+'[side]}only in {names[side]}"]
