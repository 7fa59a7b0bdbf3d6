"""One suite of unit tests for Python and C++: the page about it, and the
examples on the real graph.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "src" / "lockstep_examples"


def run_pytest(cwd: Path, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("mode", [(), ("--live",)], ids=["direct", "live"])
def test_the_example_of_the_page_passes_for_python_and_cpp(tmp_path, mode):
    page = (ROOT / "docs" / "testing.md").read_text("utf-8")
    (tmp_path / "test").mkdir()
    (tmp_path / "verify").symlink_to(EXAMPLES / "verify")
    first = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0]
    (tmp_path / "test" / "test_page.py").write_text(first)
    assert "4 passed" in run_pytest(tmp_path, *mode)


def test_the_controller_is_tested_alike_on_the_real_graph():
    out = run_pytest(EXAMPLES, "--live", "-v", "test/test_pd_controller.py")
    assert "within_its_limits[python] PASSED" in out
    assert "within_its_limits[cpp] PASSED" in out


def test_another_implementation_is_tried_with_a_suite_that_exists():
    f32 = ("--verify", "verify/imu_complementary_filter_f32.yaml", "--implementations", "cpp_f32")
    assert "4 passed" in run_pytest(EXAMPLES, *f32, "test/test_imu_complementary_filter.py")
