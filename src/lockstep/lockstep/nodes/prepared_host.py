"""The host of a Python component that has its interpreter started, and tells its contract, before
it is known how it shall run.

`python3 -m lockstep.nodes.prepared_host MODULE:CLASS` writes the contract to its stdout, which it
closes, and reads one line of JSON from its stdin: the arguments and the environment of a host. See
run/prepared.py, which starts it; without that line it ends.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # while modules load, which makes no garbage

import json
import os
import sys
from typing import Any

from ..component import contract_of
from ..host.python_component import load
from ..host.standard_streams import take_standard_input, take_standard_output
from ..printable import printed_json
from .host import run_named
from .process import exit_with


def main() -> None:
    """The program."""
    requests, output = take_standard_input(), take_standard_output()
    exit_with(lambda: _run(sys.argv[1], requests, output), name="host")


def _run(target: str, requests: int, output: int) -> int:
    component_class = load(target)
    gc.freeze()
    gc.enable()
    with os.fdopen(output, "w", encoding="utf-8") as stdout:
        stdout.write(f"{printed_json(contract_of(component_class).to_json())}\n")
    with os.fdopen(requests, "rb") as stdin:
        line = stdin.readline()
    if not line:
        return 0
    request: dict[str, Any] = json.loads(line)
    os.environ.clear()
    os.environ.update(request["environment"])
    run_named(component_class, request["arguments"], f"host {target}")


if __name__ == "__main__":
    main()
