"""Pictures of all that differs, as files: of each field, and the first image of each topic."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..bag import Bag
from ..compare.align import Alignment
from ..compare.comparison import Comparison
from ..compare.fields import FieldComparison
from ..compare.key_comparison import KeyComparison
from ..compare.kinds import KINDS
from ..compare.kinds.trajectory import PATH
from ..compare.meant import paired_columns
from ..compare.transforms import as_compared
from ..errors import ReportError
from ..message.arrays import Column, Floats, Int64s
from ..message.units import unit_of
from .clouds import cloud_errors, plot_clouds
from .comparison import plot_comparison
from .differences import Panel, panel_of, plot_differences
from .heatmap import plot_heatmap
from .pixels import plot_pixels
from .plane import planes, plot_plane
from .unaligned import write_distributions
from .wrong_images import holds_images, message_at, shown_ticks

_MOST_FIELDS = 100
_MOST_NUMBERS = 20_000_000


@dataclass(frozen=True)
class Plots:
    """The files that were drawn, and which fields that differ have no picture, with the reason."""

    files: tuple[Path, ...]
    left_out: tuple[str, ...]


def write_plots(
    comparison: Comparison,
    bags: tuple[Bag, Bag],
    folder: Path,
    format: Literal["png", "svg"] = "png",
) -> Plots:
    """Draw each numeric field that differs, at most 100 of a topic, into `folder`.

    The first file, `differences`, has the errors of all of them over time, if there are several.
    Numbers are drawn over time with their error below, arrays as a map of errors, images side by
    side, clouds from above and from the side, trajectories in the plane; epochs of a simulation a
    file each. Of what was not aligned the distributions are drawn. Of very long arrays only the
    ticks from the first difference on are drawn. Raises OSError and BagError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    bags = as_compared(bags, comparison)
    files: list[Path] = []
    panels: list[Panel] = []
    left_out: list[str] = []
    for key in comparison.keys.values():
        together, first = key.aligned.pairs, key.judged.first
        if key.matches or (together is None and not key.judged.distributions):
            continue
        stem = re.sub(r"[^\w.-]", "_", key.topic.strip("/").replace("/", "__")) or "root"
        if together is None:
            files += write_distributions(comparison, bags, key, folder / stem, format)
            continue
        if holds_images(key) and first is not None:
            files += _images(comparison, bags, key, folder / f"{stem}.{format}")
            continue
        if (cloud := cloud_errors(bags, comparison, key)) is not None:
            tick, errors = cloud
            file = folder / f"{stem}.{format}"
            title = f"{key.topic} tick {tick}"
            plot_clouds(errors, title=title, names=comparison.names, file=file)
            files.append(file)
        for found, plane in planes(bags, comparison, key):
            file = _file(folder, stem, f"{found.field}.plane", format)
            plot_plane(plane, names=comparison.names, file=file)
            files.append(file)
        wrong = [f for f in key.judged.fields.values() if not f.matches]
        left_out += [
            f"{key.topic} {found.field}: arrays of other lengths"
            for found in wrong
            if found.other_lengths
        ]
        wrong = [found for found in wrong if not found.other_lengths]
        paths = [path for found in wrong for path in found.parts]
        for path in paths[:_MOST_FIELDS]:
            file = _file(folder, stem, path, format)
            drawn, panel = _field(comparison, bags, key, together, path, file)
            files += drawn
            if panel is not None:
                panels.append(panel)
            if not drawn:
                left_out.append(f"{key.topic} {path}: no numbers of one shape")
        left_out += [f"{key.topic} {path}: more than can be drawn" for path in paths[_MOST_FIELDS:]]
        for found in [f for f in wrong if len(f.parts) > 1 and f.kind != PATH.name][:_MOST_FIELDS]:
            file = _file(folder, stem, found.field, format)
            files += _divergence(comparison, bags, key, together, found, file)
    if len(panels) > 1:
        file = folder / f"differences.{format}"
        plot_differences(panels, names=comparison.names, file=file)
        files.insert(0, file)
    return Plots(tuple(files), tuple(left_out))


def _file(folder: Path, stem: str, path: str, format: str) -> Path:
    name = re.sub(r"[^\w.-]", "_", path)
    return folder / f"{stem}.{name}.{format}"


