"""What the prompt says of numbers is so on both sides, for hostile values."""

import itertools
import math
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

FLOATS = (
    0.0, -0.0, 1.0, -1.0, 0.05, -0.05, 0.1, 0.3, 0.5, 1.5, 2.5, -2.5, -7.5, 2.0, 1e-300, 5e-324,
    1e16, 3.3, -0.7,
)  # fmt: skip
INTEGERS = (1, -1, 2, -2, 3, -3, 7, -7, 10, 2**31, -(2**31), 2**53 - 1, -(2**53) + 1)
CHUNK = 8192
"""How many values numpy sums at a time, where it does not sum all at once."""


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """What the program says of numbers, by its argument: the numbers of each line."""
    if not shutil.which("g++"):
        pytest.skip("there is no g++ here")
    program = tmp_path_factory.mktemp("rules") / "rules"
    source = Path(__file__).with_name("numeric_rules.cpp")
    command = ["g++", "-O2", "-ffp-contract=off", "-o", str(program), str(source)]
    subprocess.run(command, check=True)

    def rules(kind, *operands):
        words = " ".join(x.hex() if isinstance(x, float) else str(x) for x in operands)
        done = subprocess.run(
            [program, kind], input=words, capture_output=True, text=True, check=True
        )
        return [line.split() for line in done.stdout.splitlines()]

    return rules


def numbers(words):
    return [float.fromhex(word) for word in words]


def bits(values):
    """Floats as what also tells zeros apart."""
    return [float(value).hex() for value in values]


def power(a, b):
    """`a ** b`, NaN where that is no float or raises."""
    try:
        result = a**b
    except (ZeroDivisionError, OverflowError):
        return math.nan
    return result if isinstance(result, float) else math.nan


def python_of(a, b):
    return (
        a // b,
        a % b,
        a / b,
        min(a, b),
        max(a, b),
        math.copysign(float(round(a)), a),
        not a < b,
        math.fmod(a, b),
        math.remainder(a, b),
        math.atan2(a, b),
        power(a, b),
        math.copysign(float(int(a)), a),
        a * b + b - a * a / 3.0,
        np.hypot(a, b),
    )


def test_rules_of_floats_hold_to_the_last_bit_and_sign(rules):
    pairs = [pair for pair in itertools.product(FLOATS, FLOATS) if pair[1]]
    found = rules("pairs", *itertools.chain(*pairs))
    for (a, b), words in zip(pairs, found, strict=True):
        cpp, python = bits(numbers(words)[:14]), bits(python_of(a, b))
        if math.isnan(power(a, b)):  # an exception or a complex number, as the rule says
            cpp[10] = python[10]
        assert cpp == python, (a, b)


def test_powers_are_complex_or_raise_where_the_rule_says_so():
    assert isinstance((-0.7) ** 0.5, complex)
    with pytest.raises(ZeroDivisionError):
        0.0**-1.0
    assert (2**-1, 3**40) == (0.5, 12157665459056928801)


def test_minimum_and_maximum_treat_nan_alike(rules):
    pairs = [(math.nan, 1.0), (1.0, math.nan)]
    found = rules("pairs", *itertools.chain(*pairs))
    told = [bits(numbers(words)[3:5]) for words in found]
    assert told == [bits([min(a, b), max(a, b)]) for a, b in pairs]
    assert [numbers(words)[6] for words in found] == [not a < b for a, b in pairs]


def test_minimum_and_maximum_of_numpy_are_nan_if_any_is():
    values = np.array([1.0, math.nan, 2.0])
    for found in (values.min(), values.max(), np.minimum(1.0, math.nan), np.maximum(math.nan, 1.0)):
        assert math.isnan(found)
    assert math.isnan(np.clip(math.nan, 0.0, 1.0))
    assert (values.argmin(), values.argmax()) == (1, 1)


