"""Whether a program can be taken under control: the middleware is loaded before its libraries,
which some programs do not let happen (ld.so(8), LD_PRELOAD)."""

from __future__ import annotations

import os
import shutil
import stat
import struct
from contextlib import suppress
from pathlib import Path

from ...errors import UsageError

_ELF64 = struct.Struct("<16xHHIQQQIHHHHHH")
_PROGRAM_HEADER = struct.Struct("<I52x")
_MAGIC = b"\x7fELF\x02\x01"
_INTERPRETER = 3  # PT_INTERP: who loads the libraries
_EXECUTABLES = (2, 3)  # ET_EXEC, ET_DYN
_HEAD_BYTES = 1 << 12


def check_preloading(name: str, program: str) -> None:
    """Raises UsageError if the first program of a command would not load the middleware."""
    found = shutil.which(program)
    if found is not None and (why := objection(Path(found))) is not None:
        raise UsageError(
            f"{name}: {found} {why}, so nothing can be loaded into it that would control its time; "
            "use run: {mode: live}"
        )


def objection(path: Path) -> str | None:
    """Why a program ignores LD_PRELOAD, as a clause; None if it heeds it, or nobody can tell."""
    with suppress(OSError):
        status = path.stat()
        is_other_user = status.st_mode & stat.S_ISUID and status.st_uid != os.geteuid()
        is_other_group = status.st_mode & stat.S_ISGID and status.st_gid != os.getegid()
        if is_other_user or is_other_group:
            return "runs as another user (setuid)"
        with suppress(OSError):
            if os.getxattr(path, "security.capability") and os.geteuid() != 0:
                return "has capabilities of its own"
        with path.open("rb") as file:
            if _is_static(file.read(_HEAD_BYTES)):
                return "is linked statically"
    return None


def _is_static(head: bytes) -> bool:
    """Whether a file that begins so is a program that loads no libraries."""
    if not head.startswith(_MAGIC) or len(head) < _ELF64.size:
        return False
    kind, _, _, _, offset, _, _, _, size, count, *_ = _ELF64.unpack_from(head)
    if kind not in _EXECUTABLES or offset + count * size > len(head):
        return False
    starts = range(offset, offset + count * size, size)
    kinds = [_PROGRAM_HEADER.unpack_from(head, start)[0] for start in starts]
    return bool(kinds) and _INTERPRETER not in kinds
