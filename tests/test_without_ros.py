"""The library alone, installed with pip into an environment that knows nothing of ROS."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from stranger import ROOT

HUSKY = ROOT / "bags/husky_acceleration"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of a new virtual environment with lockstep in it and with what its
    package declares to need, which is linked from here rather than fetched and unpacked again.
    """
    folder = tmp_path_factory.mktemp("plain") / "venv"
    venv.create(folder, symlinks=True)
    source = tmp_path_factory.mktemp("source") / "lockstep"
    subprocess.run(["cp", "-rL", ROOT / "src/lockstep", source], check=True)
    wheels = source.parent / "wheels"
    pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", wheels, source)
    there = ("--python", folder / "bin/python")
    pip(*there, "install", "--no-index", "--no-deps", "--no-compile", *wheels.glob("*.whl"))
    (packages,) = folder.glob("lib/python3*/site-packages")
    (lockstep,) = distributions(path=[str(packages)])
    for path in files_needed(lockstep):
        if not (packages / path.name).exists():
            (packages / path.name).symlink_to(path)
    return folder / "bin"


def pip(*words: object) -> None:
    """pip of the environment of the tests."""
    options = ("--quiet", "--no-input", "--disable-pip-version-check")
    done = subprocess.run(
        [sys.executable, "-m", "pip", *options, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def files_needed(first: Distribution) -> set[Path]:
    """The modules and packages of all that a distribution requires, and what that requires."""
    files: set[Path] = set()
    waiting, done = [(first, "")], set()
    while waiting:
        asking, extra = waiting.pop()
        for requirement in map(Requirement, asking.requires or ()):
            if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
                continue
            found = distribution(requirement.name)
            assert requirement.specifier.contains(found.version, prereleases=True), requirement
            for wanted in {(found.name, extra) for extra in ("", *requirement.extras)} - done:
                done.add(wanted)
                waiting.append((found, wanted[1]))
            if found.files is None:
                pytest.skip(f"the packager of {found.name} does not tell its files")
            files |= {
                Path(str(found.locate_file(file.parts[0])))
                for file in found.files
                if file.parts[0] not in ("..", "__pycache__")
            }
    return files


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
    assert not {"host", "player", "recorder", "comparator", "simulation"} & set(os.listdir(plain))
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
