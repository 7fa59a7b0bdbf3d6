"""Text diffs in the manner of `diff -u`: one file per key, hunks headed by tick and relative time."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path

from ..message.time import NS_PER_S, seconds
from .comparison import KEPT_TICKS, Comparison, KeyComparison, TickDifference
from .definitions import MISSING, told
from .distribution import DistributionComparison
from .fields import FieldComparison, statistic
from .tolerance import MEASURES
from .values import Deviation
from .why.diagnose import Diagnosis

KEPT_FIELDS = 50
_SUMMED_FIELDS = 12
_DRIFT = 1e-7  # less is rounding


def write_text_diffs(comparison: Comparison, folder: Path) -> dict[str, Path]:
    """Write one `.diff` file per key that differs and `summary.txt`; returns the diff files by key."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for key in comparison.keys.values():
        if not key.matches:
            path = _free(folder, re.sub(r"[^\w.-]", "_", key.topic.strip("/").replace("/", "__")))
            path.write_text("\n".join(text_diff(comparison, key)) + "\n", "utf-8")
            files[key.topic] = path
    (folder / "summary.txt").write_text("\n".join(summary(comparison)) + "\n", "utf-8")
    return files


def _free(folder: Path, stem: str) -> Path:
    """A name for a diff that no other topic has."""
    names = (f"{stem or 'root'}{number or ''}.diff" for number in itertools.count())
    return next(path for path in (folder / name for name in names) if not path.exists())


def summary(comparison: Comparison) -> Iterator[str]:
    """The verdict, then what is to be known of each key; a line each."""
    if comparison.all_match:
        yield f"MATCH: {comparison.name_b} does what {comparison.name_a} does"
    else:
        yield f"DIFFERENT: {comparison.name_b} does not do what {comparison.name_a} does"
    for key in comparison.keys.values():
        yield from summary_of_key(comparison, key)
    if comparison.all_match:
        yield _confidence(comparison)
    patterns = comparison.tolerances.by_pattern
    rules = ", ".join(f"{pattern}: {tolerance}" for pattern, tolerance in patterns.items())
    used = sorted({key.align for key in comparison.keys.values() if not key.problem})
    yield (
        f"aligned by {' and '.join(used) or comparison.align}; "
        f"tolerances: {rules or 'none, values must be equal'}"
    )


def _confidence(comparison: Comparison) -> str:
    """What it means that none of n messages differ: the rule of three, 3 / n at 95 %."""
    if comparison.align == "none":
        return f"distributions alike in {comparison.samples} messages"
    rate = 3 / max(1, comparison.samples)
    share = f"{rate * 100:.2g} %" if rate < 1 else "100 %"
    return (
        f"{comparison.grade} in {comparison.samples} messages: "
        f"with 95 % confidence fewer than {share} differ"
    )


def _field(found: FieldComparison, key: KeyComparison) -> Iterator[str]:
    """What is to be known of a field that differs, and why it does."""
    if found.judged is None:
        parts = [f"{found.wrong} of {found.compared} wrong" if found.wrong else ""]
        if found.other_lengths:
            parts.append(f"{found.other_lengths} messages with another length")
        if math.isfinite(found.max_error) and found.max_error:
            parts.append(f"largest error {found.max_error:.6g}")
        yield f"{found.field}: {', '.join(filter(None, parts))}, from tick {found.first_tick} on"
    for path in found.parts:
        if path in key.diagnoses:
            of_part = f" ({path})" if len(found.parts) > 1 else ""
            yield f"  why{of_part}: {explanation(key.diagnoses[path])}"


def explanation(law: Diagnosis | None) -> str:
    """Why a field differs, in a sentence."""
    if law is None:
        return "no simple explanation"
    return f"{law.sentence}; explains {law.explains * 100:.4g} % of the difference"


def _judged(found: FieldComparison) -> str:
    by, value = statistic(found)
    if found.tolerance.by not in MEASURES:
        return f"{found.field}: {by} is {value} over {found.compared} elements, tolerance {found.tolerance}"
    parts = [f"{by} is {value}, the worst image"] if found.judged_tick is not None else []
    if found.other_lengths:
        parts.append(f"{found.other_lengths} images of another size")
    if found.wrong_ticks:
        parts.append(f"{found.wrong_ticks} wrong")
    return f"{found.field}: {', '.join(parts)}, tolerance {found.tolerance}"