def test_rules_of_integers_hold(rules):
    pairs = list(itertools.product((*INTEGERS, 0), INTEGERS))
    found = rules("integers", *itertools.chain(*pairs))
    for (a, b), words in zip(pairs, found, strict=True):
        quotient, rest, true_quotient, *others, byte, short = words
        assert (int(quotient), int(rest)) == (a // b, a % b)
        assert float.fromhex(true_quotient) == a / b
        assert [int(word) for word in others] == [a >> 3, a & b, a | b, a ^ b]
        wide = np.array([a, b])
        assert int(byte) == np.multiply(*wide.astype(np.uint8)[:, None])[0]
        assert int(short) == np.multiply(*wide.astype(np.int16)[:, None])[0]


def test_beyond_2_to_53_true_division_rounds_once():
    a, b = 2**63 - 1, 3**34 + 2
    assert a / b == float(Fraction(a, b))
    assert any(
        n / d != float(n) / float(d) for n, d in itertools.pairwise(range(2**60 + 1, 2**60 + 999))
    )


def test_times_are_subtracted_as_integers(rules):
    pairs = [(1_700_000_000_123_456_789 + 7**n, 1_700_000_000_123_456_789) for n in range(1, 21)]
    found = rules("times", *itertools.chain(*pairs))
    for (a, b), words in zip(pairs, found, strict=True):
        assert bits(numbers(words)) == bits([(a - b) * 1e-9, (a - b) / 1e9])


ARGUMENTS = [
    *(x for x in FLOATS if x), 1e5, -1e10, 710.0, math.pi, math.pi / 2, 0.005, 0.015, 1.005, 2.675,
    *np.random.default_rng(0).normal(0.0, 10.0, 500).tolist(),
]  # fmt: skip


def functions(x):
    """The functions of math that the program computes of `x`, in its order."""
    y, z = abs(x), math.tanh(x)
    return (
        math.sin(x), math.cos(x), math.tan(x), math.asin(z), math.acos(z), math.atan(x),
        math.exp(x / 4), math.log(y), math.log2(y), math.log10(y), math.pow(y, 0.3),
        math.sinh(x / 4), math.cosh(x / 4), z, math.sqrt(y),
    )  # fmt: skip


def test_functions_of_math_are_those_of_cmath_to_the_last_bit(rules):
    arguments = [x for x in ARGUMENTS if abs(x) < 2800]
    for x, words in zip(arguments, rules("single", *arguments), strict=True):
        assert bits(numbers(words)[:15]) == bits(functions(x)), x


def test_functions_of_numpy_are_those_of_math_but_for_some_last_bits():
    x = np.array(ARGUMENTS)
    for name in ("sin", "cos", "tan", "arctan", "tanh", "exp", "log", "log2", "log10", "sqrt"):
        values = np.clip(np.abs(x), None, 700.0) if name[:3] in ("exp", "log", "sqr") else x
        of_math = getattr(math, name.replace("arc", "a"))
        expected = np.array([of_math(value) for value in values.tolist()])
        ulps = np.abs(getattr(np, name)(values) - expected) / np.spacing(np.abs(expected))
        assert ulps.max() <= (0 if name == "sqrt" else 4), name


def test_floor_ceil_and_conversions_cut_alike(rules):
    for x, words in zip(ARGUMENTS, rules("single", *ARGUMENTS), strict=True):
        down, up, cut = numbers(words)[15:18]
        assert (down, up, cut) == (math.floor(x), math.ceil(x), int(x))
        assert bits([down, up, cut]) == bits([np.floor(x), np.ceil(x), np.trunc(x)])
    assert isinstance(math.floor(0.5), int)
    assert isinstance(np.floor(0.5), float)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_only_numpy_converts_what_is_no_number(value):
    with pytest.raises((ValueError, OverflowError)):
        int(value)
    with np.errstate(invalid="ignore"):
        assert np.array([value]).astype(np.int64).dtype == np.int64
    assert int(1e300) > 2**64


def test_digits_are_rounded_from_the_exact_value_in_python_and_scaled_in_numpy(rules):
    found = [numbers(words)[18:20] for words in rules("single", *ARGUMENTS)]
    exact, scaled = zip(*found, strict=True)
    assert bits(exact) == bits(round(x, 2) for x in ARGUMENTS)
    assert bits(scaled) == bits(np.round(ARGUMENTS, 2))
    assert exact != scaled


def test_single_precision_stays_so_with_numbers_of_python(rules):
    found = [numbers(words)[20] for words in rules("single", *ARGUMENTS)]
    values = np.array(ARGUMENTS, np.float32) * 0.1 + 1.0
    assert values.dtype == np.float32
    assert bits(found) == bits(values)


def test_hypot_of_math_is_nearer_to_that_of_cmath_than_the_root_of_a_sum(rules):
    pairs = np.random.default_rng(0).normal(size=(3000, 2)).tolist()
    found = np.array([numbers(words)[13:15] for words in rules("pairs", *itertools.chain(*pairs))])
    expected = np.array([math.hypot(*pair) for pair in pairs])
    assert list(expected) == [math.dist(pair, (0.0, 0.0)) for pair in pairs]
    ulps = np.abs(found - expected[:, None]) / np.spacing(expected)[:, None]
    assert ulps[:, 0].max() <= 1
    assert (ulps[:, 0] > 0).sum() * 2 < (ulps[:, 1] > 0).sum()


def hostile(size):
    """Values of very different sizes."""
    generator = np.random.default_rng(size)
    return generator.normal(size=size) * 10.0 ** generator.integers(-8, 8, size)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 15, 16, 127, 128, 129, 1000, CHUNK, 3 * CHUNK + 5])
