"""When messages are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ..message.arrays import Int64s


@dataclass(frozen=True)
class Ticks:
    """The messages to draw: when each comes, (m,) in ns, and when the first of all came."""

    time_ns: Int64s
    start_ns: int

    def __len__(self) -> int:
        return len(self.time_ns)

    @property
    def seconds(self) -> npt.NDArray[np.float64]:
        """Since the first of all messages."""
        return (self.time_ns - self.start_ns).astype(np.float64) * 1e-9

    def at(self, rows: Int64s) -> Ticks:
        """Some of them."""
        return replace(self, time_ns=self.time_ns[rows])

    def repeated(self, counts: Int64s) -> Ticks:
        """One for each element of arrays in the messages."""
        return replace(self, time_ns=np.repeat(self.time_ns, counts))
