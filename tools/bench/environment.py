"""Make .venv-bench from requirements.lock: what the peers need, apart from what Lockstep is built
and run in."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path

from set_up import ROOT, STAMP, Obstacle, create, install, say, stamp_of

LOCK = Path(__file__).resolve().parent / "requirements.lock"
VENV = ROOT / ".venv-bench"


def main() -> int:
    """Make the environment unless it is there and made from the same pins; exit code 2 if that
    fails."""
    held = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    stamp, wanted = VENV / STAMP, stamp_of(LOCK)
    if stamp.is_file() and stamp.read_text() == wanted:
        return 0
    try:
        create(VENV, [])
        install(VENV, LOCK, held)
    except (Obstacle, OSError) as obstacle:
        print(f"bench: {obstacle}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bench: interrupted, run it again to start over", file=sys.stderr)
        return 130
    stamp.write_text(wanted)
    say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
