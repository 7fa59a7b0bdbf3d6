"""What a node's process sees of the world, the same in every run, and how it finds its harness."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import UsageError

LIBRARY = "librmw_lockstep_cpp.so"
MIDDLEWARE = "rmw_lockstep_cpp"
_NO_RANDOM_ADDRESSES = 0x0040000  # ADDR_NO_RANDOMIZE of personality(2)
_ASK = 0xFFFFFFFF


def variables(socket: Path, start_ns: int) -> dict[str, str]:
    """The environment variables of a node that connects to a socket, and whose time begins at
    `start_ns`.

    Raises UsageError if the middleware is not there.
    """
    library = _library()
    if library is None:
        raise UsageError(
            f"nodes run directly on the package {MIDDLEWARE}, which no folder of AMENT_PREFIX_PATH "
            "has; build it and source its workspace, or use run: {mode: live}"
        )
    others = [one for one in os.environ.get("LD_PRELOAD", "").split(":") if one]
    return {
        "LD_PRELOAD": ":".join([str(library), *others]),
        "LOCKSTEP_SOCKET": str(socket),
        "LOCKSTEP_TIME": str(start_ns),
        "RMW_IMPLEMENTATION": MIDDLEWARE,
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
        **{name: "1" for name in _THREADS if name not in os.environ},
    }


_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""How many threads libraries of linear algebra use, whose sums depend on it; unless told."""


def has_middleware() -> bool:
    """Whether ordinary nodes can run directly here."""
    return _library() is not None


def _library() -> Path | None:
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        path = Path(prefix, "lib", LIBRARY)
        if prefix and path.is_file():
            return path
    return None


def moving_addresses() -> str | None:
    """That the memory of nodes lies somewhere else in each run, as a clause, where it does."""
    with fixed_addresses() as is_fixed:
        if is_fixed:
            return None
    return (
        "this system does not let its memory lie at fixed addresses (in a container of Docker, "
        "--security-opt seccomp=unconfined does), so what depends on them may differ from run to "
        "run"
    )


@contextmanager
def fixed_addresses() -> Iterator[bool]:
    """Meanwhile this thread starts processes whose memory always lies at the same addresses; gives
    whether the system allows that."""
    personality = ctypes.CDLL(None).personality
    personality.argtypes = [ctypes.c_ulong]  # of a negative number a filter of calls knows nothing
    before = personality(_ASK)
    personality(before | _NO_RANDOM_ADDRESSES)
    try:
        now = personality(_ASK)
        yield now != -1 and bool(now & _NO_RANDOM_ADDRESSES)
    finally:
        personality(before)
