"""Python functions written line by line for one type: what decodes, encodes and makes its messages.

Whoever writes the lines sees to it that names in them are identifiers, as those of a checked schema
are; all else is a constant behind a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Function:
    """A function under construction.

    `names` are what its lines may name, `label` is its file in tracebacks.
    """

    def __init__(self, head: str, label: str, **names: Any) -> None:
        self._label = label
        self._names: dict[str, Any] = dict(names)
        self._lines = [head]
        self._indent = " "
        self._variables = 0

    def emit(self, line: str) -> None:
        """Add a line to the block that is open."""
        self._lines.append(self._indent + line)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """What is added within belongs to a compound statement."""
        self.emit(head)
        outer, self._indent = self._indent, self._indent + " "
        yield
        self._indent = outer

    def variable(self) -> str:
        """A new name for a value."""
        self._variables += 1
        return f"v{self._variables}"

    def constant(self, value: Any) -> str:
        """A name for something that is made beforehand."""
        name = f"c{len(self._names)}"
        self._names[name] = value
        return name

    def compiled(self) -> Any:
        """The function."""
        name = self._lines[0].removeprefix("def ").partition("(")[0]
        exec(compile("\n".join(self._lines), f"<{self._label}>", "exec"), self._names)  # noqa: S102
        return self._names[name]
