"""What pip and colcon make of setup.py."""

import os
import subprocess
import sys
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

import lockstep

SOURCE = Path(__file__).resolve().parents[1]
NODES = ("comparator", "host", "player", "recorder", "simulation")


def run_setup(*words):
    command = (sys.executable, "-W", "ignore", "setup.py", "--quiet", *map(str, words))
    subprocess.run(command, cwd=SOURCE, check=True, capture_output=True)


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    folder = tmp_path_factory.mktemp("described")
    run_setup("egg_info", "--egg-base", folder)
    (metadata,) = folder.iterdir()
    return metadata


def test_the_distribution_has_a_name_that_nobody_else_has(described):
    found = Parser().parsestr((described / "PKG-INFO").read_text("utf-8"))
    assert (found["Name"], found["Version"]) == ("lockstep-ros", lockstep.__version__)
    assert (described / "top_level.txt").read_text("utf-8").split() == ["lockstep"]


def test_pip_puts_one_command_on_path(described):
    points = ConfigParser()
    points.read(described / "entry_points.txt", "utf-8")
    assert dict(points["console_scripts"]) == {"lockstep": "lockstep.cli.main:main"}


def test_ros2_run_finds_the_nodes(tmp_path):
    run_setup("install_data", "--install-dir", tmp_path)
    assert {path.name for path in (tmp_path / "bin").iterdir()} == {"lockstep"}
    programs = sorted((tmp_path / "lib" / "lockstep").iterdir())
    assert tuple(path.name for path in programs) == NODES
    for path in programs:
        assert os.access(path, os.X_OK)
        assert f"from lockstep.nodes.{path.name} import main\n" in path.read_text("utf-8")
        assert (SOURCE / "lockstep" / "nodes" / f"{path.name}.py").is_file()
