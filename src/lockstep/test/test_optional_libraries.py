"""A library that is not installed skips the tests that need it, and no others.

The pytest plugin of launch_testing imports test modules while it collects a package: a module that
skips itself takes all other tests of its package along, and the package passes.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stranger import ROOT

TEST_MODULES = sorted(
    path
    for folder in (ROOT / "src", ROOT / "tests", ROOT / "launch")
    for path in (*folder.rglob("test_*.py"), *folder.rglob("conftest.py"))
)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What is run when a module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            yield child
            yield from at_import(child)


def skips_whole(text: str) -> list[int]:
    """The lines at which a module skips itself while it is imported."""
    return [
        node.lineno
        for node in at_import(ast.parse(text))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("importorskip", "skip")
        and not ast.unparse(node.func).startswith("pytest.mark.")
    ]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('import pytest\ntorch = pytest.importorskip("torch")', [2]),
        ('if not torch:\n    pytest.skip("no torch", allow_module_level=True)', [2]),
        ('pytestmark = pytest.mark.skip("slow")', []),
        ('def test_it():\n    pytest.importorskip("torch")', []),
    ],
)
def test_a_skip_counts_where_it_is_run_by_the_import(text: str, lines: list[int]) -> None:
    assert skips_whole(text) == lines


@pytest.mark.skipif(len(TEST_MODULES) < 100, reason="the tests are not in their source tree")
def test_no_module_of_tests_skips_itself_while_it_is_imported() -> None:
    found = {str(path): lines for path in TEST_MODULES if (lines := skips_whole(path.read_text()))}
    assert not found, "skip tests one by one: by a mark, pytestmark, or a fixture"


def told(code: str) -> "subprocess.CompletedProcess[str]":
    begin = "from lockstep.missing_library import tell_missing_libraries\ntell_missing_libraries()"
    words = [sys.executable, "-c", f"{begin}\n{code}"]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (
            "import sys; sys.modules['lz4'] = None; from lockstep.bag.reader import Bag",
            "the Python library 'lz4', which Lockstep needs, is not installed here; run: make -C ",
        ),
        (
            (
                "import sys, types; sys.modules['pydantic'] = types.ModuleType('pydantic'); "
                "from lockstep.verify.model import load"
            ),
            "the Python library 'pydantic', which Lockstep needs, is too old here; run: make -C ",
        ),
    ],
)
def test_a_library_that_is_missing_is_told_in_a_sentence(code: str, sentence: str) -> None:
    done = told(code)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {sentence}")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("code", ["import nowhere", "import lockstep.nowhere", "1 / 0"])
def test_whatever_else_nobody_catches_is_told_as_before(code: str) -> None:
    done = told(code)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback")


@pytest.mark.parametrize("program", sorted((ROOT / "src/lockstep/bin").glob("*")), ids=str)
def test_every_program_tells_so_before_it_imports_what_may_be_missing(program: Path) -> None:
    lines = program.read_text("utf-8").splitlines()
    ours = [line for line in lines if line.startswith(("from lockstep", "tell_"))]
    assert ours[:2] == [
        "from lockstep.missing_library import tell_missing_libraries",
        "tell_missing_libraries()",
    ]
