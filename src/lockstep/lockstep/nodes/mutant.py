"""`python3 -m lockstep.nodes.mutant FILE MODULE:CLASS`: an ordinary rclpy node with a planted fault
(search/mutants.py), constructed and spun."""

from __future__ import annotations

import sys
from pathlib import Path

from ..search.mutants import plant
from .spin import main

if __name__ == "__main__":
    plant(Path(sys.argv.pop(1)))
    main()