def _divergence(
    comparison: Comparison,
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    together: Alignment,
    found: FieldComparison,
    file: Path,
) -> list[Path]:
    """How far a point or a rotation is off over time, and its limit."""
    kind, limit, tolerances = KINDS[found.kind], 0.0, comparison.tolerances
    error: list[Floats] = [np.empty(0)]
    ticks: list[Int64s] = [np.empty(0, np.int64)]
    for some, a, b in paired_columns(*bags, key.topic, together, found.parts, tolerances):
        shown = kind.show(found, a, b, 0)
        ticks.append(some)
        error.append(shown.error[:, 0])
        limit = float(shown.limit[0, 0])
    off = np.concatenate(error)
    files = []
    for of in _epochs(key, np.concatenate(ticks), file):
        plot_comparison(
            np.zeros(len(of.times_ns)),
            off[of.rows],
            of.times_ns,
            tolerance=limit,
            names=comparison.names,
            unit=kind.error_unit or unit_of(found.parts[0], key.type),
            title=f"{key.topic} {found.field}: how far off{of.words}",
            file=of.file,
        )
        files.append(of.file)
    return files


@dataclass(frozen=True)
class _Epoch:
    """What is drawn over one axis of time: rows of pairs, their times, and the file for it."""

    rows: slice
    times_ns: Int64s
    words: str
    file: Path


def _epochs(key: KeyComparison, ticks: Int64s, file: Path) -> Iterator[_Epoch]:
    """The pairs at these ticks of A (n,), by the epochs of a simulation that was reset."""
    times_ns, starts = key.aligned.times_ns[0][ticks], key.aligned.epochs[0]
    if not len(starts):
        yield _Epoch(slice(None), times_ns, "", file)
        return
    borders = [0, *np.searchsorted(ticks, starts).tolist(), len(ticks)]
    for number, (begin, end) in enumerate(pairwise(borders), 1):
        if begin < end:
            name = file.with_name(f"{file.stem}.epoch{number}{file.suffix}")
            yield _Epoch(slice(begin, end), times_ns[begin:end], f", epoch {number}", name)


def _field(
    comparison: Comparison,
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    together: Alignment,
    path: str,
    file: Path,
) -> tuple[list[Path], Panel | None]:
    """The files of a field, and its panel on the contact sheet; none of what has no picture."""
    found = _columns(comparison, bags, key, together, path)
    if found is None:
        return [], None
    ticks, a, b = found
    tolerance, unit = comparison.tolerances.at(key.topic).of(path), unit_of(path, key.type)
    files = []
    try:
        for of in _epochs(key, ticks, file):
            _draw(
                a[of.rows],
                b[of.rows],
                time=of.times_ns,
                tolerance=tolerance,
                names=comparison.names,
                unit=unit,
                title=f"{key.topic} {path}{of.words}",
                file=of.file,
            )
            files.append(of.file)
    except ReportError:
        return [], None  # what has no picture, as strings
    if len(key.aligned.epochs[0]):
        return files, None  # whose times begin anew
    panel = panel_of(f"{key.topic} {path}", key.aligned.times_ns[0][ticks], a, b, unit)
    return files, panel


def _draw(a: Column, b: Column, *, names: tuple[str, str], **options: Any) -> None:
    if a.ndim == 1:
        plot_comparison(a, b, names=names, **options)
    else:
        plot_heatmap(b.reshape(len(b), -1), against=a.reshape(len(a), -1), **options)


def _images(
    comparison: Comparison,
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    file: Path,
) -> list[Path]:
    """The images that differ most."""
    assert key.aligned.pairs is not None
    tick = next(iter(shown_ticks(key)))
    row = int(np.searchsorted(key.aligned.pairs.a, tick))
    image_a = message_at(bags[0], key.topic, tick)
    image_b = message_at(bags[1], key.topic, int(key.aligned.pairs.b[row]))
    try:
        plot_pixels(
            image_a,
            image_b,
            tolerance=comparison.tolerances.at(key.topic).of("data"),
            names=comparison.names,
            title=f"{key.topic} tick {tick}",
            file=file,
        )
    except ReportError:
        return []  # images of different sizes or unknown encodings, as the text diff says
    return [file]


def _columns(
    comparison: Comparison,
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    together: Alignment,
    path: str,
) -> tuple[Column, Column, Column] | None:
    """Ticks of A, and a field of both sides at these ticks.

    None unless it holds numbers of one shape.
    """
    fields = key.judged.fields
    first = fields[path].first_tick if path in fields else None
    parts: list[tuple[Column, Column, Column]] = []
    size = 0
    every = paired_columns(*bags, key.topic, together, [path], comparison.tolerances)
    for ticks, columns_a, columns_b in every:
        a, b = columns_a[path], columns_b[path]
        if (
            a.dtype == object
            or b.dtype == object
            or (parts and parts[0][1].shape[1:] != a.shape[1:])
        ):
            return None
        if a.ndim > 1 and first is not None and ticks[-1] < first:
            continue
        parts.append((ticks, a, b))
        size += a.size
        if a.ndim > 1 and size > _MOST_NUMBERS:
            break
    if not parts:
        return None
    ticks, a, b = (np.concatenate(column) for column in zip(*parts, strict=True))
    return ticks, a, b
