"""A comparison as result.json holds it (docs/compare.md)."""

from __future__ import annotations

import math
from typing import Any

from .comparison import Comparison
from .definitions import MISSING
from .distribution import as_data as distribution_as_data
from .fields import as_data as field_as_data
from .key_comparison import KeyComparison, TickDifference
from .simplest_law import Diagnosis


def comparison_as_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain values."""
    return {
        "match": comparison.all_match,
        "grade": comparison.grade,
        "align": comparison.align,
        "samples": comparison.samples,
        "keys": {topic: _key_as_data(key) for topic, key in comparison.keys.items()},
    }


def _key_as_data(key: KeyComparison) -> dict[str, Any]:
    aligned, judged = key.aligned, key.judged
    first, worst = judged.first, judged.worst
    return {
        "type": key.type,
        "match": key.matches,
        "problem": key.problem,
        "redefined": key.redefined,
        "undecoded": None if key.is_json else key.undecoded or None,
        "unlike": {
            path: [None if kind == MISSING else kind for kind in kinds]
            for path, kinds in key.unlike.items()
        },
        "messages": [aligned.count_a, aligned.count_b],
        "aligned": aligned.count,
        "largest_shift_ns": aligned.largest_shift_ns,
        "identical_bytes": judged.equal_bytes,
        "differing": judged.differing,
        "missing": len(aligned.only_a),
        "extra": len(aligned.only_b),
        "first_difference": first and _first_as_data(first),
        "first_beyond_rounding": judged.beyond_rounding and _first_as_data(judged.beyond_rounding),
        "largest_error": worst
        and {
            "tick": judged.worst_tick,
            "field": worst.field,
            "error": _finite(worst.error),
            "within_tolerance": not judged.is_worst_wrong,
        },
        "grade": key.grade,
        "align": aligned.by,
        "stamp": aligned.stamp or None,
        "better_align": key.better and {"align": key.better.align, "wrong": key.better.wrong},
        "reordered": len(aligned.reordered),
        "duplicates": list(aligned.duplicates),
        "epochs": [1 + len(starts) for starts in aligned.epochs],
        "clock": {"offset_ns": aligned.clock_offset_ns, "drift": aligned.clock_drift},
        "ignored": list(judged.ignored),
        "fields": {path: field_as_data(found) for path, found in judged.fields.items()},
        "diagnoses": {
            path: law and _law_as_data(law) for path, law in key.explained.diagnoses.items()
        },
        "diagnosed": {
            path: {
                "ticks": [extent.first, extent.last],
                "differing": [extent.differing, extent.of],
            }
            for path, extent in key.explained.extents.items()
        },
        "distributions": {
            path: distribution_as_data(found) for path, found in judged.distributions.items()
        },
    }


def _first_as_data(first: TickDifference) -> dict[str, Any]:
    deviation = first.fields[0]
    return {
        "ticks": [first.tick_a, first.tick_b],
        "time_ns": first.time_ns,
        "field": deviation.field,
        "expected": deviation.a,
        "found": deviation.b,
        "error": _finite(deviation.error),
        "tolerance": str(deviation.tolerance),
    }


def _law_as_data(law: Diagnosis) -> dict[str, Any]:
    return {
        "law": law.law,
        "sentence": law.sentence,
        "explains": law.explains if law.predicts else None,
        "parameters": {name: _finite(value) for name, value in law.parameters.items()},
    }


def _finite(error: float | None) -> float | None:
    return error if error is not None and math.isfinite(error) else None  # JSON has no infinity
