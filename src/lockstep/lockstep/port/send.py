"""Where prompts go: the clipboard, a file, or the standard output."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Literal

from ..errors import PortError
from ..printable import one_line
from .prompt import Prompt

Method = Literal["clipboard", "file", "print"]
_CLIPBOARDS = (
    ("WAYLAND_DISPLAY", ["wl-copy"]),
    ("DISPLAY", ["xclip", "-selection", "clipboard"]),
    ("DISPLAY", ["xsel", "--clipboard", "--input"]),
    ("", ["pbcopy"]),
    ("", ["clip.exe"]),
)
"""The variable that must be set, and the command that takes the text on its stdin."""
_PATIENCE_S = 10


def send_prompt(
    prompt: Prompt,
    method: Method = "clipboard",
    *,
    path: str | Path = "prompt.md",
    force: bool = False,
) -> None:
    """Copy the prompt to the clipboard, write it to `path`, or print it.

    On a terminal, what cannot be printed is an escape.

    Raises PortError if there is no clipboard, if the file exists already and `force` is not given,
    or for another method.
    """
    if method == "print":
        text = prompt.to_markdown()
        if sys.stdout.isatty():
            text = "\n".join(map(one_line, text.split("\n")))
        sys.stdout.write(f"{text}\n")
    elif method == "file":
        prompt.save(path, force=force)
    elif method == "clipboard":
        copy(prompt.to_markdown())
    else:
        raise PortError(f"method '{method}' is unknown; choose clipboard, file or print")


def copy(text: str) -> None:
    """Put a text on the clipboard; raises PortError if none can be reached."""
    for variable, command in _CLIPBOARDS:
        if (not variable or os.environ.get(variable)) and shutil.which(command[0]):
            try:
                # What keeps the clipboard alive may inherit these and outlive us, so no pipe is
                # read to its end.
                done = subprocess.run(
                    command,
                    input=text.encode(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    timeout=_PATIENCE_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired):
                continue
            if done.returncode == 0:
                return
    raise PortError(
        "no clipboard can be reached (wl-copy, xclip or xsel with a display); write the prompt to "
        "a file with -o"
    )
