"""What a black box or an installed package consists of, and what of it nobody can know."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from lockstep.component import Contract
from lockstep.run.model import Implementation
from lockstep.verify import ledger
from lockstep.verify.fingerprints import NOT_TRACKED, fingerprint
from lockstep.verify.ledger import on_disk, stale
from lockstep.verify.model import Verification, load
from lockstep.verify.programs import program_files
from lockstep.verify.verdict import Verdict

WRAPPER = """#!/usr/bin/python3
# EASY-INSTALL-ENTRY-SCRIPT: 'talk==0.0.0','console_scripts','talker'
import sys
from importlib.metadata import distribution

def importlib_load_entry_point(spec, group, name):
    pass

sys.exit(importlib_load_entry_point('talk==0.0.0', 'console_scripts', 'talker')())
"""
PACKAGE = "<package><name>{}</name></package>"


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _verification(folder: Path, **implementations: dict[str, object]) -> tuple[Verification, Path]:
    file = folder / "verify.yaml"
    content = {
        "implementations": implementations,
        "reference": next(iter(implementations)),
        "contract": "some:Component",
        "inputs": {"bag": "bag", "topics": {"a": "/a"}},
        "run": {"rtf": 1.0},
    }
    file.write_text(yaml.safe_dump(content))
    return load(file), file


def test_an_installed_python_package_is_held_against_its_source_tree(tmp_path, monkeypatch):
    source, site = tmp_path / "src/filtering", tmp_path / "install/site"
    code = {"filtering/__init__.py": "a = 1\n", "filtering/gains.py": "b = 1\n"}
    _write(source, {"package.xml": PACKAGE.format("filtering"), **code})
    _write(site, code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(site))
    verification, _ = _verification(source, a={"component": "filtering:Filter"})
    assert fingerprint("a", verification).stale is None
    _write(source, {"filtering/gains.py": "b = 2\n", "filtering/more.py": "", "filtering/x.md": ""})
    why = fingerprint("a", verification).stale
    assert why == (
        "filtering:Filter is installed and its sources have changed since "
        "(filtering/gains.py, filtering/more.py); build it again"
    )
    shutil.rmtree(site / "filtering")  # built with links
    (site / "filtering").symlink_to(source / "filtering")
    assert fingerprint("a", verification).stale is None


def test_behind_an_entry_point_are_the_modules_of_its_distribution(tmp_path, monkeypatch):
    """As `colcon build --symlink-install` leaves them: a wrapper, and metadata in the build."""
    build, install = tmp_path / "build/talk", tmp_path / "install/talk"
    entry = "[console_scripts]\ntalker = talk.node:main\n"
    metadata = {"PKG-INFO": "Name: talk\nVersion: 0.0.0\n", "entry_points.txt": entry}
    _write(build / "talk.egg-info", {**metadata, "top_level.txt": "talk\n"})
    _write(tmp_path / "src/talk/talk", {"__init__.py": "", "node.py": "def main(): 1\n"})
    (build / "talk").symlink_to(tmp_path / "src/talk/talk")
    _write(install, {"lib/talk/talker": WRAPPER})
    (install / "lib/talk/talker").chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(install))
    monkeypatch.syspath_prepend(str(build))
    verification, _ = _verification(tmp_path, box={"command": ["ros2", "run", "talk", "talker"]})
    before = fingerprint("box", verification).parts
    assert before["binary"].keys() == {"talker", "talk/__init__.py", "talk/node.py"}
    (tmp_path / "src/talk/talk/node.py").write_text("def main(): 2\n")
    assert fingerprint("box", verification).parts["binary"] != before["binary"]


@pytest.mark.parametrize("more", [["--x"], []])
def test_a_script_is_tracked_with_what_it_imports(tmp_path, monkeypatch, more):
    _write(tmp_path, {"node.py": "import gains\n", "gains.py": "b = 1\n"})
    monkeypatch.chdir(tmp_path)
    files = program_files("box", Implementation(command=["python3", "node.py", *more]))
    assert files is not None
    assert files.keys() == {"node.py", "gains.py"}


@pytest.mark.parametrize(
    "command",
    [
        ["bash", "-c", "python3 node.py"],
        ["ros2", "launch", "talk", "talk.launch.py"],
        ["ros2", "run", "--prefix", "gdb", "talk", "talker"],
        ["python3", "-c", "import node"],
        ["env", "A=1", "python3", "node.py"],
    ],
)
def test_what_a_tool_starts_is_not_tracked(tmp_path, command):
    verification, _ = _verification(tmp_path, box={"command": command})
    found = fingerprint("box", verification).parts
    assert found[NOT_TRACKED] is True
    assert "binary" not in found


def test_libraries_of_the_workspace_are_part_of_a_cpp_program(tmp_path, monkeypatch):
    """One is of another package; those of the system are not meant."""
    if shutil.which("c++") is None:
        pytest.skip("needs a C++ compiler")
    program = tmp_path / "install/counter/lib/counter/count"
    library = tmp_path / "install/numbers/lib/libnumbers.so"
    code = {"one.cpp": "int one() { return 1; }", "main.cpp": "int one(); int main() { one(); }"}
    _write(tmp_path, {**code, "install/.colcon_install_layout": "isolated"})
    program.parent.mkdir(parents=True)
    library.parent.mkdir(parents=True)
    shared = ["-shared", "-fPIC", str(tmp_path / "one.cpp")]
    linked = [str(tmp_path / "main.cpp"), str(library), f"-Wl,-rpath,{library.parent}"]
    subprocess.run(["c++", "-o", str(library), *shared], check=True)
    subprocess.run(["c++", "-o", str(program), *linked], check=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install/counter"))
    found = program_files("box", Implementation(command=["ros2", "run", "counter", "count"]))
    assert found == {"count": program, "libnumbers.so": library}
    assert found == program_files("box", Implementation(command=[str(program)]))
    (tmp_path / "install/.colcon_install_layout").unlink()
    assert program_files("box", Implementation(command=[str(program)])) == {"count": program}


def test_what_a_launch_file_starts_is_unknown():
    assert program_files("system", Implementation(launch=["my_pkg", "my.launch.py"])) is None


def test_what_changes_while_it_runs_is_said(tmp_path, monkeypatch):
    _write(tmp_path, {"a.py": "", "b.py": ""})
    monkeypatch.chdir(tmp_path)
    boxes = {name: {"command": ["python3", f"{name}.py"]} for name in ("a", "b")}
    verification, _ = _verification(tmp_path, **boxes)
    before = on_disk(verification)
    assert stale(before, on_disk(verification)) == {}
    (tmp_path / "b.py").write_text("b = 1\n")
    assert stale(before, on_disk(verification)) == {
        "b": "it changed while it ran: its binary (b.py), its models (b.py); verify again"
    }


def test_a_change_of_the_common_ground_outdates_every_port(tmp_path, monkeypatch):
    """It was once told of the first port only, and the others counted as verified."""
    _write(tmp_path, {"a.py": "", "b.py": "", "c.py": "", "bag": "1"})
    monkeypatch.chdir(tmp_path)
    contract = Contract("Same", (), (), (), ())
    monkeypatch.setattr(ledger, "asked_contract", lambda verification: contract)
    monkeypatch.setattr(ledger, "known_outcome", lambda verdict, name: "match")
    monkeypatch.setattr(ledger, "register", lambda *verified: None)  # nothing was compared
    boxes = {name: {"command": ["python3", f"{name}.py"]} for name in ("a", "b", "c")}
    verification, file = _verification(tmp_path, **boxes)
    compared = {"b": None, "c": None}
    verdict = Verdict(
        tmp_path,
        "a",
        contract,
        {},
        comparisons=compared,  # type: ignore[arg-type]
        fingerprints=on_disk(verification),
    )
    place = ledger.record(file, verification, verdict)
    assert [one.changes for one in ledger.status(place)] == [(), ()]
    (tmp_path / "a.py").write_text("a = 1\n")  # the reference, of which there are no sources
    found = [one.changes for one in ledger.status(place)]
    assert (
        found[0] == found[1] == ("the reference's binary (a.py)", "the reference's models (a.py)")
    )
