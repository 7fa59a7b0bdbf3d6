"""What set-up says when something is missing or in the way: one sentence and exit code 2."""

import importlib.util
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SH = shutil.which("sh") or "sh"
IN_A_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount", SH, "-c")

needs_namespaces = pytest.mark.skipif(
    subprocess.run([*IN_A_NAMESPACE, "true"], check=False, capture_output=True).returncode != 0,
    reason="needs user namespaces, to mount a folder",
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A tree with all that set-up reads, and no environment."""
    return copy_tools(tmp_path / "clone")


def copy_tools(folder: Path) -> Path:
    shutil.copytree(ROOT / "tools", folder / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def folder_of_programs(folder: Path, **programs: str | Path | None) -> Path:
    """A PATH with these programs and the few that any shell script needs."""
    folder.mkdir()
    needed = {name: shutil.which(name) for name in ("sh", "dirname", "sed")}
    for name, program in {**needed, **programs}.items():
        assert program is not None, name
        (folder / name).symlink_to(program)
    return folder


def set_up(*command: str | Path, **environment: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that sets up the wheels world, whatever world this test runs in."""
    outside = {name: value for name, value in os.environ.items() if name != "AMENT_PREFIX_PATH"}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env={**outside, **environment}
    )


def sentence(result: subprocess.CompletedProcess[str]) -> str:
    """The one line that a failed set-up says."""
    assert result.returncode == 2, result.stdout + result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("setup: ")
    return line


def test_a_path_with_a_space_is_refused(tmp_path: Path) -> None:
    folder = copy_tools(tmp_path / "my robots")
    assert "a space, which ament cannot build in" in sentence(set_up(folder / "tools/setup"))
    assert not (folder / ".venv").exists()


def test_a_missing_compiler_is_named(clone: Path, tmp_path: Path) -> None:
    path = folder_of_programs(tmp_path / "bin", make=shutil.which("make"), python3=sys.executable)
    assert "g++ is missing" in sentence(set_up(clone / "tools/setup", PATH=path))


def test_a_missing_python_is_named(clone: Path, tmp_path: Path) -> None:
    path = folder_of_programs(tmp_path / "bin")
    assert "there is no Python 3" in sentence(set_up(clone / "tools/setup", PATH=path))


def test_a_python_too_old_is_named_with_its_version(clone: Path, tmp_path: Path) -> None:
    for minor in (9, 8, 7, 6):
        old = shutil.which(f"python3.{minor}")
        if old and subprocess.run([old, "-V"], check=False, capture_output=True).returncode == 0:
            break
    else:
        pytest.skip("needs a Python 3.6 to 3.9")
    path = folder_of_programs(tmp_path / "bin", python3=old)
    said = sentence(set_up(clone / "tools/setup", PATH=path))
    assert f"python3 is 3.{minor}, and Lockstep needs Python 3.10 to 3.13" in said


def test_an_index_out_of_reach_is_named(clone: Path, tmp_path: Path) -> None:
    """Of the pip that is here: to make an environment with another one takes far longer."""
    pip = importlib.util.find_spec("pip")
    if pip is None or pip.origin is None:
        pytest.skip("there is no pip here")
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python3*/site-packages")
    (packages / "pip").symlink_to(Path(pip.origin).parent)
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull}
    install = f"""
from pathlib import Path
import set_up
try:
    set_up.install(Path({str(environment)!r}), set_up.TOOLS / "wheels.lock", 0)
except set_up.Obstacle as obstacle:
    print(obstacle)
"""
    python = (sys.executable, "-c", install)
    alone = {"PIP_FIND_LINKS": "", "PIP_RETRIES": "1", "PYTHONPATH": clone / "tools"}
    result = set_up(*python, **nowhere, **alone)
    assert (result.returncode, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    assert "no connection, " in line
    assert "Connection refused" in line


@needs_namespaces
def test_a_full_disk_is_named(clone: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = f"mount -t tmpfs -o size=9m none {disk} && cp -r {clone}/tools {disk}"
    result = set_up(*IN_A_NAMESPACE, f"{mount} && {disk}/tools/setup")
    assert "has 0.0 GB of disk left" in sentence(result)


@needs_namespaces
def test_a_read_only_tree_is_named(clone: Path) -> None:
    mount = f"mount --bind {clone} {clone} && mount -o remount,ro,bind {clone}"
    result = set_up(*IN_A_NAMESPACE, f"{mount} && {clone}/tools/setup")
    assert f"{clone} is not writable" in sentence(result)


def test_a_finished_set_up_is_left_alone() -> None:
    if not (ROOT / ".venv/lockstep-setup").exists():
        pytest.skip("the wheels world is not set up here")
    result = set_up(ROOT / "tools/setup")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
