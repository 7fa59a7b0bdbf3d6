"""What can be compared as a bag: a bag, the path or URL of one, or a dataset."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TypeAlias

from ..bag import Bag
from ..dataset import Dataset

SideLike: TypeAlias = Bag | Dataset | str | os.PathLike[str]


def as_bag(side: SideLike, stack: ExitStack) -> Bag:
    """The side as a bag, which is open as long as `stack`; a dataset is written to a temporary bag."""
    if isinstance(side, Bag):
        return side
    if isinstance(side, Dataset):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lockstep-")))
        with side.save(folder / "dataset"):
            pass
        side = folder / "dataset"
    return stack.enter_context(Bag(side))
