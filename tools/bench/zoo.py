"""How well the laws of differences are told: of faults that are planted, and where there is none.

The faults are those of src/lockstep/test/zoo, of which the tests plant a part.
"""

from __future__ import annotations

from .contestants import Check, Contest, Task

_UNRELATED = 1_000


def named(task: Task) -> Contest:
    """diagnose() of each fault in the zoo: how many of them are named rightly, as first guess."""
    from zoo.faults import FAULTS

    def work() -> list[bool]:
        return [fault.is_named() for fault in FAULTS]

    def check(right: list[bool]) -> Check:
        return len(right), float(sum(right))

    return Contest(work, check)


def named_falsely(task: Task) -> Contest:
    """diagnose() of fields of different recordings: how many of them are said to follow a law."""
    from zoo.unrelated import false_names, unrelated

    def work() -> Check:
        fields = false = 0
        for told in unrelated(_UNRELATED):
            fields += len(told)
            false += len(false_names(told))
        return fields, float(false)

    return Contest(work, lambda found: found)
