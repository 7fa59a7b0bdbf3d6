"""Standard input and output kept for frames; lockstep_cpp's standard_streams.cpp is the twin."""

from __future__ import annotations

import io
import os
import sys


def take_standard_input() -> int:
    """A descriptor of the stdin of this process; whoever reads stdin from now on finds it empty."""
    frames = os.dup(sys.stdin.fileno())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    os.close(nothing)
    return frames


def take_standard_output() -> int:
    """A descriptor of the stdout of this process; what is printed from now on goes to stderr."""
    sys.stdout.flush()
    output = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a crash is not to swallow what was printed
    return output
