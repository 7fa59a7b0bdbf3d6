"""Images of a key that differ, and where their pixels are wrong, as PNG in data URIs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import Bag
from ..compare.comparison import Comparison
from ..compare.key_comparison import KeyComparison
from ..compare.kinds.pixels import PIXELS
from ..errors import ReportError
from ..message.arrays import Bytes
from .picture import Picture, PixelErrors, picture_of, pixel_errors, shared_range
from .style import VERMILLION

_DATA = "data"
_SIDES = (480, 320, 200)
"""The longer side of what is shown, in pixels; smaller ones where there is no room for the
largest."""
_FAINT = 0.35
_MARK = 1
"""A wrong pixel is drawn so many pixels wider on each side, so that a single one is seen."""


def holds_images(key: KeyComparison) -> bool:
    """Whether the messages of a key are images, whatever their type."""
    found = key.judged.fields.get(_DATA)
    return found is not None and found.kind == PIXELS.name


def shown_ticks(key: KeyComparison) -> dict[int, str]:
    """The ticks of A of which images are shown, with what each of them is: the worst comes first.

    Beside it the first that is wrong, and one in the middle of those that are known.
    """
    first, found = key.judged.first, key.judged.fields.get(_DATA)
    if first is None or found is None:
        return {}
    of_image = found.max_tick if found.judged_tick is None else found.judged_tick
    worst = first.tick_a if of_image is None else of_image
    middle = key.judged.kept[len(key.judged.kept) // 2].tick_a
    words: dict[int, str] = {}
    for tick, word in (
        (worst, "the worst"),
        (first.tick_a, "the first"),
        (middle, "a typical one"),
    ):
        words[tick] = f"{words[tick]} and {word}" if tick in words else word
    return words


def wrong_images(
    bags: tuple[Bag, Bag], comparison: Comparison, key: KeyComparison, most_characters: int
) -> list[dict[str, Any]]:
    """The worst, the first and a typical one of the images that differ, each with a sentence.

    None if none does, or if what differs are not images.
    """
    words = shown_ticks(key) if holds_images(key) and key.aligned.pairs is not None else {}
    if not words:
        return []
    assert key.aligned.pairs is not None
    rows = np.searchsorted(key.aligned.pairs.a, list(words))
    partners = dict(zip(words, key.aligned.pairs.b[rows].tolist(), strict=True))
    of_a = messages_at(bags[0], key.topic, words)
    of_b = messages_at(bags[1], key.topic, partners.values())
    tolerance = comparison.tolerances.at(key.topic).of(_DATA)
    exact = not (tolerance.abs or tolerance.rel or tolerance.ulp)
    shown = []
    for tick, word in words.items():
        about: dict[str, Any] = {
            "topic": key.topic,
            "tick": tick,
            "which": word,
            "time_ns": int(key.aligned.times_ns[0][tick]),
        }
        try:
            a, b = picture_of(of_a[tick]), picture_of(of_b[partners[tick]])
            found = pixel_errors(a, b, tolerance)
            drawn = _drawn(a, b, found, most_characters // len(words))
        except ReportError as error:
            shown.append(about | {"sentence": str(error)})
            continue
        shown.append(about | {"sentence": found.finding(exact)} | (drawn or {}))
    return shown


def message_at(bag: Bag, topic: str, tick: int) -> Any:
    """The message of a tick, decoded."""
    return messages_at(bag, topic, [tick])[tick]


def messages_at(bag: Bag, topic: str, ticks: Iterable[int]) -> Mapping[int, Any]:
    """The messages of ticks, decoded; raises ReportError if there is none."""
    open_ticks, found, done = sorted(set(ticks)), {}, 0
    for batch in bag.batches([topic], strict=False):
        while open_ticks and open_ticks[0] < done + len(batch):
            tick = open_ticks.pop(0)
            start, length = int(batch.offset[tick - done]), int(batch.length[tick - done])
            payload = bytes(batch.buffer[start : start + length])
            found[tick] = bag.codec(topic).decode(payload)
        if not open_ticks:
            return found
        done += len(batch)
    raise ReportError(f"{bag.path} has no message {open_ticks[0]} of {topic}")


def _drawn(
    a: Picture, b: Picture, found: PixelErrors, most_characters: int
) -> dict[str, str] | None:
    if not a.values.size:
        return None
    low, high = shared_range(a, b)
    for side in _SIDES:
        shown_a, shown_b = (_small(_colours(x, low, high), side) for x in (a, b))
        marked = _marked(shown_b, found.wrong)
        drawn = {
            name: _data_uri(colours)
            for name, colours in (("a", shown_a), ("b", shown_b), ("wrong", marked))
        }
        if sum(map(len, drawn.values())) <= most_characters:
            return drawn
    return None


def _colours(picture: Picture, low: float, high: float) -> Bytes:
    shown = np.asarray(picture.shown(low, high))
    wide = shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)
    colours: Bytes = np.rint(wide * 255).astype(np.uint8)
    return colours


def _small(colours: Bytes, side: int) -> Bytes:
    """Every n-th pixel; small images are enlarged by whole pixels."""
    step = max(1, -(-max(colours.shape[:2]) // side))
    times = max(1, side // (2 * max(1, *colours.shape[:2])))
    return np.repeat(np.repeat(colours[::step, ::step], times, axis=0), times, axis=1)


def _marked(colours: Bytes, wrong: npt.NDArray[np.bool_]) -> Bytes:
    """The image, faint and grey, with what is wrong in vermillion."""
    height, width = colours.shape[:2]
    rows, columns = np.nonzero(wrong)
    mask = np.zeros((height, width), np.bool_)
    if rows.size:
        at = rows * height // wrong.shape[0], columns * width // wrong.shape[1]
        end = (rows + 1) * height // wrong.shape[0], (columns + 1) * width // wrong.shape[1]
        wide = max(end[0].max() - at[0].max(), 1)
        for down in range(-_MARK, wide + _MARK):
            for right in range(-_MARK, wide + _MARK):
                place = (np.clip(at[0] + down, 0, height - 1), np.clip(at[1] + right, 0, width - 1))
                mask[place] = True
    grey = colours.mean(axis=2, keepdims=True) * _FAINT + 255 * (1 - _FAINT)
    marked: Bytes = np.repeat(grey.astype(np.uint8), 3, axis=2)
    marked[mask] = [int(VERMILLION[i : i + 2], 16) for i in (1, 3, 5)]
    return marked


def _data_uri(colours: Bytes) -> str:
    try:
        from PIL import Image
    except ImportError as error:
        raise ReportError(f"images need Pillow ({error}); pip install pillow") from error
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(colours)).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
