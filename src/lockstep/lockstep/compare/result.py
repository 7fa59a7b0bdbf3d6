"""A comparison as result.json holds it (docs/compare.md)."""

from __future__ import annotations

import math
from typing import Any

from .comparison import Comparison
from .definitions import MISSING
from .distribution import as_data as distribution_as_data
from .fields import as_data as field_as_data


def comparison_as_data(comparison: Comparison) -> dict[str, Any]:
    """A comparison as plain values."""
    keys = {}
    for name, key in comparison.keys.items():
        first, worst = key.first, key.worst
        keys[name] = {
            "type": key.type,
            "match": key.matches,
            "problem": key.problem,
            "redefined": key.redefined,
            "unlike": {
                path: [None if kind == MISSING else kind for kind in kinds]
                for path, kinds in key.unlike.items()
            },
            "messages": [key.count_a, key.count_b],
            "aligned": key.aligned,
            "largest_shift_ns": key.largest_shift_ns,
            "identical_bytes": key.equal_bytes,
            "differing": key.differing,
            "missing": len(key.only_a),
            "extra": len(key.only_b),
            "first_difference": first
            and {
                "ticks": [first.tick_a, first.tick_b],
                "time_ns": first.time_ns,
                "field": first.fields[0].field,
                "expected": first.fields[0].a,
                "found": first.fields[0].b,
                "error": _finite(first.fields[0].error),
                "tolerance": str(first.fields[0].tolerance),
            },
            "largest_error": worst
            and {"tick": key.worst_tick, "field": worst.field, "error": _finite(worst.error)},
            "grade": key.grade,
            "align": key.align,
            "reordered": len(key.reordered),
            "duplicates": list(key.duplicates),
            "clock": {"offset_ns": key.clock_offset_ns, "drift": key.clock_drift},
            "ignored": list(key.ignored),
            "fields": {path: field_as_data(found) for path, found in key.fields.items()},
            "diagnoses": {
                path: law
                and {
                    "law": law.law,
                    "sentence": law.sentence,
                    "explains": law.explains,
                    "parameters": {name: _finite(value) for name, value in law.parameters.items()},
                }
                for path, law in key.diagnoses.items()
            },
            "distributions": {
                path: distribution_as_data(found) for path, found in key.distributions.items()
            },
        }
    return {
        "match": comparison.all_match,
        "grade": comparison.grade,
        "align": comparison.align,
        "samples": comparison.samples,
        "keys": keys,
    }


def _finite(error: float | None) -> float | None:
    return error if error is not None and math.isfinite(error) else None  # JSON has no infinity
