"""A bag that shows two others together: `/a/…`, `/b/…` and `/error/…`.

Beside it are layouts for Foxglove and PlotJuggler. Layouts: the JSON that Foxglove exports
(https://docs.foxglove.dev/docs/visualization/layouts), and PlotJuggler's XML.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..bag import Bag, BagWriter
from ..bag.convert import declare
from ..compare.align import Alignment
from ..compare.comparison import Comparison
from ..compare.definitions import common, leading_to
from ..compare.key_comparison import KeyComparison
from ..compare.side_by_side import pairs
from ..compare.transforms import as_compared, source_of
from ..message.batch import Batch
from ..message.schema import TIMES

_MOST_PLOTS = 8
_COLOURS = ("#56b4e9", "#000000", "#d55e00")
"""Of a, b and the error: Okabe and Ito's, as in our own plots."""


def write_error_bag(comparison: Comparison, bags: tuple[Bag, Bag], output: Path) -> None:
    """Write all messages of both sides, and b - a of those that were aligned, on the times of A.

    The errors are messages of the same type whose numbers are the differences (of unsigned ones
    their size), with the stamps and texts of A. Raises BagError, also if `output` exists.
    """
    bags = as_compared(bags, comparison)
    with BagWriter(output) as writer:
        for key in comparison.keys.values():
            for bag, side in zip(bags, ("a", "b"), strict=True):
                if key.topic in bag.topics:
                    _copy(writer, bag, key, side, _shift_ns(bags, key, side))
            if key.aligned.pairs is not None and not key.undecoded:
                _write_errors(writer, bags, key, key.aligned.pairs)
    plots = list(_plots(comparison))
    (output / "foxglove_layout.json").write_text(json.dumps(_foxglove(plots), indent=2), "utf-8")
    ET.ElementTree(_plotjuggler(plots)).write(
        output / "plotjuggler_layout.xml", "utf-8", xml_declaration=True
    )


def _topic(side: str, key: KeyComparison) -> str:
    topic = key.topic if source_of(key.topic) == key.topic else re.sub(r"[^\w/]+", "_", key.topic)
    return f"/{side}/{topic.lstrip('/')}"


def _add(writer: BagWriter, bag: Bag, key: KeyComparison, side: str) -> str:
    name = _topic(side, key)
    declare(writer, bag.topics[key.topic], name)
    return name


def _shift_ns(bags: tuple[Bag, Bag], key: KeyComparison, side: str) -> int:
    """By how much messages of B are moved, so that those that belong together come at one time."""
    together = key.aligned.pairs
    if side == "a" or together is None or not len(together.a):
        return 0
    times_a, times_b = (bag.times(key.topic) for bag in bags)
    return int(np.median(times_a[together.a] - times_b[together.b]))


def _copy(writer: BagWriter, bag: Bag, key: KeyComparison, side: str, shift_ns: int) -> None:
    name = _add(writer, bag, key, side)
    for batch in bag.batches([key.topic]):
        writer.write_batch(_moved(batch, key.topic, name, shift_ns))


def _moved(batch: Batch, topic: str, name: str, shift_ns: int) -> Batch:
    return replace(
        batch,
        topics=tuple(name if known == topic else "" for known in batch.topics),
        log_time_ns=np.maximum(batch.log_time_ns + shift_ns, 0),
        publish_time_ns=np.maximum(batch.publish_time_ns + shift_ns, 0),
    )


def _write_errors(
    writer: BagWriter, bags: tuple[Bag, Bag], key: KeyComparison, together: Alignment
) -> None:
    name = _add(writer, bags[0], key, "error")
    codecs = bags[0].codec(key.topic), bags[1].codec(key.topic)
    times = bags[0].times(key.topic)
    known = leading_to(common(*codecs))
    for side_a, side_b in pairs(*bags, key.topic, together):
        for row, tick in enumerate(side_a.ticks.tolist()):
            a, b = (
                codec.decode(side.payload(row))
                for codec, side in zip(codecs, (side_a, side_b), strict=True)
            )
            writer.write(name, codecs[0].encode(_difference(a, b, known)), int(times[tick]))


