"""What the prompt says of numbers is so on both sides."""

import itertools
import shutil
import subprocess

import pytest

FLOOR_DIVISION = """\
#include <cmath>
#include <cstdio>
int main() {
  double a, b;
  while (std::scanf("%la %la", &a, &b) == 2) {
    double m = std::fmod(a, b), q = (a - m) / b;
    if (m != 0 && (m < 0) != (b < 0)) q -= 1;
    double f = std::floor(q);
    if (q - f > 0.5) f += 1;
    std::printf("%a\\n", f);
  }
}
"""
VALUES = (1.0, -1.0, 0.05, -0.05, 0.1, 0.3, -7.5, 2.0, 1e-300, 1e16, 3.3, -0.7)


@pytest.mark.skipif(not shutil.which("g++"), reason="there is no g++ here")
def test_floor_division_of_floats_in_cpp_is_that_of_python(tmp_path):
    (tmp_path / "rule.cpp").write_text(FLOOR_DIVISION)
    program = tmp_path / "rule"
    subprocess.run(["g++", "-ffp-contract=off", "-o", program, tmp_path / "rule.cpp"], check=True)
    pairs = list(itertools.product(VALUES, VALUES))
    lines = "\n".join(f"{a.hex()} {b.hex()}" for a, b in pairs)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    assert [float.fromhex(line) for line in done.stdout.split()] == [a // b for a, b in pairs]
    assert 1.0 // 0.05 == 19.0
