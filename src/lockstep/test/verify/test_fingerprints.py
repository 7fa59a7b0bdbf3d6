"""What runs is what its sources on disk are, or it is said."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from lockstep.verify.fingerprints import fingerprint
from lockstep.verify.model import is_verify_file, load

SCRIPT = Path(__file__).parents[3] / "lockstep_cpp/cmake/digest_sources.cmake"
VERIFY = """\
implementations:
  port: {executable: port/node}
reference: port
inputs: {sample: {}}
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The sources of an installed package; what is left out of them is there as well."""
    folder = tmp_path / "src/port"
    for name, text in {
        "package.xml": "<name>port</name>",
        "src/node.cpp": "int main() { return 0; }",
        "config/gains.yaml": "gain: 1.0",
        "verify.yaml": VERIFY,
        "README.md": "how to use it",
        "test/test_node.py": "",
        ".hidden/notes": "",
        "build/left.o": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    share = tmp_path / "install/share/port"
    share.mkdir(parents=True)
    (share / "package.xml").symlink_to(folder / "package.xml")
    (tmp_path / "install/lib/port").mkdir(parents=True)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path / "install"))
    return folder


def build(package: Path) -> None:
    """As lockstep_add_component does."""
    if shutil.which("cmake") is None or shutil.which("c++") is None:
        pytest.skip("needs cmake and a C++ compiler")
    done = digested(package)
    assert done.returncode == 0, done.stderr
    program, sources = package.parents[1] / "install/lib/port/node", package / "build/sources.cpp"
    subprocess.run(
        ["c++", "-o", str(program), str(sources), str(package / "src/node.cpp")], check=True
    )


def digested(package: Path) -> subprocess.CompletedProcess[str]:
    """How writing the digests of the sources ended."""
    if shutil.which("cmake") is None:
        pytest.skip("needs cmake")
    options = [f"-DFOLDER={package}", f"-DOUTPUT={package}/build/sources.cpp", "-DNAME=sources"]
    command = ["cmake", *options, "-P", str(SCRIPT)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def why(package: Path) -> str | None:
    return fingerprint("port", load(package / "verify.yaml")).stale


def test_a_program_is_of_its_sources_until_one_of_them_changes(package):
    build(package)
    assert why(package) is None
    for name in ("README.md", "test/test_node.py", "verify.yaml", "nightly.yaml"):
        (package / name).write_text(f"# changed\n{VERIFY}")
    assert why(package) is None

    (package / "src/node.cpp").write_text("int main() { return 1; }")
    assert why(package) == (
        "the sources of port/node have changed since it was built (src/node.cpp); build it again"
    )
    build(package)
    assert why(package) is None


@pytest.mark.parametrize(
    "form",
    [
        '{"implementations": {"a": {"executable": "port/node"}}, "reference": "a"}',
        '{\n  "reference": "a",\n  "implementations": {}\n}\n',
        "{implementations: {}, reference: a}",
        "\"implementations\": {}\r\n'reference' : a\r\n",
    ],
)
def test_a_verify_file_is_none_of_the_sources_in_whatever_form(package, form):
    build(package)
    (package / "config/nightly.yaml").write_text(form)
    assert is_verify_file(package / "config/nightly.yaml")
    assert why(package) is None
    build(package)
    assert why(package) is None


@pytest.mark.parametrize(
    "form",
    ["port:\n  implementations: 1\n  reference: 2\n", "{implementations: 1}", "reference: 1"],
)
def test_what_only_looks_like_a_verify_file_is_a_source(package, form):
    (package / "config/gains.yaml").write_text(form)
    assert not is_verify_file(package / "config/gains.yaml")
    build(package)
    assert why(package) is None
    (package / "config/gains.yaml").write_text(f"{form} # changed")
    assert why(package) is not None


def test_sources_may_have_names_that_mean_something_to_c_or_cmake(package):
    names = ['say "hello".txt', "a [b].txt", "[c.txt", "d].txt", "$e ${f}.txt", "g ä?.txt"]
    for name in names:
        (package / "config" / name).write_text(name)
    (package / "odd [folder").mkdir()
    (package / "odd [folder/h.txt").write_text("h")
    build(package)
    assert why(package) is None
    for name in names:
        (package / "config" / name).write_text("changed")
    told = why(package)
    assert told is not None
    assert "and 3 more" in told


@pytest.mark.parametrize("name", ["a;b.txt", "a\\b.txt", "a\nb.txt"])
def test_a_name_that_cmake_cannot_list_is_refused_in_a_sentence(package, name):
    (package / "config" / name).write_text("")
    done = digested(package)
    assert done.returncode != 0
    assert "has a semicolon, a backslash or a newline in its name" in " ".join(done.stderr.split())


def test_a_source_that_was_added_or_taken_away_is_a_change(package):
    build(package)
    (package / "src/more.cpp").write_text("")
    (package / "config/gains.yaml").unlink()
    told = why(package)
    assert told is not None
    assert "(config/gains.yaml, src/more.cpp)" in told


def test_a_program_that_tells_no_sources_is_not_known_to_be_of_them(package):
    program = package.parents[1] / "install/lib/port/node"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    told = why(package)
    assert told is not None
    assert told.startswith("it does not tell of which sources port/node was built")


def test_a_script_that_is_a_source_itself_is_what_runs(package):
    program = package.parents[1] / "install/lib/port/node"
    (package / "scripts").mkdir()
    for script in (program, package / "scripts/node"):
        script.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert why(package) is None
    (package / "scripts/node").write_text("#!/bin/sh\nexit 1\n")
    assert why(package) is not None
