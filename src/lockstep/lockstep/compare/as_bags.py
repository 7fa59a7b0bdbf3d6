"""What can be compared as a bag: a bag, the path or URL of one, its text, or a dataset."""

from __future__ import annotations

import os
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from ..bag import Bag
from ..bag.text import is_text
from ..errors import DatasetError
from ..temporary_folder import TemporaryFolder

if TYPE_CHECKING:
    from ..dataset import Dataset

SideLike: TypeAlias = "Bag | Dataset | str | os.PathLike[str]"


def as_bags(a: SideLike, b: SideLike, stack: ExitStack) -> tuple[Bag, Bag]:
    """Both sides as bags, which are open as long as `stack`.

    Datasets and texts are written to temporary bags. The types in a text are those of the other
    side, or else those that are installed or come with ROS 2 Jazzy; messages of others are
    compared as JSON of the fields that the text tells.
    """
    in_json = _keys_of_json(a, b)
    plain = [None if _is_text(side) else _as_bag(side, in_json, stack) for side in (a, b)]
    bags = [
        _as_bag(_from_text(side, other, stack), (), stack) if bag is None else bag
        for side, bag, other in zip((a, b), plain, reversed(plain), strict=True)
    ]
    return bags[0], bags[1]


def _is_text(side: SideLike) -> bool:
    return isinstance(side, (str, os.PathLike)) and is_text(side)


def _keys_of_json(*sides: SideLike) -> set[str]:
    """The keys that JSON must hold on both sides, for what one of the datasets holds."""
    datasets = [side for side in sides if not isinstance(side, (Bag, str, os.PathLike))]
    if not datasets:
        return set()
    from ..dataset.stored_as import keys_of_json

    return set().union(*(keys_of_json(dataset.stored()) for dataset in datasets))


def _as_bag(side: SideLike, in_json: Collection[str], stack: ExitStack) -> Bag:
    if isinstance(side, Bag):
        return side
    if not isinstance(side, (str, os.PathLike)):
        folder = _folder(stack)
        _save(side, folder, in_json)
        side = folder
    return stack.enter_context(Bag(side))


def _save(dataset: Dataset, folder: Path, in_json: Collection[str]) -> None:
    """Write a dataset as a bag, some of its keys as JSON that holds any value."""
    from ..dataset import Dataset
    from ..dataset.stored_as import as_any_json

    with Dataset.create("mcap", folder) as saved:
        for key, stamp_ns, publish_ns, value in dataset.stored():
            stored = as_any_json(value) if key in in_json else value
            saved.append(key, stored, stamp_ns, publish_ns=publish_ns)


def _from_text(side: SideLike, other: Bag | None, stack: ExitStack) -> Path:
    from ..bag.text_reader import read_text  # as few sides are texts
    from ..dataset.messages import definition

    assert isinstance(side, (str, os.PathLike))
    known = (
        {t.type: (t.definition, t.encoding, t.type_hash) for t in other.topics.values()}
        if other
        else {}
    )

    def find(type_name: str) -> tuple[str, str, str] | None:
        if type_name in known:
            return known[type_name]
        try:
            return definition(type_name), "ros2msg", ""
        except DatasetError:
            return None

    folder = _folder(stack)
    read_text(side, folder, find)
    return folder


def _folder(stack: ExitStack) -> Path:
    return stack.enter_context(TemporaryFolder("lockstep-")).path / "side"
