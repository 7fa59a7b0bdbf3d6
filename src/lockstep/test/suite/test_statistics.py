"""What repeated runs tell, and what they do not."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from lockstep.suite.statistics import change_points, mean, median, ratio

RANDOM = np.random.default_rng(3)


def runs(level: float, count: int, spread: float = 0.05) -> list[float]:
    """Times of runs that scatter around a level."""
    return (level * np.exp(RANDOM.normal(0, spread, count))).tolist()


def test_a_median_lies_in_its_interval_and_one_run_tells_nothing():
    found = median([3.0, 1.0, 2.0, 4.0, 100.0])
    assert found.value == 3.0
    assert 1.0 <= found.low <= 3.0 <= found.high <= 100.0
    alone = median([3.0])
    assert (alone.value, alone.low, alone.high) == (3.0, 0.0, math.inf)


def test_a_ratio_is_found_with_an_interval_that_holds_it():
    a, b = [runs(10.0, 9), runs(1000.0, 9)], [runs(5.0, 9), runs(500.0, 9)]
    found = ratio(a, b)
    assert found is not None
    assert found.low < 0.5 < found.high
    assert found.high < 0.6
    assert found.low > 0.4


def test_the_interval_of_equal_versions_holds_one_as_often_as_it_says():
    held = 0
    for _ in range(200):
        found = ratio([runs(1.0, 7)], [runs(1.0, 7)])
        assert found is not None
        held += found.low <= 1 <= found.high
    assert held >= 180


@pytest.mark.parametrize("a", [[], [1.0], [1.0, 1.0], [0.0, 1.0, 1.0]])
def test_too_few_runs_and_times_of_nought_have_no_ratio(a: list[float]):
    assert ratio([a], [[1.0, 1.0, 1.0]]) is None
    found = ratio([a, [2.0] * 3], [[1.0] * 3, [1.0] * 3])
    assert found is not None
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_a_mean_over_few_cases_is_none():
    assert mean([0.1, 0.2]) is None
    found = mean([0.1, 0.2, 0.3])
    assert found is not None
    assert found.value == pytest.approx(0.2)


def test_a_thousand_cases_take_seconds():
    cases = RANDOM.lognormal(0, 0.1, (1000, 5)).tolist()
    start_s = time.process_time()
    assert ratio(cases, cases) is not None
    assert time.process_time() - start_s < 5


def test_levels_are_told_apart_where_they_change():
    series = [*runs(10.0, 12), *runs(13.0, 9), *runs(9.0, 11)]
    assert change_points(series) == [12, 21]


def test_a_level_that_stays_has_no_change():
    assert sum(bool(change_points(runs(10.0, 30), seed)) for seed in range(50)) <= 3


@pytest.mark.parametrize("series", [[], [1.0], [1.0] * 40, [1.0, 1.0, 9.0, 1.0, 1.0, 1.0, 1.0]])
def test_neither_equal_runs_nor_one_that_stands_out_are_a_change(series: list[float]):
    assert change_points(series) == []


def test_a_change_that_nobody_minds_is_none():
    assert change_points([*([1.0, 1.001] * 8), *([1.005, 1.006] * 8)]) == []
