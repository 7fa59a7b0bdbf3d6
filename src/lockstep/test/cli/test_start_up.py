"""What a command does not need, it does not import: a regression is told by the
name of the module.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from lockstep.cli.commands import LISTED, loaded

PLOTS = ("matplotlib", "plotly", "PIL", "jinja2")
MODELS = ("pydantic", "scipy")
BAGS = ("numpy", "yaml", "zstandard", "lz4", "mcap", "sqlite3")
ROS = ("rclpy", "rosidl_runtime_py", "rosbags")
PROGRESS = ("rich.progress", "rich.live", "rich.markdown", "asyncio", "importlib.metadata")
OURS = ("dataset", "distributions", "report", "search", "testing", "port", "verify")
HEAVY = (*PLOTS, *MODELS, *ROS, *PROGRESS, *(f"lockstep.{folder}" for folder in OURS))

# words of the command → what it must not import
SPARED = {
    "--version": (*HEAVY, *BAGS, "rich", "lockstep.bag", "lockstep.compare", "lockstep.run"),
    "--help": (*PLOTS, *MODELS, *ROS, *BAGS, "lockstep.bag", "lockstep.compare", "lockstep.run"),
    "info BAG": (*HEAVY, "lockstep.compare", "lockstep.run", "lockstep.bag.writer"),
    "text BAG": (*HEAVY, "lockstep.compare", "lockstep.run", "lockstep.bag.writer"),
    "compare BAG BAG": HEAVY,
    "snap --help": (*PLOTS, *MODELS, "rosbags", "sqlite3", "lockstep.run", "lockstep.compare"),
}

# module that is a process of its own → what it must not import
SPARED_BY_PROCESSES = {
    "lockstep.host.direct_run": (*HEAVY, *BAGS[1:], "typer", "rich", "lockstep.bag"),
}

SHOW = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, sep="\\n", file=sys.stderr))
"""
COMMAND = f"{SHOW}\nfrom lockstep.cli.main import main\nmain()"


def imported(code: str, *words: str) -> set[str]:
    """The modules of a fresh interpreter after `code`, whose words those are."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("words", SPARED)
def test_a_command_imports_only_what_it_needs(words: str, bags: Path) -> None:
    bag = str(bags / "husky_acceleration")
    modules = imported(COMMAND, *words.replace("BAG", bag).split())
    assert sorted(modules.intersection(SPARED[words])) == []


@pytest.mark.parametrize("module", SPARED_BY_PROCESSES)
def test_a_process_of_a_run_imports_only_what_it_needs(module: str) -> None:
    modules = imported(f"{SHOW}\nimport {module}")
    assert sorted(modules.intersection(SPARED_BY_PROCESSES[module])) == []


def test_every_module_of_ours_that_is_spared_is_there() -> None:
    """One that is renamed would not be spared any more."""
    named = {name for names in (*SPARED.values(), *SPARED_BY_PROCESSES.values()) for name in names}
    assert [name for name in named if name.startswith("lockstep.") and not find_spec(name)] == []


@pytest.mark.parametrize("name", LISTED)
def test_the_list_of_commands_says_what_a_command_says_of_itself(name: str) -> None:
    first, *_ = inspect.cleandoc(loaded(name).help or "").split("\n\n")
    assert " ".join(first.split()) == LISTED[name]


def test_every_module_of_a_command_is_listed() -> None:
    folder = Path(inspect.getfile(loaded)).parent
    modules = {file.stem for file in folder.glob("*.py") if "\ndef command(" in file.read_text()}
    assert modules == set(LISTED)


@pytest.mark.parametrize("package", ["bag", "dataset", "distributions", "report"])
def test_a_package_offers_what_it_imports_on_demand(package: str) -> None:
    module = importlib.import_module(f"lockstep.{package}")
    for name in module.__all__:
        assert getattr(module, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_plugins_of_pydantic_that_are_installed_are_not_looked_for(tmp_path: Path) -> None:
    """That takes as long as to import it, and they are for models of others."""
    installed = tmp_path / "noisy-1.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Name: noisy\nVersion: 1\n")
    (installed / "entry_points.txt").write_text("[pydantic]\nnoisy = noisy:plugin\n")
    (tmp_path / "noisy.py").write_text("raise SystemExit('loaded')\n")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
    ours = "from lockstep.cli.commands import loaded; loaded('verify')"
    theirs = "import pydantic; pydantic.create_model('Model')"
    for words, told in ((ours, ""), (theirs, "loaded\n")):
        command = [sys.executable, "-c", f"{code}{words}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stderr == told
