"""The search for the highest rate that is sustained."""

import pytest
from lockstep.search.sweep import CLOSE, STEPS, Tried, highest


class Node:
    """Sustains up to a rate; remembers what was tried."""

    def __init__(self, sustains: float) -> None:
        self.sustains = sustains
        self.tried: list[float] = []

    def try_at(self, rate: float) -> Tried:
        self.tried.append(rate)
        return Tried(rate, None if rate <= self.sustains else f"lost at {rate:g}")


@pytest.mark.parametrize("sustains", [3.0, 99.0, 100.0, 101.0, 4321.0, 99_999.0])
@pytest.mark.parametrize("start", [1.0, 100.0])
def test_the_highest_rate_is_found_to_a_tenth(sustains: float, start: float) -> None:
    node = Node(sustains)
    low, high = highest(node.try_at, start, 1e6)
    assert low.objection is None
    assert high.objection == f"lost at {high.rate:g}"
    assert low.rate <= sustains < high.rate <= CLOSE * low.rate
    assert len(set(node.tried)) == len(node.tried)


def test_no_more_is_tried_than_is_asked_for() -> None:
    node = Node(1e9)
    low, high = highest(node.try_at, 100.0, 1000.0)
    assert low == high == Tried(1000.0, None)
    assert node.tried == [100.0, 200.0, 400.0, 800.0, 1000.0]


def test_a_node_that_never_takes_all_sustains_nothing() -> None:
    node = Node(0.0)
    low, high = highest(node.try_at, 64.0, 1e6)
    assert low == Tried(0.0, high.objection)
    assert high.objection == "lost at 1"
    assert len(node.tried) == 1 + STEPS
