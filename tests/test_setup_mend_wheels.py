"""The fix-ups of the wheels are safe to repeat, and refuse wheels that they do not know."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"

pytestmark = pytest.mark.skipif(
    not (VENV / "lockstep-setup").exists(), reason="the wheels world is not set up here"
)


def mend(venv: Path) -> subprocess.CompletedProcess[str]:
    command = [venv / "bin/python3", ROOT / "tools/mend_wheels.py"]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def test_mending_again_touches_no_file() -> None:
    files = [*VENV.glob("share/**/*.cmake"), *VENV.glob("lib/librcl*.so")]
    before = [file.stat().st_mtime_ns for file in files]
    assert mend(VENV).returncode == 0
    assert [file.stat().st_mtime_ns for file in files] == before


@pytest.fixture
def changed_wheels(tmp_path: Path) -> Path:
    """An environment whose files come from elsewhere."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path], check=True)
    shutil.copytree(VENV / "share", tmp_path / "share")
    return tmp_path


def test_a_changed_wheel_is_named(changed_wheels: Path) -> None:
    result = mend(changed_wheels)
    assert result.returncode == 2
    (line,) = result.stderr.splitlines()
    assert f"{changed_wheels}/share/action_msgs/cmake/export_action_msgs" in line
    assert "remove .venv and run `make setup`" in line
