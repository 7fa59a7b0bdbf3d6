"""Print the part of a lock file that some packages need: subset_of_lock.py LOCK ROOTS…

ROOTS are `.in` files with a package on each line. What needs what is read from the `# via` comments
that uv writes into a lock. An image is made from such parts, so that it holds no tool that only
builds or tests, and every version and hash is that of the lock.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

Entries = dict[str, tuple[str, list[str]]]
"""Name → the text that pins it, and the names of what asks for it."""


def normalized(name: str) -> str:
    """A package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def entries_of(lock: str) -> Entries:
    """What a lock pins, in its order."""
    entries: Entries = {}
    for text in re.findall(r"^[A-Za-z0-9].*(?:\n[ \t].*)*", lock, re.MULTILINE):
        _, _, askers = text.partition("# via")
        entries[normalized(text.partition("==")[0])] = (
            text,
            [normalized(line.strip("# ")) for line in askers.splitlines()],
        )
    return entries


def roots_in(text: str) -> set[str]:
    """The packages that a `.in` file names itself, without extras and versions."""
    lines = (re.split(r"[#<>=\[;]", line)[0].strip() for line in text.splitlines())
    return {normalized(line) for line in lines if line and not line.startswith("-")}


def subset(entries: Entries, roots: Iterable[str]) -> list[str]:
    """The names of the roots and of all that they need, in the lock's order.

    Raises LookupError if the lock does not pin a root.
    """
    if lacking := sorted(set(roots) - entries.keys()):
        raise LookupError(f"the lock does not pin {', '.join(lacking)}")
    needs: dict[str, list[str]] = {name: [] for name in entries}
    for name, (_, askers) in entries.items():
        for asker in askers:
            if asker in needs:
                needs[asker].append(name)
    wanted: set[str] = set()
    todo = list(roots)
    while todo:
        name = todo.pop()
        if name not in wanted:
            wanted.add(name)
            todo += needs[name]
    return [name for name in entries if name in wanted]


def main() -> int:
    lock, *files = (Path(argument).read_text("utf-8") for argument in sys.argv[1:])
    entries = entries_of(lock)
    try:
        names = subset(entries, set().union(*map(roots_in, files)))
    except LookupError as error:
        print(f"subset_of_lock: {error.args[0]}", file=sys.stderr)
        return 2
    for name in names:
        print(entries[name][0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
