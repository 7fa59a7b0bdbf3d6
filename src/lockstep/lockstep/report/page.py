"""The tables of the HTML report as data: verdicts, keys, fields, text diffs, runs.

They are bounded, and begin with the worst.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..compare.comparison import Comparison, summary
from ..compare.fields import FieldComparison, statistic
from ..compare.key_comparison import KeyComparison
from ..compare.simplest_law import Diagnosis
from ..compare.text_diff import text_diff
from ..compare.words import in_extent
from ..message.time import NS_PER_S
from ..printable import printable_data

MOST_KEYS, MOST_FIELDS = 1000, 3000
_NAME = 200
_DIFF_LINES, _LINE = 400, 300
_SUMMARY_LINES = 200
_REASONS = 6


@dataclass(frozen=True)
class FoundField:
    """A field with where it belongs."""

    name: str
    comparison: Comparison
    key: KeyComparison
    field: FieldComparison

    @property
    def diagnoses(self) -> list[Diagnosis | None]:
        """The laws by which the field, or its parts, differ, as far as they were sought."""
        known = self.key.explained.diagnoses
        return [known[path] for path in self.field.parts if path in known]

    @property
    def differs(self) -> bool:
        """Whether there is anything to draw."""
        found = self.field
        return bool(found.unequal or found.wrong or found.other_lengths or not found.matches)


def fields_of(comparisons: Mapping[str, Comparison]) -> list[FoundField]:
    """All fields of all keys, the worst first."""
    every = [
        FoundField(name, comparison, key, found)
        for name, comparison in comparisons.items()
        for key in comparison.keys.values()
        for found in key.judged.fields.values()
    ]
    return sorted(every, key=_badness)


def _badness(found: FoundField) -> tuple[Any, ...]:
    """By how many of ten messages are wrong, and then by the size of errors."""
    one = found.field
    wrong = round(10 * one.wrong_ticks / max(1, found.key.aligned.count))
    return (one.matches, not found.differs, -wrong, -one.max_error, -one.wrong_ticks)


def verdict_rows(
    comparisons: Mapping[str, Comparison], result: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """One row per comparison: the verdict in words, and what stands out.

    A verification, as result.json holds it, knows why a comparison of equal messages is no match.
    One that it does not list is of an implementation with itself.
    """
    known = (result or {}).get("comparisons", {})
    return [
        {
            "name": cut(name),
            "a": cut(comparison.name_a),
            "b": cut(comparison.name_b),
            "match": comparison.all_match and not objections_of(known, name),
            "verdict": known.get(name, {}).get("verdict"),
            "objections": [cut(why, 3 * _NAME) for why in objections_of(known, name)],
            "itself": result is not None and name not in known,
            "samples": comparison.samples,
            "grade": comparison.grade,
            "headline": cut(next(summary(comparison)), 2 * _NAME),
            "sentence": _sentence(comparison),
            "align": sorted(
                {key.aligned.by for key in comparison.keys.values() if not key.problem}
            ),
            "tolerances": _tolerances(comparison),
            "summary": [cut(line, _LINE) for line in islice(summary(comparison), _SUMMARY_LINES)],
        }
        for name, comparison in comparisons.items()
    ]


def objections_of(known: Mapping[str, Any], name: str) -> list[str]:
    """Why a comparison is no match, whatever its messages are, of those of a verification."""
    found: list[str] = known.get(name, {}).get("objections", [])
    return found


def _tolerances(comparison: Comparison) -> list[list[str]]:
    rules = comparison.tolerances.by_pattern.items()
    return [[cut(pattern), str(tolerance)] for pattern, tolerance in rules][:_SUMMARY_LINES]


def _sentence(comparison: Comparison) -> str:
    """The confidence in a match, or how much differs and from where on."""
    if comparison.all_match:
        return list(summary(comparison))[-2]
    keys = [key for key in comparison.keys.values() if not key.matches]
    wrong = sum(key.judged.differing for key in keys)
    parts = (
        [f"{wrong:,} of {comparison.samples:,} aligned messages have wrong values"] if wrong else []
    )
    for count, text in (
        (sum(len(key.aligned.only_a) for key in keys), f"only in {comparison.name_a}"),
        (sum(len(key.aligned.only_b) for key in keys), f"only in {comparison.name_b}"),
        (sum(len(key.aligned.reordered) for key in keys), "out of order"),
    ):
        if count:
            parts.append(f"{count:,} {text}")
    problems = [f"{key.topic}: {why}" for key in keys if (why := key.problem or key.redefined)]
    statistics = sum(
        found.judged is not None and not found.matches
        for key in keys
        for found in key.judged.fields.values()
    )
    if statistics:
        parts.append(f"{statistics} field{'s' if statistics > 1 else ''} beyond a statistic")
    return cut("; ".join([*parts, *problems[:3]]), 3 * _NAME)


def key_rows(comparisons: Mapping[str, Comparison]) -> list[dict[str, Any]]:
    """One row per key, those that differ first."""
    order = list(comparisons)
    every = sorted(
        ((name, key) for name, found in comparisons.items() for key in found.keys.values()),
        key=lambda pair: pair[1].matches,
    )
    return [{"comparison": order.index(name), **_key_row(key)} for name, key in every[:MOST_KEYS]]


def _key_row(key: KeyComparison) -> dict[str, Any]:
    aligned, judged = key.aligned, key.judged
    first, hidden, why = judged.first, judged.hidden, key.problem or key.redefined
    shift_s = aligned.largest_shift_ns / NS_PER_S
    return {
        "topic": cut(key.topic),
        "type": cut(key.type),
        "match": key.matches,
        "grade": key.grade,
        "problem": why and cut(why, 3 * _NAME),
        "messages": [aligned.count_a, aligned.count_b],
        "aligned": aligned.count,
        "align": aligned.by,
        "identical": judged.equal_bytes,
        "differing": judged.differing,
        "missing": len(aligned.only_a),
        "extra": len(aligned.only_b),
        "reordered": len(aligned.reordered),
        "first": first and {"tick": first.tick_a, "s": first.time_ns / NS_PER_S},
        "hidden": hidden and {"tick": hidden.tick_a, "s": hidden.time_ns / NS_PER_S},
        "shift_s": shift_s if aligned.by in ("time", "cause") else 0,
        "ignored": [cut(path) for path in judged.ignored[:_SUMMARY_LINES]],
    }


def field_rows(fields: Iterable[FoundField], order: list[str]) -> Iterator[dict[str, Any]]:
    """One row per field."""
    for found in fields:
        one = found.field
        row = {
            "comparison": order.index(found.name),
            "topic": cut(found.key.topic),
            "field": cut(one.field) or "(message)",
            "type": cut(one.type),
            "match": one.matches,
            "differs": found.differs,
            "compared": one.compared,
            "unequal": one.unequal,
            "wrong": one.wrong,
            "wrong_ticks": one.wrong_ticks,
            "other_lengths": one.other_lengths,
            "max_error": _finite(one.max_error),
            "max_tick": one.max_tick,
            "first_tick": one.first_tick,
            "first_s": _seconds(found.key, one.first_tick),
            "max_s": _seconds(found.key, one.max_tick),
            "tolerance": str(one.tolerance),
            "judged": _judged(one),
        }
        if found.diagnoses:
            row["explanation"] = _explained(found)
        yield row


def _seconds(key: KeyComparison, tick: int | None) -> float | None:
    times_ns = key.aligned.times_ns[0]
    return None if tick is None or tick >= len(times_ns) else int(times_ns[tick]) / NS_PER_S


def _judged(found: FieldComparison) -> str | None:
    """The statistic that a field is judged by."""
    if found.judged is None:
        return None
    return " ".join(statistic(found))


def _explained(found: FoundField) -> dict[str, Any] | None:
    """Each sentence once, and the least share that one of them explains.

    None if nothing simple does.
    """
    laws = [law for law in found.diagnoses if law]
    if not laws:
        return None
    told = list(dict.fromkeys(law.sentence for law in laws))
    shares = [float(law.explains) for law in laws if law.predicts]
    extents = [found.key.explained.extents.get(path) for path in found.field.parts]
    where = next((f" {in_extent(extent)}" for extent in extents if extent), "")
    return {
        "sentence": cut("; ".join(told) + (where and ",") + where, 3 * _NAME),
        "explains": min(shares) if shares and math.isfinite(min(shares)) else None,
    }


def reasons(fields: Iterable[FoundField]) -> list[dict[str, Any]]:
    """What explains the most fields beyond tolerance, each sentence once with its fields."""
    by_sentence: dict[tuple[str, str], list[FoundField]] = {}
    for found in fields:
        for law in dict.fromkeys(law.sentence for law in found.diagnoses if law):
            if not found.field.matches:
                by_sentence.setdefault((found.name, law), []).append(found)
    most_first = sorted(by_sentence.items(), key=lambda item: -len(item[1]))[:_REASONS]
    return [
        {
            "comparison": name,
            "sentence": cut(sentence, 3 * _NAME),
            "fields": [cut(found.field.field) for found in group[:_REASONS]],
            "more": max(0, len(group) - _REASONS),
            "topic": cut(group[0].key.topic),
        }
        for (name, sentence), group in most_first
    ]


def distribution_rows(comparisons: Mapping[str, Comparison]) -> list[dict[str, Any]]:
    """One row per field whose distributions were compared, those that differ first."""
    every = [
        (index, key.topic, found)
        for index, comparison in enumerate(comparisons.values())
        for key in comparison.keys.values()
        for found in key.judged.distributions.values()
    ]
    every.sort(key=lambda row: (row[2].matches, row[2].p))
    return [
        {
            "comparison": index,
            "topic": cut(topic),
            "field": cut(found.field),
            "match": found.matches,
            "counts": list(found.counts),
            "means": [_finite(mean) for mean in found.means],
            "ks": _finite(found.ks),
            "p": _finite(found.p),
            "effect": _finite(found.effect),
            "size": found.size if not math.isnan(found.effect) else "",
            "histogram": found.histogram
            and {
                "edges": found.histogram.edges[[0, -1]].tolist(),
                "counts": [side.tolist() for side in found.histogram.counts],
            },
            "tolerance": str(found.tolerance),
        }
        for index, topic, found in every[:MOST_FIELDS]
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def diff_rows(comparisons: Mapping[str, Comparison], most_characters: int) -> list[dict[str, Any]]:
    """The text diff of each key that differs, as far as there is room."""
    rows: list[dict[str, Any]] = []
    left = most_characters
    for index, comparison in enumerate(comparisons.values()):
        for key in comparison.keys.values():
            if key.matches or left <= 0:
                continue
            lines: list[str] = []
            for line in text_diff(comparison, key):
                short = cut(line, _LINE)
                left -= len(as_json(short))
                if len(lines) == _DIFF_LINES or left <= 0:
                    lines.append("… more in the text diff")
                    break
                lines.append(short)
            rows.append({"comparison": index, "topic": cut(key.topic), "lines": lines})
    return rows


def run_data(result: Mapping[str, Any]) -> dict[str, Any]:
    """What was run, of the result of a verification as result.json holds it."""
    counts = ("black_box", "sent", "recorded", "lost")
    known = (*counts, "wall_s", "median_ns", "p99_ns", "cpu_ns", "resources")
    return {
        "reference": result.get("reference"),
        "contract_mismatches": result.get("contract_mismatches") or {},
        "noise": [
            {"grade": noise["grade"], "samples": noise["samples"]}
            for noise in result.get("noise_floor") or []
        ],
        "against_itself": [
            {"name": cut(name), "grade": again["grade"], "samples": again["samples"]}
            for name, found in (result.get("comparisons") or {}).items()
            for again in found.get("against_itself") or []
        ],
        "runs": [
            {"name": name, **{field: run[field] for field in known if field in run}}
            for name, run in (result.get("runs") or {}).items()
        ],
    }


def cut(text: str, most: int = _NAME) -> str:
    """Text without its middle if it is too long."""
    if len(text) <= most:
        return text
    return f"{text[: most // 3]}…{text[most // 3 + 1 - most :]}"


def as_json(data: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends the element or opens another.

    All strings are lines that can be printed, so that no name turns the direction of a row.
    """
    text = json.dumps(printable_data(data), allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text
