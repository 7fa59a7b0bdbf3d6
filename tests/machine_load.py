"""A machine that has other things to do."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def load(busy: int = 3) -> Iterator[None]:
    """Other processes that want all processors; tests that run beside get more of these."""
    command = ["nice", "-n", "3", sys.executable, "-c", "while True: pass"]
    loops = [subprocess.Popen(command) for _ in range(busy)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
