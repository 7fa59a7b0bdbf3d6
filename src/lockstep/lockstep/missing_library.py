"""A library that Lockstep needs and that is not installed is told in one sentence, as every error.

It shows when modules are imported, before any program of a workspace could catch it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType

_LIBRARIES = (
    *("fsspec", "jinja2", "lz4", "matplotlib", "mcap", "numpy", "PIL", "plotly", "pydantic"),
    *("rich", "rosbags", "scipy", "typer", "yaml", "zstandard"),
)
_USAGE = 2
_HERE = Path(__file__).resolve().parent


def tell_missing_libraries() -> None:
    """From here on an import of this package that fails for want of a library ends the program by
    a sentence that names the command; whatever else nobody catches is told as before.

    For the programs of this package; a program of somebody else's has a hook of its own.
    """
    told_before = sys.excepthook

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        name = _missing(error, trace)
        if name is None:
            told_before(kind, error, trace)
            return
        sys.stderr.write(f"error: {sentence(name, isinstance(error, ModuleNotFoundError))}\n")
        raise SystemExit(_USAGE)  # becomes the exit code

    sys.excepthook = tell


def sentence(name: str, is_missing: bool) -> str:
    """What to do about a library that is missing, or too old."""
    what = "is not installed here" if is_missing else "is too old here"
    return f"the Python library '{name}', which Lockstep needs, {what}; run: {_command(name)}"


def _command(name: str) -> str:
    for folder in (_HERE, *_HERE.parents):
        if (folder / "env.sh").is_file() and (folder / "tools/setup").is_file():
            return f"make -C {folder} build && . {folder}/env.sh"
    return f"python3 -m pip install {name} (beside a distro of ROS 2 see docs/distro.md)"


def _missing(error: BaseException, trace: TracebackType | None) -> str | None:
    """The library that a module of this package could not import; None if it was something else."""
    if not isinstance(error, ImportError) or error.name is None:
        return None
    name = error.name.partition(".")[0]
    is_ours = False
    while trace is not None:
        is_ours |= Path(trace.tb_frame.f_code.co_filename).resolve().is_relative_to(_HERE)
        trace = trace.tb_next
    return name if is_ours and name in _LIBRARIES else None
