"""How good inputs are: what they reach of a component whose lines are known,
and which planted faults they expose.
"""

import inspect
import json
import os
import shutil
import subprocess

import numpy as np
import planted
import pytest
from lockstep.search.adequacy import FieldBins, adequacy, cpp_coverage, field_bins, lines
from lockstep.verify.model import Verification

NAN, INF = float("nan"), float("inf")


def measured(component, vector):
    header = {"header.stamp": {"timestamps": 50}, "header.frame_id": {"constant": "imu"}}
    return adequacy(
        Verification.model_validate(
            {
                "implementations": {"python": {"component": f"planted:{component}"}},
                "reference": "python",
                "inputs": {"sample": {"n": 100, "dist": {"vector": {**header, "vector": vector}}}},
                "run": {"mode": "direct"},
                "compare": {"tolerance": {"*": {"abs": 1e-9}}},
            }
        )
    )


def line_of(method, text):
    source, first = inspect.getsourcelines(method)
    return first + next(at for at, line in enumerate(source) if text in line)


def test_lines_and_faults_that_inputs_do_not_reach_are_listed():
    found = measured("RaisesWhenNegative", {"uniform": [1, 2]})
    line = line_of(planted.RaisesWhenNegative.answer, "raise ValueError")
    python = found.coverage["python"]
    assert python.missing == (f"planted.py:{line}",)
    assert python.of_lines - python.lines == 1
    assert python.of_branches - python.branches == 2  # never negative, never short
    assert found.mutation.killed < found.mutation.planted
    assert any("planted:" in one and "<" in one for one in found.mutation.survivors)
    assert found.notes == ()
    text = "\n".join(lines(found))
    assert f"not run: planted.py:{line}\n" in text
    assert "planted faults" in text
    data = json.loads(json.dumps(found.as_data(), allow_nan=False))
    assert data["messages"] == 100
    assert 0.0 < data["mutation"]["score"] < 1.0
    assert data["coverage"]["python"]["missing"] == [f"planted.py:{line}"]


def test_inputs_on_which_the_component_raises_expose_no_faults_but_have_coverage():
    found = measured("RaisesWhenNegative", {"constant": -1})
    assert found.mutation is None
    assert "x is negative" in found.notes[0]
    line = line_of(planted.RaisesWhenNegative.answer, "return super")
    assert f"planted.py:{line}" in found.coverage["python"].missing


@pytest.mark.parametrize(
    ("drawn", "values", "expected"),
    [
        ([0, 1, 1], [1], FieldBins("x", 1, 2, ("0",))),
        ([0, NAN, INF, -INF], [0, INF], FieldBins("x", 2, 4, ("NaN", "-inf"))),
        (range(101), [5, 5, 99], FieldBins("x", 2, 10, ())),
        ([], [1], FieldBins("x", 0, 0, ())),
    ],
)
def test_bins_are_those_of_what_is_drawn(drawn, values, expected):
    found = field_bins("x", np.array(list(drawn), np.float64), np.array(values, np.float64))
    assert (found.filled, found.of) == (expected.filled, expected.of)
    if len(drawn) < 100:
        assert found == expected
    else:
        assert found.gaps[0] == "10 to 20"


@pytest.mark.skipif(not shutil.which("gcov"), reason="needs gcov")
def test_lines_of_cpp_are_counted_by_gcov(tmp_path):
    source = tmp_path / "sign.cpp"
    source.write_text(
        "int sign(int x)\n{\n  if (x < 0) {\n    return -1;\n  }\n  return x > 0;\n}\n"
        "int main(int n, char **) { return sign(n) - 1; }\n"
    )
    subprocess.run(["g++", "--coverage", "sign.cpp", "-o", "sign"], cwd=tmp_path, check=True)
    (notes,) = tmp_path.glob("*.gcno")
    compiled = notes.rename(tmp_path / "sign.cpp.gcno")
    written = tmp_path / "written"
    environment = {**os.environ, "GCOV_PREFIX": str(written)}
    subprocess.run([tmp_path / "sign"], env=environment, check=True)
    (counts,) = written.rglob("*.gcda")
    counts = counts.rename(counts.with_name("sign.cpp.gcda"))
    found = cpp_coverage([counts], written)
    assert compiled.is_file()
    assert (found.lines, found.of_lines, found.missing) == (4, 5, ("sign.cpp:4",))
    assert (found.branches, found.of_branches) == (1, 2)
