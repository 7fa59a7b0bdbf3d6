"""suite.yaml: mistakes are named with their lines."""

import re
from pathlib import Path

import pytest
from lockstep.errors import UsageError
from lockstep.suite.model import load_suite

GOOD = """\
verify: ["verify/*.yaml"]
matrix:
  bags: ["bags/*.mcap"]
  parameters: {plain: {}, wide: {epsilon: 0.1}}
  implementations: ["cpp*"]
  seeds: [1, 2]
  modes: [direct, live]
exclude: ["*/live"]
limits: {time: 600, memory: 2 GB}
rules:
  - {cases: "imu*", priority: 10, memory: 500 MB}
expected:
  - {cases: "imu/rust/*", reason: no atan2 yet, until: 2027-01-31}
most: 20000
"""


def write(tmp_path, text):
    path = tmp_path / "suite.yaml"
    path.write_text(text)
    return path


def test_a_good_suite_is_read(tmp_path):
    suite = load_suite(write(tmp_path, GOOD))
    assert suite.limits.memory == 2_000_000_000
    assert suite.rules[0].memory == 500_000_000
    assert suite.expected[0].until.isoformat() == "2027-01-31"
    assert (suite.folder, suite.most) == (tmp_path, 20_000)


def test_the_suite_of_the_documentation_is_one(tmp_path):
    page = Path(__file__).resolve().parents[4] / "docs/suites.md"
    if not page.is_file():
        pytest.skip("the documentation is in the source tree only")
    block = re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)[0]
    assert load_suite(write(tmp_path, block)).rules[0].priority == 10


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("exclude:", "exlude:", "suite.yaml:8: unknown key 'exlude' in the file"),
        ('verify: ["verify/*.yaml"]\n', "", "suite.yaml:1: key 'verify' is missing"),
        ("time: 600", "time: -1", "suite.yaml:9: limits.time"),
        ("memory: 2 GB", "memory: 2 apples", "suite.yaml:9: limits.memory: give an amount"),
        ("memory: 500 MB", "memory: 5 MB", "suite.yaml:11: rules.0.memory"),
        ("seeds: [1, 2]", "seeds: [1, -2]", "suite.yaml:6: matrix.seeds.1"),
        ("[direct, live]", "[direct, dead]", "suite.yaml:7: matrix.modes.1"),
        (", until: 2027-01-31", "", "suite.yaml:13: key 'until' is missing in expected.0"),
        ("reason: no atan2 yet, ", "", "suite.yaml:13: key 'reason' is missing in expected.0"),
        ("2027-01-31", "2027-02-31", "suite.yaml"),
        ("most: 20000", "most: 0", "suite.yaml:14: most"),
        ("most: 20000", "most: 1\nmost: 2", "suite.yaml:15: key 'most' is given twice"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_line(tmp_path, old, new, sentence):
    assert old in GOOD
    with pytest.raises(UsageError) as error:
        load_suite(write(tmp_path, GOOD.replace(old, new)))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)
