"""env.sh puts bash and zsh users into the workspace of either world."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CLEAN = {"HOME": os.environ.get("HOME", "/"), "PATH": os.defpath}

needs_wheels = pytest.mark.skipif(
    not (ROOT / ".venv/lockstep-setup").exists(), reason="the wheels world is not set up here"
)
in_each_shell = pytest.mark.parametrize(
    "shell",
    [
        pytest.param(
            [name, option],
            id=name,
            marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"),
        )
        for name, option in (("bash", "--norc"), ("zsh", "--no-rcs"))
    ],
)


def run(shell: list[str], script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a shell that knows nothing of this one."""
    return subprocess.run(
        [*shell, "-c", script],
        check=False,
        capture_output=True,
        text=True,
        cwd="/",
        env={**CLEAN, **environment},
    )


@needs_wheels
@in_each_shell
def test_the_workspace_and_ros_are_there_from_any_folder(shell: list[str]) -> None:
    script = (
        f". {ROOT}/env.sh && python3 -c 'import rclpy, lockstep_interfaces.msg' && ros=$ROS_DISTRO"
    )
    result = run(shell, f"{script} && echo $ros $(command -v lockstep)")
    assert result.stderr == ""
    assert result.stdout.split() == ["jazzy", f"{ROOT}/install/lockstep/bin/lockstep"]


@needs_wheels
@in_each_shell
def test_sourcing_again_changes_nothing(shell: list[str]) -> None:
    source = f". {ROOT}/env.sh; env | grep -v ^_= | sort;"
    once = run(shell, source).stdout
    assert "LD_LIBRARY_PATH" in once
    assert run(shell, f". {ROOT}/env.sh; {source}").stdout == once


@in_each_shell
def test_a_tree_without_set_up_says_what_to_run(shell: list[str], tmp_path: Path) -> None:
    shutil.copy(ROOT / "env.sh", tmp_path)
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/world.sh", tmp_path / "tools")
    result = run(shell, f". {tmp_path}/env.sh || echo failed")
    assert result.stderr == f"env.sh: nothing is set up yet, run: make -C {tmp_path} build\n"
    assert result.stdout == "failed\n"


@in_each_shell
def test_a_sourced_distro_is_kept(shell: list[str], tmp_path: Path) -> None:
    (tmp_path / "share/rclcpp").mkdir(parents=True)
    script = f". {ROOT}/env.sh; echo $AMENT_PREFIX_PATH; echo ${{VIRTUAL_ENV-}}$LD_LIBRARY_PATH"
    result = run(shell, script, ROS_DISTRO="jazzy", AMENT_PREFIX_PATH=str(tmp_path))
    prefixes, rest = result.stdout.splitlines()
    assert prefixes.endswith(f":{tmp_path}")
    assert ".venv" not in rest
