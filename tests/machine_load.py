"""A machine that has other things to do."""

import subprocess
import sys
from contextlib import contextmanager


@contextmanager
def load(busy=3):
    """Other processes that want all processors."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
