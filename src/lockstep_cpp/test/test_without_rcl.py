"""Components, and what every host needs to run one, stand without rcl.

So a middleware or a host on another client library can use them.
"""

import os
import re
import subprocess
from pathlib import Path

LIBRARY = os.environ.get("LOCKSTEP_CPP_LIBRARY", "liblockstep_cpp.so")
PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = ["include", "src/component", "src/host"]
IN_LIBRARY_NAME = re.compile(r"librcl(?!_interfaces__)\w*\.so")
IN_INCLUDE = re.compile(r'#include [<"](rcl(?!_interfaces/)\w*)/')


def needed(library):
    """Names of all the libraries that are loaded with one."""
    output = subprocess.run(["ldd", library], capture_output=True, text=True, check=True).stdout
    return [line.split()[0] for line in output.splitlines()]


def test_the_library_is_loaded_without_rcl():
    names = needed(LIBRARY)
    assert any(name.startswith("librcl_interfaces__") for name in names)  # its messages only
    assert [name for name in names if IN_LIBRARY_NAME.match(name)] == []


def test_no_header_of_rcl_is_included():
    sources = [file for folder in FOLDERS for file in (PACKAGE / folder).rglob("*.[ch]pp")]
    assert len(sources) > 30
    assert {f.name: m[1] for f in sources if (m := IN_INCLUDE.search(f.read_text()))} == {}
