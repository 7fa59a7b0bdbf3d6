"""Whether the memory of nodes lies at fixed addresses is known, also where calls are filtered."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# As Docker's default filter does it: of personality(2) only the asking for it and 0 are allowed.
FILTERED = """
import ctypes
import struct
from lockstep.run.nodes.world import fixed_addresses

LOAD, EQUALS, RETURN, ALLOW, REFUSE = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050001
code = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in (
        (LOAD, 0, 0, 0),  # the number of the call
        (EQUALS, 0, 5, 135),
        (LOAD, 0, 0, 20),  # the upper half of its argument
        (EQUALS, 0, 4, 0),
        (LOAD, 0, 0, 16),
        (EQUALS, 1, 0, 0),
        (EQUALS, 0, 1, 0xFFFFFFFF),
        (RETURN, 0, 0, ALLOW),
        (RETURN, 0, 0, REFUSE),
    )
)
program = ctypes.create_string_buffer(code)
filter = struct.pack("HP", len(code) // 8, ctypes.addressof(program))
libc = ctypes.CDLL(None, use_errno=True)
assert libc.prctl(38, 1, 0, 0, 0) == 0  # PR_SET_NO_NEW_PRIVS
assert libc.prctl(22, 2, filter, 0, 0) == 0  # PR_SET_SECCOMP
with fixed_addresses() as is_fixed:
    print(is_fixed)
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the number of the call is another one")
def test_a_filter_of_system_calls_is_noticed() -> None:
    command = [sys.executable, "-c", FILTERED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
