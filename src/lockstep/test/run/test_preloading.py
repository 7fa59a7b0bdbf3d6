"""Which programs cannot be taken under control is known before they run."""

import os
import struct
import sys
from pathlib import Path

import pytest
from lockstep.errors import UsageError
from lockstep.run.nodes.preloading import check_preloading, objection

LOAD, INTERPRETER = 1, 3


def program(path: Path, *segments: int) -> Path:
    """A file that begins as a program with these segments."""
    head = b"\x7fELF\x02\x01\x01" + bytes(9)
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(segments), 0, 0, 0)
    path.write_bytes(head + b"".join(struct.pack("<I52x", kind) for kind in segments))
    path.chmod(0o755)
    return path


def test_a_program_without_an_interpreter_is_static(tmp_path: Path) -> None:
    assert objection(program(tmp_path / "static", LOAD, LOAD)) == "is linked statically"
    assert objection(program(tmp_path / "dynamic", LOAD, INTERPRETER)) is None
    assert objection(Path(sys.executable).resolve()) is None


def test_what_is_no_program_is_left_to_whoever_starts_it(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    short = tmp_path / "short"
    short.write_bytes(b"\x7fELF\x02\x01\x01")
    assert [objection(path) for path in (script, short, tmp_path / "nowhere")] == [None] * 3


def test_a_program_that_runs_as_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path / "setuid", LOAD, INTERPRETER)
    path.chmod(0o4755)
    assert objection(path) is None  # of whoever starts it
    other = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(UsageError, match=r"^node: .*setuid runs as another user \(setuid\), so"):
        check_preloading("node", str(path))
