"""The fields in which an implementation differs, as plain values that are kept over time."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..compare import Comparison


@dataclass(frozen=True)
class FieldResult:
    """A field that differs: in how many messages, by how much at most, and by which law."""

    topic: str
    field: str
    differing: int
    largest: float | None
    law: str | None

    def sentence(self) -> str:
        """`/odom pose.x: 3 messages differ, at most 0.25 off: a sign`."""
        messages = (
            "1 message differs" if self.differing == 1 else f"{self.differing} messages differ"
        )
        largest = "" if self.largest is None else f", at most {self.largest:.3g} off"
        law = f": {self.law}" if self.law else ""
        return f"{self.topic} {self.field}: {messages}{largest}{law}"


def field_results(comparison: Comparison) -> Iterator[FieldResult]:
    """The fields of a comparison that are not within their tolerance."""
    for topic, key in comparison.keys.items():
        for path, judged in key.judged.fields.items():
            if judged.matches:
                continue
            law = key.explained.diagnoses.get(path)
            yield FieldResult(
                topic,
                path,
                judged.wrong_ticks,
                judged.max_error if math.isfinite(judged.max_error) else None,
                None if law is None else law.sentence,
            )
