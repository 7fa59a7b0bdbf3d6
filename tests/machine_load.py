"""A machine that has other things to do."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def load(busy: int = 2) -> Iterator[None]:
    """Other processes that want processor 0, where what is tested may be kept; tests that run
    beside have the others, and get more of this one."""
    command = ["taskset", "--cpu-list", "0", "nice", "-n", "3"]
    command += [sys.executable, "-S", "-c", "while True: pass"]
    loops = [subprocess.Popen(command) for _ in range(busy)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