def text_diff(comparison: Comparison, key: KeyComparison) -> Iterator[str]:
    """The diff of one key, line by line; bounded in length."""
    yield f"--- {comparison.name_a}\t{key.topic}\t{key.type}\t{key.count_a} messages"
    yield f"+++ {comparison.name_b}\t{key.topic}\t{key.type}\t{key.count_b} messages"
    if key.problem:
        yield f"@@ {key.problem} @@"
    if key.redefined:
        yield f"@@ {key.redefined} @@"
        for path, kinds in list(key.unlike.items())[:KEPT_FIELDS]:
            sides = zip("-+", kinds, strict=True)
            yield from (f"{sign}{kind} {path}" for sign, kind in sides if kind != MISSING)
        if len(key.unlike) > KEPT_FIELDS:
            yield f" … {len(key.unlike) - KEPT_FIELDS} more fields"
    for different in key.distributions.values():
        if not different.matches:
            yield f"@@ {_distribution(different)} @@"
            yield from (
                f"{sign}{different.field}: mean {mean:.9g}, standard deviation {deviation:.9g}"
                for sign, mean, deviation in zip(
                    "-+", different.means, different.deviations, strict=True
                )
            )
    hunks: list[tuple[int, list[str]]] = [(d.time_ns, list(_hunk(d, key))) for d in key.kept]
    for tick_a, tick_b in key.reordered[:KEPT_TICKS].tolist():
        yield f"@@ tick {tick_a} / {tick_b} @@"
        yield f" in another order in {comparison.name_b}, not compared"
    for found in key.fields.values():
        if found.judged is not None and not found.matches:
            yield f"@@ {_judged(found)} @@"
    for side, (sign, name, alone) in enumerate(
        (("-", comparison.name_a, key.only_a), ("+", comparison.name_b, key.only_b))
    ):
        hunks += [
            (time_ns, [f"@@ {_when(key, side, tick, time_ns)} @@", f"{sign}only in {name}"])
            for tick, time_ns in alone[:KEPT_TICKS].tolist()
        ]
    for _, lines in sorted(hunks, key=lambda hunk: hunk[0]):
        yield from lines
    hidden = key.differing + len(key.only_a) + len(key.only_b) + sum(key.unlisted) - len(hunks)
    hidden += max(0, len(key.reordered) - KEPT_TICKS)
    if hidden:
        yield f"… {hidden} more like this"


def _when(key: KeyComparison, side: int, tick: int, time_ns: int, other: int | None = None) -> str:
    """The tick of a message, that of its partner if it is another, the step that it answers if that is known, the time."""
    ticks = f"tick {tick}" if other in (None, tick) else f"tick {tick} / {other}"
    step = f", step {key.steps[side][tick]}" if key.steps else ""
    return f"{ticks}{step}, t = {seconds(time_ns)} s"


def _hunk(difference: TickDifference, key: KeyComparison) -> Iterator[str]:
    ticks = difference.tick_a, difference.tick_b
    yield f"@@ {_when(key, 0, ticks[0], difference.time_ns, ticks[1])} @@"
    for deviation in difference.fields[:KEPT_FIELDS]:
        yield f"-{deviation.field}: {deviation.a}"
        yield f"+{deviation.field}: {deviation.b}{reason(deviation)}"
    if len(difference.fields) > KEPT_FIELDS:
        yield f" … {len(difference.fields) - KEPT_FIELDS} more fields"


def reason(deviation: Deviation) -> str:
    """By how much a field is off, and its tolerance; nothing where that has no meaning."""
    if deviation.error is None:
        return ""
    return f"    # off by {deviation.error:.6g}, tolerance {deviation.tolerance}"


