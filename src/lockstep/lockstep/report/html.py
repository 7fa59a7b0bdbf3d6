"""One self-contained HTML file that shows what was compared.

Verdict, tables, plots, images and text diffs. Names and values from bags are data in it, never
markup: they are JSON that the page's own script puts into text nodes. The file asks for nothing
from the network; its Content-Security-Policy lets only its own scripts run.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from html import escape
from importlib import resources
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from string import Template
from typing import Any

from ..bag import Bag
from ..compare.comparison import Comparison, summary
from ..compare.kinds.pixels import PIXELS
from ..compare.transforms import as_compared
from ..errors import ReportError
from ..printable import one_line
from .clouds import CLOUD, cloud_data
from .page import (
    MOST_FIELDS,
    MOST_KEYS,
    FoundField,
    as_json,
    cut,
    diff_rows,
    distribution_rows,
    field_rows,
    fields_of,
    key_rows,
    objections_of,
    reasons,
    run_data,
    verdict_rows,
)
from .page_plots import plots_of
from .plane import plane_data
from .provenance import bag_files, versions
from .series import Limits, field_series
from .wrong_images import holds_images, wrong_images

File = str | os.PathLike[str]
BagLike = Bag | str | os.PathLike[str]
MOST_PLOTS = 100
"""Fields that are drawn, the worst first."""
_COLUMNS, _ALL_COLUMNS = 1000, 22_000
"""Points in time that can be told apart: in one plot, and in all together."""
_CELLS, _ALL_CELLS = 20_000, 250_000
"""Cells of the map of errors of an array, and of all together."""
_ELEMENTS, _ALL_ELEMENTS = 10_000_000, 40_000_000
"""Numbers that are looked at: of one field, and of all together; for some seconds at most."""
_DRAWN = ("plots", "clouds", "planes")
_MOST_CLOUDS = 6
_MOST_PLANES = 12
_WORDS = {"match": "match", "differs": "DIFFERENT", "no verdict": "no verdict"}
_IMAGE_CHARACTERS, _DIFF_CHARACTERS = 1_500_000, 700_000


def write_html(
    file: File,
    comparisons: Mapping[str, Comparison],
    bags: Mapping[str, tuple[BagLike, BagLike]],
    *,
    title: str = "Comparison",
    result: Mapping[str, Any] | None = None,
) -> None:
    """Write a report of `comparisons`, by name, to `file`.

    It opens in any browser and is below 15 MB. `bags` are A and B of each comparison, from which
    plots and images are taken. `result` is a verification as result.json holds it: what was sent,
    recorded and how long callbacks took. Raises ReportError if the file cannot be written or a
    library is missing, BagError if a bag cannot be read.
    """
    with ExitStack() as stack:
        opened = {
            name: as_compared((_opened(a, stack), _opened(b, stack)), comparisons[name])
            for name, (a, b) in bags.items()
            if name in comparisons
        }
        data = _data(comparisons, opened, title, result)
    page = _rendered(title, data, _summary(comparisons, result))
    try:
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        Path(file).write_text(page, "utf-8", errors="backslashreplace")
    except OSError as error:
        raise ReportError(f"{file} cannot be written: {error.strerror or error}") from error


def _opened(bag: BagLike, stack: ExitStack) -> Bag:
    return bag if isinstance(bag, Bag) else stack.enter_context(Bag(bag))


def _data(
    comparisons: Mapping[str, Comparison],
    bags: Mapping[str, tuple[Bag, Bag]],
    title: str,
    result: Mapping[str, Any] | None,
) -> dict[str, Any]:
    fields = fields_of(comparisons)
    shown = fields[:MOST_FIELDS]
    match = all(comparison.all_match for comparison in comparisons.values())
    return {
        "title": title,
        "match": bool(result.get("match", match)) if result else match,
        "verdict": (result or {}).get("verdict", "match" if match else "differs"),
        "verdicts": verdict_rows(comparisons, result),
        "reasons": reasons(fields),
        "keys": key_rows(comparisons),
        "more_keys": max(0, sum(len(c.keys) for c in comparisons.values()) - MOST_KEYS),
        "fields": list(field_rows(shown, list(comparisons))),
        "more_fields": len(fields) - len(shown),
        "distributions": distribution_rows(comparisons),
        "plots": _plots(shown, comparisons, bags),
        "images": _images(comparisons, bags),
        "clouds": _clouds(comparisons, bags),
        "planes": _planes(comparisons, bags),
        "diffs": diff_rows(comparisons, _DIFF_CHARACTERS),
        "run": run_data(result) if result else None,
        "versions": versions(),
        "bags": [
            {"name": cut(side), "path": cut(str(bag.path), 400), "files": bag_files(bag)}
            for side, bag in _sides(comparisons, bags).items()
        ],
    }


def _sides(
    comparisons: Mapping[str, Comparison], bags: Mapping[str, tuple[Bag, Bag]]
) -> dict[str, Bag]:
    """Each bag once, by what it is called."""
    found: dict[str, Bag] = {}
    for name, (a, b) in bags.items():
        found.setdefault(comparisons[name].name_a, a)
        found.setdefault(comparisons[name].name_b, b)
    return found


def _plots(
    fields: list[FoundField],
    comparisons: Mapping[str, Comparison],
    bags: Mapping[str, tuple[Bag, Bag]],
) -> dict[str, Any]:
    """What is drawn of the worst fields, by their row in the table."""
    drawn = [
        (row, found)
        for row, found in enumerate(fields)
        if found.differs and found.name in bags and not _is_picture(found)
    ][:MOST_PLOTS]
    count = max(1, len(drawn))
    arrays = max(1, sum("[" in found.field.type or "[" in found.field.field for _, found in drawn))
    limits = Limits(
        columns=min(_COLUMNS, _ALL_COLUMNS // count),
        cells=min(_CELLS, _ALL_CELLS // arrays),
        elements=min(_ELEMENTS, _ALL_ELEMENTS // count),
    )
    plots: dict[str, Any] = {}
    for name, topic in dict.fromkeys((found.name, found.key.topic) for _, found in drawn):
        here = {
            row: found for row, found in drawn if found.name == name and found.key.topic == topic
        }
        key = next(iter(here.values())).key
        fields_here = [found.field for found in here.values()]
        tolerances = comparisons[name].tolerances
        series = field_series(bags[name], key, fields_here, tolerances, limits)
        for row, found in here.items():
            if found.field.field in series:
                plots[str(row)] = plots_of(series[found.field.field], key)
    return plots


def _is_picture(found: FoundField) -> bool:
    """Whether a field is the pixels of images, which are shown as such."""
    return found.field.kind == PIXELS.name


def _images(
    comparisons: Mapping[str, Comparison], bags: Mapping[str, tuple[Bag, Bag]]
) -> list[dict[str, Any]]:
    wanted = [
        (index, name, key)
        for index, (name, comparison) in enumerate(comparisons.items())
        for key in comparison.keys.values()
        if name in bags and holds_images(key) and key.judged.first
    ]
    found, left = [], _IMAGE_CHARACTERS
    for index, name, key in wanted:
        for image in wrong_images(bags[name], comparisons[name], key, left):
            left -= sum(len(image.get(part, "")) for part in ("a", "b", "wrong"))
            found.append(image | {"comparison": index, "topic": cut(key.topic)})
    return found


def _clouds(
    comparisons: Mapping[str, Comparison], bags: Mapping[str, tuple[Bag, Bag]]
) -> list[dict[str, Any]]:
    """The clouds of each topic that differ most, of the first topics."""
    wanted = [
        (index, name, key)
        for index, (name, comparison) in enumerate(comparisons.items())
        for key in comparison.keys.values()
        if name in bags and key.type == CLOUD and not key.judged.fields_match
    ][:_MOST_CLOUDS]
    return [
        {**drawn, "comparison": index, "topic": cut(key.topic)}
        for index, name, key in wanted
        if (drawn := cloud_data(bags[name], comparisons[name], key))
    ]


def _planes(
    comparisons: Mapping[str, Comparison], bags: Mapping[str, tuple[Bag, Bag]]
) -> list[dict[str, Any]]:
    """The first trajectories that are beyond their limit."""
    every = (
        {**plane, "comparison": index}
        for index, (name, comparison) in enumerate(comparisons.items())
        for key in comparison.keys.values()
        if name in bags
        for plane in plane_data(bags[name], comparison, key)
    )
    return list(islice(every, _MOST_PLANES))


def _summary(
    comparisons: Mapping[str, Comparison], result: Mapping[str, Any] | None
) -> Iterator[str]:
    known = (result or {}).get("comparisons", {})
    for name, comparison in comparisons.items():
        word = "NO VERDICT" if known.get(name, {}).get("verdict") == "no verdict" else "NO MATCH"
        yield from (f"{word}: {why}" for why in objections_of(known, name))
        headline, *lines = summary(comparison)
        if comparison.all_match and objections_of(known, name):
            headline = f"of what ran: {headline.partition(': ')[2]}"
        yield from (headline, *lines)


def _rendered(title: str, data: dict[str, Any], lines: Iterable[str]) -> str:
    # what browsers hash has newlines as \n
    scripts = {
        "plotly": _plotly() if any(data[drawn] for drawn in _DRAWN) else "",
        "script": _template("report.js"),
    }
    return Template(_template("report.html")).substitute(
        title=escape(one_line(title)),
        verdict=escape(_WORDS[data["verdict"]]),
        policy=escape(_policy(scripts.values())),
        summary=escape("\n".join(cut(line, 400) for line in islice(lines, 1000))),
        style=_template("report.css"),
        data=as_json(data),
        **scripts,
    )


def _plotly() -> str:
    """The script that comes with plotly; importing plotly would take as long as a small report."""
    package = find_spec("plotly")
    if package is None or package.origin is None:
        raise ReportError("the HTML report needs plotly; pip install plotly")
    script = Path(package.origin).with_name("package_data") / "plotly.min.js"
    return script.read_text("utf-8")


def _policy(scripts: Any) -> str:
    """Only these scripts, the styles that plots set, and images within the file."""
    hashes = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(value).decode()}'" for value in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _template(name: str) -> str:
    return (resources.files(__package__) / "templates" / name).read_text("utf-8")