def _difference(a: Any, b: Any, known: frozenset[str], path: str = "") -> Any:
    """b - a of numbers.

    Anything else, and fields that are not `known` to be in both, are as in a.
    """
    if is_dataclass(a) and not isinstance(a, type):
        if getattr(a, "__msgtype__", "") in TIMES:
            return a
        found = {}
        for name in (f.name for f in fields(a)):
            below = f"{path}.{name}" if path else name
            found[name] = getattr(a, name)
            if below in known:
                found[name] = _difference(found[name], getattr(b, name), known, below)
        return found
    if isinstance(a, np.ndarray):
        count = min(len(a), len(b))
        return _of_arrays(a[:count], b[:count]) if len(a) == len(b) or count else a[:0]
    if isinstance(a, list):
        below = f"{path}[]"
        return [_difference(one, other, known, below) for one, other in zip(a, b, strict=False)]
    if isinstance(a, (bool, str)):
        return a != b if isinstance(a, bool) else a
    if isinstance(a, int):
        return _of_arrays(np.array([a]), np.array([b])).item() if _fits(a, b) else 0
    return b - a


def _fits(a: int, b: int) -> bool:
    return all(-(2**63) <= x < 2**63 for x in (a, b, b - a))


def _of_arrays(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> npt.NDArray[Any]:
    found: npt.NDArray[Any]
    with np.errstate(over="ignore", invalid="ignore"):
        if a.dtype.kind == "b":
            found = np.not_equal(a, b)
        elif a.dtype.kind == "u":
            found = np.where(b > a, b - a, a - b)
        else:
            found = np.subtract(b, a)
    return found


def _plots(comparison: Comparison) -> Iterator[tuple[KeyComparison, str]]:
    """The fields that are worth a plot: those that differ, or else the first ones of each key."""
    left = _MOST_PLOTS
    keys = sorted(comparison.keys.values(), key=lambda key: key.matches)
    for key in keys:
        found = sorted(key.judged.fields.values(), key=lambda field: field.matches)
        numeric = [
            path for f in found for path in f.parts if "[" not in f.type and f.type != "string"
        ]
        for path in numeric[:left]:
            left -= 1
            yield key, path


def _foxglove(plots: list[tuple[KeyComparison, str]]) -> dict[str, Any]:
    panels: dict[str, Any] = {}
    for number, (key, path) in enumerate(plots, 1):
        for part, sides in (("values", ("a", "b")), ("error", ("error",))):
            panels[f"Plot!{part}{number}"] = {
                "title": f"{key.topic} {path}" + (" error" if part == "error" else ""),
                "paths": [
                    {
                        "value": f"{_quoted(_topic(side, key))}.{path}",
                        "enabled": True,
                        "timestampMethod": "receiveTime",
                        "color": _COLOURS[("a", "b", "error").index(side)],
                    }
                    for side in sides
                ],
                "showLegend": True,
                "isSynced": True,
                "xAxisVal": "timestamp",
            }
    return {
        "configById": panels,
        "globalVariables": {},
        "userNodes": {},
        "playbackConfig": {"speed": 1},
        "layout": _mosaic(list(panels)),
    }


def _quoted(topic: str) -> str:
    """A topic as a Foxglove message path writes it."""
    return topic if re.fullmatch(r"[\w/]+", topic) else json.dumps(topic)


def _mosaic(names: list[str]) -> Any:
    """Panels one below the other, values and their error side by side."""
    rows: list[Any] = [
        {"first": values, "second": error, "direction": "row", "splitPercentage": 50}
        for values, error in zip(names[::2], names[1::2], strict=True)
    ]
    while len(rows) > 1:
        *rows, upper, lower = rows
        share = 100 / (len(rows) + 2) * (len(rows) + 1) if rows else 50
        rows.append(
            {"first": upper, "second": lower, "direction": "column", "splitPercentage": share}
        )
    return rows[0] if rows else ""


def _plotjuggler(plots: list[tuple[KeyComparison, str]]) -> ET.Element:
    root = ET.Element("root")
    window = ET.SubElement(root, "tabbed_widget", {"name": "Main Window", "parent": "main_window"})
    for key, path in plots:
        tab = ET.SubElement(window, "Tab", tab_name=_xml(f"{key.topic} {path}"), containers="1")
        container = ET.SubElement(tab, "Container")
        splitter = ET.SubElement(
            container, "DockSplitter", orientation="-", sizes="0.6;0.4", count="2"
        )
        for name, sides in (("values", ("a", "b")), ("error", ("error",))):
            area = ET.SubElement(splitter, "DockArea", name=name)
            plot = ET.SubElement(area, "plot", mode="TimeSeries", style="Lines")
            for side in sides:
                colour = _COLOURS[("a", "b", "error").index(side)]
                curve = f"{_topic(side, key)}/{path.replace('.', '/')}"
                ET.SubElement(plot, "curve", name=_xml(curve), color=colour)
    ET.SubElement(window, "currentTabIndex", index="0")
    ET.SubElement(root, "use_relative_time_offset", enabled="1")
    return root


def _xml(text: str) -> str:
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "\ufffd", text)