def summary_of_key(comparison: Comparison, key: KeyComparison) -> Iterator[str]:
    """What is to be known of one key; a line each."""
    head = f"{key.topic} ({key.type}): "
    if key.problem:
        yield head + key.problem
        return
    if key.align == "none":
        wrong = [found for found in key.distributions.values() if not found.matches]
        yield (
            f"{head}{key.count_a} against {key.count_b} messages, "
            f"{len(wrong)} of {len(key.distributions)} fields differ in distribution"
        )
        yield from _redefined(key)
        yield from (f"  {_distribution(found)}" for found in wrong[:KEPT_FIELDS])
        return
    parts = [f"{key.aligned} aligned", f"{key.differing} differ"]
    listed = len(key.only_a), len(key.only_b), len(key.reordered)
    only_a, only_b, reordered = (n + m for n, m in zip(listed, key.unlisted, strict=True))
    if only_a:
        parts.append(f"{only_a} only in {comparison.name_a}")
    if only_b:
        parts.append(f"{only_b} only in {comparison.name_b}")
    if reordered:
        parts.append(f"{reordered} out of order")
    for name, count in zip((comparison.name_a, comparison.name_b), key.duplicates, strict=True):
        if count and key.duplicates[0] != key.duplicates[1]:
            parts.append(f"{count} at the time of another in {name}")
    if key.equal_bytes:
        parts.append(f"{key.equal_bytes} with identical bytes")
    if key.largest_shift_ns and key.align in ("time", "cause"):
        parts.append(f"up to {seconds(key.largest_shift_ns)} s apart")
    yield head + ", ".join(parts)
    yield from _redefined(key)
    if key.largest_shift_ns and key.align == "time" and abs(key.clock_drift) > _DRIFT:
        yield (
            f"  clock of {comparison.name_b}: {key.clock_offset_ns / NS_PER_S:+.9f} s, "
            f"drifts by {key.clock_drift * 1e6:.3g} ppm"
        )
    for found in key.fields.values():
        if found.judged is not None and (not found.matches or found.judged_tick is not None):
            yield f"  {_judged(found)}"
    if key.first:
        deviation = key.first.fields[0]
        yield (
            f"  first at {_when(key, 0, key.first.tick_a, key.first.time_ns)}: {deviation.field} "
            f"is {deviation.b}, expected {deviation.a}{reason(deviation)}"
        )
    if key.worst and key.worst.error is not None:
        worst = key.worst
        yield (
            f"  largest error at tick {key.worst_tick}: {worst.field} is {worst.b}, expected {worst.a}"
            f"{reason(worst)}"
        )
    differing = [found for found in key.fields.values() if not found.matches]
    for field in differing[:_SUMMED_FIELDS]:
        yield from (f"  {line}" for line in _field(field, key))
    if len(differing) > _SUMMED_FIELDS:
        yield f"  … {len(differing) - _SUMMED_FIELDS} more fields differ"
    for side, alone in enumerate((key.only_a, key.only_b)):
        if len(alone):
            name = (comparison.name_a, comparison.name_b)[side]
            yield f"  first only in {name}: {_when(key, side, *alone[0].tolist())}"


def _redefined(key: KeyComparison) -> Iterator[str]:
    """Which fields were not compared, where the definitions differ; a line each."""
    if not key.redefined:
        return
    yield f"  {key.redefined}: compared in the {len(key.fields) or len(key.distributions)} fields that both have"
    for path, kinds in list(key.unlike.items())[:_SUMMED_FIELDS]:
        ignored = ", which is ignored" if path in key.ignored else ""
        yield f"  not compared: {told(path, kinds)}{ignored}"
    if len(key.unlike) > _SUMMED_FIELDS:
        yield f"  … {len(key.unlike) - _SUMMED_FIELDS} more fields are not compared"


def _distribution(found: DistributionComparison) -> str:
    shift = ""
    if found.element is not None and found.element_shift:
        shift = f", element {found.element} by {found.element_shift:.3g} standard errors"
    return (
        f"{found.field}: mean {found.means[1]:.6g} against {found.means[0]:.6g}, standard deviation "
        f"{found.deviations[1]:.6g} against {found.deviations[0]:.6g}, Kolmogorov–Smirnov {found.ks:.3g} "
        f"(p = {found.p:.2g}), Wasserstein {found.wasserstein:.3g}{shift}, tolerance {found.tolerance}"
    )
