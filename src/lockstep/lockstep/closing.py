"""What holds files, processes or connections until it is closed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Closable(ABC):
    """Closed by the end of a with-statement, whatever ends it."""

    @abstractmethod
    def close(self) -> None:
        """Finish and let go of everything; a second time is harmless."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
