"""What is to be known of the outcome for one key, in some lines."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..message.time import NS_PER_S, seconds
from ..printable import one_line
from .definitions import told
from .fields import FieldComparison
from .key_comparison import Aligned, Judged, KeyComparison
from .words import KEPT_FIELDS, by_statistic, explanation, in_distribution, reason, when

_SUMMED_FIELDS = 12
_DRIFT = 1e-7  # less is rounding


def summary_of_key(key: KeyComparison, names: tuple[str, str]) -> Iterator[str]:
    """What is to be known of one key, a printable line each; `names` are those of A and of B."""
    return map(one_line, _lines_of_key(key, names))


def _lines_of_key(key: KeyComparison, names: tuple[str, str]) -> Iterator[str]:
    head = f"{key.topic} ({key.type}): "
    if key.problem:
        yield head + key.problem
    elif key.aligned.by == "none":
        yield from _distributions(key, head)
    else:
        yield head + ", ".join(_counts(key.aligned, key.judged, names))
        if key.undecoded and not key.is_json:
            yield f"  compared by its bytes: {key.undecoded}"
        yield from _redefined(key)
        yield from _clock(key.aligned, names[1])
        yield from _values(key.aligned, key.judged)
        yield from _fields(key)
        yield from _alone(key.aligned, names)
        yield from _better(key)


def _distributions(key: KeyComparison, head: str) -> Iterator[str]:
    found = key.judged.distributions
    wrong = [field for field in found.values() if not field.matches]
    yield (
        f"{head}{key.aligned.count_a} against {key.aligned.count_b} messages, "
        f"{len(wrong)} of {len(found)} fields differ in distribution"
    )
    yield from _redefined(key)
    yield from (f"  {in_distribution(field)}" for field in wrong[:KEPT_FIELDS])


def _counts(aligned: Aligned, judged: Judged, names: tuple[str, str]) -> Iterator[str]:
    yield f"{aligned.count} aligned"
    yield f"{judged.differing} differ"
    listed = len(aligned.only_a), len(aligned.only_b), len(aligned.reordered)
    only_a, only_b, reordered = (n + m for n, m in zip(listed, aligned.unlisted, strict=True))
    if only_a:
        yield f"{only_a} only in {names[0]}"
    if only_b:
        yield f"{only_b} only in {names[1]}"
    if reordered:
        yield f"{reordered} out of order"
    for name, count in zip(names, aligned.duplicates, strict=True):
        if count and aligned.duplicates[0] != aligned.duplicates[1]:
            yield f"{count} at the time of another in {name}, so compared in their order"
    if judged.equal_bytes:
        yield f"{judged.equal_bytes} with identical bytes"
    epochs = [1 + len(starts) for starts in aligned.epochs]
    if max(epochs) > 1:
        yield f"in {epochs[0]} epochs" + ("" if epochs[0] == epochs[1] else f" and {epochs[1]}")
    if aligned.largest_shift_ns and aligned.by in ("time", "value", "cause"):
        yield f"up to {seconds(aligned.largest_shift_ns)} s apart"


def _clock(aligned: Aligned, name_b: str) -> Iterator[str]:
    is_apart = aligned.largest_shift_ns and abs(aligned.clock_drift) > _DRIFT
    if is_apart and aligned.by in ("time", "value"):
        yield (
            f"  clock of {name_b}: {aligned.clock_offset_ns / NS_PER_S:+.9f} s, "
            f"drifts by {aligned.clock_drift * 1e6:.3g} ppm"
        )


def _values(aligned: Aligned, judged: Judged) -> Iterator[str]:
    """What is judged as a whole, the first difference, and the largest error."""
    for found in judged.fields.values():
        if found.judged is not None and (not found.matches or found.judged_tick is not None):
            yield f"  {by_statistic(found)}"
    for found in judged.fields.values():
        if found.moved:
            yield f"  {found.field}: in another order in {found.moved} messages"
    for words, first in (("first", judged.first), ("first beyond rounding", judged.hidden)):
        if first:
            deviation = first.fields[0]
            yield (
                f"  {words} at {when(aligned, 0, first.tick_a, first.time_ns)}: "
                f"{deviation.field} is {deviation.b}, expected {deviation.a}{reason(deviation)}"
            )
    worst = judged.worst
    if worst and worst.error is not None and judged.is_worst_wrong:
        yield (
            f"  largest error at tick {judged.worst_tick}: {worst.field} is {worst.b}, "
            f"expected {worst.a}{reason(worst)}"
        )
    elif worst and worst.error is not None:
        yield (
            f"  within tolerance {worst.tolerance}, at most {worst.error:.6g} apart: "
            f"{worst.field} at tick {judged.worst_tick}"
        )


def _fields(key: KeyComparison) -> Iterator[str]:
    differing = [found for found in key.judged.fields.values() if not found.matches]
    for field in differing[:_SUMMED_FIELDS]:
        yield from (f"  {line}" for line in _field(field, key))
    if len(differing) > _SUMMED_FIELDS:
        yield f"  … {len(differing) - _SUMMED_FIELDS} more fields differ"


def _field(found: FieldComparison, key: KeyComparison) -> Iterator[str]:
    """What is to be known of a field that differs, and why it does."""
    if found.judged is None:
        parts = [f"{found.wrong} of {found.compared} wrong" if found.wrong else ""]
        if found.other_lengths:
            parts.append(f"{found.other_lengths} messages with another length")
        for count, word in zip(found.alone, ("missing", "extra"), strict=True):
            if count:
                parts.append(f"{count} {word}")
        if math.isfinite(found.max_error) and found.max_error:
            parts.append(f"largest error {found.max_error:.6g}")
        yield f"{found.field}: {', '.join(filter(None, parts))}, from tick {found.first_tick} on"
    diagnoses, extents = key.explained.diagnoses, key.explained.extents
    for path in found.parts:
        if path in diagnoses:
            of_part = f" ({path})" if len(found.parts) > 1 else ""
            yield f"  why{of_part}: {explanation(diagnoses[path], extents.get(path))}"


def _alone(aligned: Aligned, names: tuple[str, str]) -> Iterator[str]:
    for side, alone in enumerate((aligned.only_a, aligned.only_b)):
        if len(alone):
            yield f"  first only in {names[side]}: {when(aligned, side, *alone[0].tolist())}"


def _better(key: KeyComparison) -> Iterator[str]:
    if better := key.better:
        yield (
            f"  aligned by {better.align}, {better.wrong} would be wrong: "
            f"--align {key.topic}:={better.align} (in a verify.yaml compare.align)"
        )


def _redefined(key: KeyComparison) -> Iterator[str]:
    """Which fields were not compared, where the definitions differ; a line each."""
    if not key.redefined:
        return
    count = len(key.judged.fields) or len(key.judged.distributions)
    yield f"  {key.redefined}: compared in the {count} fields that both have"
    for path, kinds in list(key.unlike.items())[:_SUMMED_FIELDS]:
        ignored = ", which is ignored" if path in key.judged.ignored else ""
        yield f"  not compared: {told(path, kinds)}{ignored}"
    if len(key.unlike) > _SUMMED_FIELDS:
        yield f"  … {len(key.unlike) - _SUMMED_FIELDS} more fields are not compared"