def test_sums_hold_to_the_last_bit(rules, size):
    values = hostile(size)
    words, _ = rules("many", *values.tolist())
    plain, compensated, pairwise, in_chunks, variance, deviation, *_ = numbers(words)
    assert sum(values.tolist()) == (compensated if sys.version_info >= (3, 12) else plain)
    assert math.fsum(values) == float(sum(map(Fraction, values.tolist())))
    assert np.sum(values) in (pairwise, in_chunks)
    if size <= CHUNK:
        assert np.mean(values) == pairwise / size
        assert (np.var(values), np.std(values)) == (variance, deviation)
    else:
        assert math.fsum(values) != plain != np.sum(values)


def test_numpy_sums_along_another_axis_than_the_last_from_left_to_right(rules):
    table = hostile(3000).reshape(1000, 3)
    sums = [numbers(rules("many", *column)[0])[0] for column in table.T.tolist()]
    assert table.sum(axis=0).tolist() == sums


def test_sorting_is_stable_and_the_first_of_equal_values_counts(rules):
    values = [float(np.trunc(x)) for x in np.random.default_rng(0).normal(0.0, 3.0, 300)]
    words, places = rules("many", *values)
    assert [int(place) for place in places] == sorted(range(300), key=values.__getitem__)
    assert numbers(words)[6:] == [np.argmin(values), np.argmax(values)]
    assert math.isnan(np.sort([1.0, math.nan, 0.0])[-1])


def test_matrix_products_differ_from_a_loop_by_no_more_than_rounding(rules):
    a, b = np.random.default_rng(0).normal(size=(2, 1000))
    products = a * b
    loop = numbers(rules("many", *products.tolist())[0])[0]
    bound = len(a) * np.finfo(float).eps * np.abs(products).sum()
    for product in (a @ b, np.dot(a, b), np.einsum("i,i", a, b)):
        assert abs(product - loop) <= bound


def test_what_math_refuses_is_nan_in_numpy():
    for name, value in (("sqrt", -1.0), ("log", -1.0), ("acos", 2.0)):
        with pytest.raises(ValueError, match="domain"):
            getattr(math, name)(value)
    with pytest.raises(OverflowError):
        math.exp(1000.0)
    with np.errstate(invalid="ignore", over="ignore"):
        assert math.isnan(np.sqrt(-1.0))
        assert np.exp(1000.0) == math.inf
