"""What the prompt says of numbers is so on both sides, for hostile values."""

import itertools
import math
import shutil
import subprocess

import pytest

RULES = """\
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

double floor_division(double a, double b) {
  double m = std::fmod(a, b), q = (a - m) / b;
  if (m != 0 && (m < 0) != (b < 0)) q -= 1;
  if (q == 0) return std::copysign(0.0, a / b);
  double f = std::floor(q);
  if (q - f > 0.5) f += 1;
  return f;
}

double modulo(double a, double b) {
  double m = std::fmod(a, b);
  if (m == 0) return std::copysign(0.0, b);
  return (m < 0) != (b < 0) ? m + b : m;
}

long long floor_division(long long a, long long b) {
  long long q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

long long modulo(long long a, long long b) {
  long long m = a % b;
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

int main(int, char** arguments) {
  if (!std::strcmp(arguments[1], "integers")) {
    long long a, b;
    while (std::scanf("%lld %lld", &a, &b) == 2) {
      std::printf("%lld %lld %a\\n", floor_division(a, b), modulo(a, b),
                  static_cast<double>(a) / static_cast<double>(b));
    }
    return 0;
  }
  double a, b;
  while (std::scanf("%la %la", &a, &b) == 2) {
    std::printf("%a %a %a %a %a %a %d %a %a %a %a %a\\n", floor_division(a, b), modulo(a, b), a / b,
                std::min(a, b), std::max(a, b), std::nearbyint(a), !(a < b), std::fmod(a, b),
                std::remainder(a, b), std::atan2(a, b), std::pow(std::fabs(a) + 0.1, b),
                std::trunc(a));
  }
}
"""
FLOATS = (
    0.0, -0.0, 1.0, -1.0, 0.05, -0.05, 0.1, 0.3, 0.5, 1.5, 2.5, -2.5, -7.5, 2.0, 1e-300, 5e-324,
    1e16, 3.3, -0.7,
)  # fmt: skip
INTEGERS = (1, -1, 2, -2, 3, -3, 7, -7, 10, 2**31, -(2**31), 2**53 - 1, -(2**53) + 1)


def ran(tmp_path, kind, lines):
    """What the program says of lines of operands, as words of each line."""
    if not shutil.which("g++"):
        pytest.skip("there is no g++ here")
    source, program = tmp_path / "rules.cpp", tmp_path / "rules"
    source.write_text(RULES)
    command = ["g++", "-O2", "-ffp-contract=off", "-o", str(program), str(source)]
    subprocess.run(command, check=True)
    done = subprocess.run(
        [program, kind], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    return [line.split() for line in done.stdout.splitlines()]


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
        (abs(a) + 0.1) ** b,
        math.copysign(float(int(a)), a),
    )


def power_is_finite(a, b):
    return abs(b * math.log(abs(a) + 0.1)) < 700  # beyond, Python raises OverflowError


def test_rules_of_floats_hold_to_the_last_bit_and_sign(tmp_path):
    pairs = [
        pair for pair in itertools.product(FLOATS, FLOATS) if pair[1] and power_is_finite(*pair)
    ]
    found = ran(tmp_path, "floats", [f"{a.hex()} {b.hex()}" for a, b in pairs])
    for (a, b), words in zip(pairs, found, strict=True):
        expected = [float(value).hex() for value in python_of(a, b)]
        assert [float.fromhex(word).hex() for word in words] == expected, (a, b)


def test_minimum_and_maximum_treat_nan_alike(tmp_path):
    pairs = [(math.nan, 1.0), (1.0, math.nan)]
    found = ran(tmp_path, "floats", [f"{a.hex()} {b.hex()}" for a, b in pairs])
    told = [[float.fromhex(word).hex() for word in words[3:5]] for words in found]
    assert told == [[min(a, b).hex(), max(a, b).hex()] for a, b in pairs]
    assert [bool(int(words[6])) for words in found] == [not a < b for a, b in pairs]


def test_rules_of_integers_hold(tmp_path):
    pairs = list(itertools.product((*INTEGERS, 0), INTEGERS))
    found = ran(tmp_path, "integers", [f"{a} {b}" for a, b in pairs])
    for (a, b), (quotient, rest, true_quotient) in zip(pairs, found, strict=True):
        assert (int(quotient), int(rest)) == (a // b, a % b)
        assert float.fromhex(true_quotient) == a / b
