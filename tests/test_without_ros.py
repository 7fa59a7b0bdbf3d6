"""The library alone, installed with pip into an environment that knows nothing of ROS."""

from __future__ import annotations

import os
import subprocess
import venv
from pathlib import Path

import pytest
from stranger import ROOT

HUSKY = ROOT / "bags/husky_acceleration"

# Little of all that is installed is ever imported, and so compiled.
QUICKLY = ("--quiet", "--no-input", "--no-compile", "--disable-pip-version-check")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new virtual environment with lockstep in it."""
    folder = tmp_path_factory.mktemp("plain") / "venv"
    venv.create(folder, with_pip=True)
    source = tmp_path_factory.mktemp("source") / "lockstep"
    subprocess.run(["cp", "-rL", ROOT / "src/lockstep", source], check=True)
    installed = subprocess.run(
        [folder / "bin/python", "-m", "pip", "install", *QUICKLY, source],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if "No matching distribution" in installed.stderr or "connection" in installed.stderr.lower():
        pytest.skip("pip finds no packages here")
    assert installed.returncode == 0, installed.stderr
    return folder / "bin"


def environment() -> dict[str, str]:
    """Nothing of the workspace or of ROS."""
    kept = ("HOME", "LANG", "PIP_", "HTTP", "HTTPS", "SSL", "http", "https", "TMPDIR")
    return {name: value for name, value in os.environ.items() if name.startswith(kept)} | {
        "PATH": "/usr/bin:/bin"
    }


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_bags_are_compared_plotted_and_reported_without_ros(plain: Path, tmp_path: Path):
    assert run(plain / "python", "-c", "import rclpy", cwd=tmp_path).returncode == 1
    assert not {"host", "player", "recorder", "comparator"} & set(os.listdir(plain))
    done = run(plain / "lockstep", "compare", HUSKY, HUSKY, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "identical bytes in 3000 messages" in done.stdout
    text = run(plain / "lockstep", "text", HUSKY, "-o", "a.txt", cwd=tmp_path)
    assert (text.returncode, text.stderr) == (0, "")
    lines = (tmp_path / "a.txt").read_text("utf-8").replace("vector.x: 0.", "vector.x: 1.")
    (tmp_path / "b.txt").write_text(lines, "utf-8")
    words = ["--html", "r.html", "--plots", "plots", "--bag", "errors", "--junit", "j.xml"]
    done = run(plain / "lockstep", "compare", "a.txt", "b.txt", *words, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    there = {path.name for path in tmp_path.iterdir()}
    assert there == {"a.txt", "b.txt", "r.html", "plots", "errors", "j.xml"}
    assert [file.suffix for file in (tmp_path / "plots").iterdir()] == [".png"]


def test_what_needs_ros_says_so_in_a_sentence(plain: Path, tmp_path: Path):
    (tmp_path / "verify.yaml").write_text(
        f"""\
implementations:
  python: {{component: "lockstep_examples:VectorNormalizer"}}
  cpp: {{executable: lockstep_examples_cpp/vector_normalizer}}
reference: python
inputs: {{bag: {HUSKY}, topics: {{vector: /imu/acceleration}}}}
""",
        "utf-8",
    )
    done = run(plain / "lockstep", "verify", "verify.yaml", "-o", "out", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    assert not (tmp_path / "out").exists()
