"""What can be compared as a bag: a bag, the path or URL of one, its text, or a dataset."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..bag import Bag, BagError
from ..bag.text_reader import is_text, read_text
from ..errors import DatasetError
from ..temporary_folder import TemporaryFolder

if TYPE_CHECKING:
    from ..dataset import Dataset

SideLike: TypeAlias = "Bag | Dataset | str | os.PathLike[str]"


def as_bags(a: SideLike, b: SideLike, stack: ExitStack) -> tuple[Bag, Bag]:
    """Both sides as bags, which are open as long as `stack`.

    Datasets and texts are written to temporary bags. The types in a text are those of the other
    side, or else those that are installed or come with ROS 2 Jazzy.
    """
    plain = [None if _is_text(side) else _as_bag(side, stack) for side in (a, b)]
    bags = [
        _as_bag(_from_text(side, other, stack), stack) if bag is None else bag
        for side, bag, other in zip((a, b), plain, reversed(plain), strict=True)
    ]
    return bags[0], bags[1]


def _is_text(side: SideLike) -> bool:
    return isinstance(side, (str, os.PathLike)) and is_text(side)


def _as_bag(side: SideLike, stack: ExitStack) -> Bag:
    if isinstance(side, Bag):
        return side
    if not isinstance(side, (str, os.PathLike)):
        folder = _folder(stack)
        _save(side, folder)
        side = folder
    return stack.enter_context(Bag(side))


def _save(dataset: Dataset, folder: Path) -> None:
    """Write a dataset as a bag; what no ROS message holds as JSON that holds any value."""
    from ..dataset import Dataset
    from ..dataset.stored_as import as_any_json

    in_json: set[str] = set()
    with Dataset.create("mcap", folder) as saved:
        for key, stamp_ns, publish_ns, value in dataset.stored():
            stored = as_any_json(value, always=key in in_json)
            if stored is not value:
                in_json.add(key)
            saved.append(key, stored, stamp_ns, publish_ns=publish_ns)


def _from_text(side: SideLike, other: Bag | None, stack: ExitStack) -> Path:
    assert isinstance(side, (str, os.PathLike))
    known = (
        {t.type: (t.definition, t.encoding, t.type_hash) for t in other.topics.values()}
        if other
        else {}
    )

    from ..dataset.messages import definition  # as few sides are texts

    def find(type_name: str) -> tuple[str, str, str]:
        if type_name in known:
            return known[type_name]
        try:
            return definition(type_name), "ros2msg", ""
        except DatasetError as error:
            raise BagError(str(error)) from error

    folder = _folder(stack)
    read_text(side, folder, find)
    return folder


def _folder(stack: ExitStack) -> Path:
    return stack.enter_context(TemporaryFolder("lockstep-")).path / "side"
