"""Filters and overflows are told where they were planted."""

from __future__ import annotations

import math

import numpy as np
import pytest
from lockstep.compare.why.diagnose import diagnose

N = 3000
STEP_S = 0.02


def signal(seed=1, n=N):
    noise = np.random.default_rng(seed).normal(size=n + 20)
    return np.convolve(noise, np.ones(6) / 6, "valid")[:n] * 3 + 1.0


def diagnosis_of(a, b):
    time_ns = (np.arange(len(a)) * STEP_S * 1e9).astype(np.int64)
    return diagnose({"value": a}, {"value": b}, time_ns)["value"]


def smoothed(x, tau):
    gain = 1.0 - math.exp(-STEP_S / tau)
    y = np.empty_like(x)
    y[0] = x[0]
    for i in range(1, len(x)):
        y[i] = y[i - 1] + gain * (x[i] - y[i - 1])
    return y


def test_a_low_pass_is_told_with_its_time_constant():
    a = signal()
    found = diagnosis_of(a, smoothed(a, 0.15))
    assert found.law == "low_pass"
    assert found.sentence.startswith(
        "b is a through a low-pass of first order, 0.150 s of time constant"
    )


def test_a_low_pass_that_is_missing_is_told():
    a = signal()
    found = diagnosis_of(smoothed(a, 0.15), a)
    assert found.sentence.startswith("b lacks a low-pass of first order that a has, 0.150 s")


def test_another_time_constant_is_told_with_both():
    a = signal()
    found = diagnosis_of(smoothed(a, 0.10), smoothed(a, 0.25))
    assert found.sentence.startswith(
        "b has another low-pass of first order than a: 0.250 s of time constant instead of 0.100 s"
    )
    assert found.parameters == pytest.approx({"of_a": 0.10, "of_b": 0.25}, rel=1e-6)


def test_a_low_pass_is_told_through_noise():
    a = signal()
    b = smoothed(a, 0.15) + 0.01 * np.random.default_rng(2).normal(size=N)
    found = diagnosis_of(a, b)
    assert found.law == "low_pass"
    assert found.parameters["of_b"] == pytest.approx(0.15, rel=0.1)


@pytest.mark.parametrize("count", [2, 5, 20])
def test_a_moving_average_is_told_with_its_length(count):
    a = signal()
    b = np.array([a[max(0, i - count + 1) : i + 1].mean() for i in range(N)])
    found = diagnosis_of(a, b)
    assert (found.law, found.parameters) == ("average", {"ticks": count})


def test_a_derivative_and_an_integral_are_told():
    a = signal()
    found = diagnosis_of(a, np.diff(a, prepend=a[:1]) / STEP_S)
    assert found.sentence.startswith("b is the derivative of a")
    found = diagnosis_of(a, 4.0 + np.cumsum(a * STEP_S))
    assert found.sentence.startswith("b is the integral of a over time")


@pytest.mark.parametrize("every", [2, 3, 10])
def test_repeats_of_what_is_stale_are_told(every):
    a = signal()
    at = np.arange(N)
    found = diagnosis_of(a, a[at - at % every])
    assert (found.law, found.parameters) == ("held", {"ticks": every})


@pytest.mark.parametrize(
    ("wide", "narrow", "words"),
    [
        (np.int32, np.int16, "a signed number of 16 bits"),
        (np.int32, np.uint8, "an unsigned number of 8 bits"),
        (np.int64, np.int32, "a signed number of 32 bits"),
    ],
)
def test_a_number_that_overflows_is_told_with_its_bits(wide, narrow, words):
    a = np.random.default_rng(1).integers(-3 * 2**30 if wide == np.int64 else -70000, 70000, N)
    a = a.astype(wide)
    found = diagnosis_of(a, a.astype(narrow).astype(wide))
    assert found.sentence == f"b is a as {words} holds it (it overflows)"


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_bytes_in_the_other_order_are_told(kind):
    a = np.random.default_rng(1).integers(0, 30000, N).astype(kind)
    found = diagnosis_of(a, a.byteswap())
    assert found.law == "bytes_swapped"


def test_no_filter_is_told_of_signals_that_have_nothing_to_do_with_each_other():
    told = [
        found.law
        for seed in range(40)
        if (found := diagnosis_of(signal(seed), signal(seed + 500))) is not None
    ]
    assert not {"low_pass", "average", "derivative", "integral", "held"} & set(told)
