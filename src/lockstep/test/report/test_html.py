"""The HTML report says what was compared, whatever stands in the bags, in a
file of bounded size.
"""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import json
import re
import subprocess
import sys
import tracemalloc
import warnings
from collections.abc import Iterable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from lockstep.bag import Bag, BagWriter
from lockstep.compare import Comparison, Tolerance, compare
from lockstep.compare.simplest_law import Diagnosis
from lockstep.errors import CompareError
from lockstep.printable import one_line
from lockstep.report import ReportError
from lockstep.report.error_map import ErrorMap
from lockstep.report.html import write_html
from lockstep.report.page import as_json
from lockstep.report.page_plots import plots_of
from lockstep.report.series import FieldSeries, Limits, field_series
from lockstep.report.spread import Spread, bin_edges
from lockstep.report.trace import Trace
from made_bags import MIXED, plain_mixed, write_messages

pytestmark = pytest.mark.skipif(not find_spec("plotly"), reason="plotly is not installed")
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&amp;\u2028]]>"
MOST_BYTES = 15_000_000
NAN, INF = float("nan"), float("inf")


@pytest.fixture(autouse=True)
def no_warnings() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        yield


def write(path: Path, messages: Iterable[dict[str, Any]], topic: str = "/x") -> Path:
    """A bag of Mixed messages, a millisecond apart."""
    whole = (plain_mixed(**message) for message in messages)
    return write_messages(path, "pkg/msg/Mixed", MIXED, whole, topic=topic)


def write_numbers(path: Path, values: np.ndarray, fields: int = 1) -> Path:
    """A bag of messages with `fields` float64 each, all of one value, a millisecond apart."""
    payload = np.zeros((len(values), 4 + 8 * fields), np.uint8)
    payload[:, 1] = 1
    payload[:, 4:] = np.repeat(values[:, None], fields, axis=1).astype("<f8").view(np.uint8)
    definition = "".join(f"float64 field_{number}\n" for number in range(fields))
    with BagWriter(path, compression="none") as writer:
        writer.add_topic("/numbers", "pkg/msg/Numbers", definition)
        writer.write_columns("/numbers", payload, np.arange(len(values)) * 1_000_000)
    return path


def report(folder: Path, a: Path, b: Path, comparison: Comparison, **options: Any) -> str:
    """The text of a report of one comparison."""
    file = folder / "report.html"
    write_html(file, {"b": comparison}, {"b": (a, b)}, **options)
    return file.read_bytes().decode()


def data_of(page: str) -> Any:
    """What the script of the page gets."""
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def series_of(a: Path, b: Path, comparison: Comparison, field: str, **limits: int) -> FieldSeries:
    (key,) = comparison.keys.values()
    with Bag(a) as bag_a, Bag(b) as bag_b:
        found = field_series(
            (bag_a, bag_b), key, [key.judged.fields[field]], comparison.tolerances, Limits(**limits)
        )
    return found[field]


class Elements(html.parser.HTMLParser):
    """The elements of a page, with their attributes, and what stands in its scripts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.found and self.found[-1][0] == "script":
            self.scripts[-1] += data


def test_the_verdict_the_keys_and_the_worst_field_are_told(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"x": float(tick)} for tick in range(10)])
    b = write(tmp_path / "b", [{"x": tick + (tick == 7)} for tick in range(10)])
    data = data_of(report(tmp_path, a, b, compare(a, b, names=("python", "cpp")), title="Filter"))
    (verdict,) = data["verdicts"]
    assert data["title"] == "Filter"
    assert not data["match"]
    assert verdict["headline"] == "DIFFERENT: cpp does not do what python does"
    assert verdict["sentence"] == "1 of 10 aligned messages have wrong values"
    assert data["keys"][0]["first"] == {"tick": 7, "s": 0.007}
    worst = data["fields"][0]
    assert (worst["field"], worst["wrong"], worst["max_error"], worst["first_tick"]) == (
        "x",
        1,
        1.0,
        7,
    )
    plots = data["plots"]["0"]
    assert plots["a"]["y"] == list(range(10))
    assert plots["error"]["y"] == [0] * 7 + [1, 0, 0]
    assert plots["first"] == {"tick": 7, "s": 0.007, "y": 1}
    assert list(data["plots"]) == ["0"]  # equal fields have no plots
    assert any("@@ tick 7" in line for line in data["diffs"][0]["lines"])


def test_a_match_is_told_with_its_confidence(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"x": 1.0}] * 300)
    page = report(tmp_path, a, a, compare(a, a, names=("python", "cpp")))
    assert len(page) < 150_000, "nothing is drawn, so the drawing library stays out"
    data = data_of(page)
    assert data["match"]
    assert data["verdicts"][0]["sentence"].startswith("identical bytes in 300 messages: with 95 %")
    assert data["plots"] == {}
    assert data["diffs"] == []


def test_names_and_texts_from_a_bag_are_never_markup(tmp_path: Path) -> None:
    topic = f"/{HOSTILE}"
    a = write(tmp_path / "a", [{"name": "a"}] * 3, topic)
    b = write(tmp_path / "b", [{"name": HOSTILE, "words": [HOSTILE]}] * 3, topic)
    comparison = compare(a, b, names=(HOSTILE, f"{HOSTILE}b"))
    comparison.keys[topic].explained.diagnoses["name"] = Diagnosis("hostile", HOSTILE, 1.0)
    page = report(tmp_path, a, b, comparison, title=HOSTILE)
    data = data_of(page)
    assert data["title"] == one_line(HOSTILE)
    assert data["keys"][0]["topic"] == one_line(topic)
    assert data["verdicts"][0]["a"] == one_line(HOSTILE)
    assert data["reasons"][0]["sentence"] == one_line(HOSTILE)
    name = next(row["index"] for row in _numbered(data["fields"]) if row["field"] == "name")
    assert ["a", 3, 0] in data["plots"][str(name)]["texts"]
    assert [one_line(HOSTILE), 0, 3] in data["plots"][str(name)]["texts"]
    elements = Elements(page)
    tags = [tag for tag, _ in elements.found]
    assert tags.count("script") == 3
    assert not {"img", "iframe", "object", "link"} & set(tags)
    assert not any(name.startswith("on") for _, attributes in elements.found for name in attributes)
    assert "\u2028" not in elements.scripts[0]
    assert not re.search("[<>&]", elements.scripts[0])


def _numbered(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"index": index} for index, row in enumerate(rows)]


@given(st.text())
def test_json_in_a_page_ends_no_element_and_reads_back_as_can_be_printed(text: str) -> None:
    written = as_json({"text": text})
    assert written.isascii()
    assert not re.search("[<>&]", written)
    assert json.loads(written) == {"text": one_line(text)}


def test_no_name_turns_the_direction_of_a_page(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"x": 1.0}])
    b = write(tmp_path / "b", [{"x": 2.0}])
    names = ("a\u2066", "\u202eb")
    page = report(tmp_path, a, b, compare(a, b, names=names), title="\u202ehctam")
    shown = page[: page.index('<script type="application/json"')]
    assert r"\u202ehctam" in shown and not re.search("[\u202a-\u202e\u2066-\u2069]", shown)
    (verdict,) = data_of(page)["verdicts"]
    assert (verdict["a"], verdict["b"]) == (r"a\u2066", r"\u202eb")


def test_only_the_scripts_of_the_page_may_run_and_nothing_is_loaded(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"x": 1.0}])
    b = write(tmp_path / "b", [{"x": 2.0}])
    page = report(tmp_path, a, b, compare(a, b))
    elements = Elements(page)
    policy = next(
        attributes["content"] or ""
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    hashes = [
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in re.findall("<script>(.*?)</script>", page, re.DOTALL)
    ]
    assert rules["default-src"] == "'none'"
    assert set(rules["script-src"].split()) == set(hashes)
    assert rules["img-src"] == "data:"
    assert not any({"src", "srcset"} & attributes.keys() for _, attributes in elements.found)


def test_the_same_data_give_the_same_bytes(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"x": 1.0}])
    b = write(tmp_path / "b", [{"x": 2.0}])
    assert report(tmp_path, a, b, compare(a, b)) == report(tmp_path, a, b, compare(a, b))


def test_a_million_differing_messages_are_bounded_and_keep_their_peaks(tmp_path: Path) -> None:
    count, peak, first = 1_000_000, 765_432, 12_345
    values = np.sin(np.arange(count) / 1000)
    other = values + np.where(np.arange(count) >= first, 1e-6, 0.0)
    other[peak] = values[peak] - 5.0
    a, b = write_numbers(tmp_path / "a", values), write_numbers(tmp_path / "b", other)
    comparison = compare(a, b)
    page = report(tmp_path, a, b, comparison)
    assert len(page.encode()) < MOST_BYTES
    plots = data_of(page)["plots"]["0"]
    assert len(plots["error"]["y"]) <= 2000
    assert plots["error"]["y"][plots["error"]["tick"].index(peak)] == -5
    assert peak in plots["b"]["tick"]
    assert plots["first"]["tick"] == first
    assert sum(plots["spreads"]["counts"][0]) == sum(plots["error_spread"]["counts"][0]) == count
    tracemalloc.start()
    series_of(a, b, comparison, "field_0")
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 60_000_000


def test_hundreds_of_fields_are_bounded_and_the_worst_are_drawn(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(size=3000)
    a = write_numbers(tmp_path / "a", values, 300)
    b = write_numbers(tmp_path / "b", values * 1.1, 300)
    page = report(tmp_path, a, b, compare(a, b))
    data = data_of(page)
    assert len(page.encode()) < MOST_BYTES
    assert len(data["fields"]) == 300
    assert len(data["plots"]) == 100


def test_an_array_shows_its_worst_element_and_where_errors_are(tmp_path: Path) -> None:
    ranges = np.random.default_rng(1).normal(size=(50, 360))
    other = ranges.copy()
    other[30, 357] += 3.0
    other[10, 5] += 0.5
    a = write(tmp_path / "a", [{"ranges": row} for row in ranges])
    b = write(tmp_path / "b", [{"ranges": row} for row in other])
    comparison = compare(a, b)
    series = series_of(a, b, comparison, "ranges", cells=96 * 25)
    assert (series.element, series.width) == (357, 360)
    assert series.a and series.error and series.map
    np.testing.assert_allclose(series.a[1], ranges[:, 357])
    np.testing.assert_allclose(series.error[1][[10, 30]], [0.5, 3.0])
    assert [
        (int(series.map.index_starts[i]), int(series.map.row_starts[j]))
        for i, j in np.argwhere(series.map.cells)
    ] == [(3, 10), (356, 30)]  # cells of up to four elements
    assert series.map.cells.max() == pytest.approx(3.0)


def test_arrays_of_other_lengths_are_errors_that_are_no_numbers(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"ranges": [1.0] * (tick % 3)} for tick in range(9)])
    b = write(tmp_path / "b", [{"ranges": [1.0] * (tick % 4)} for tick in range(9)])
    series = series_of(a, b, compare(a, b), "ranges")
    assert series.no_number.tolist() == [t for t in range(9) if t % 3 != t % 4]
    assert series.map
    assert np.isinf(series.map.cells).any()


def test_rotations_stamps_and_texts_have_errors_of_their_own(tmp_path: Path) -> None:
    turned = {"x": 0.0, "y": 0.0, "z": -np.sin(0.05), "w": -np.cos(0.05)}
    a = write(tmp_path / "a", [{"stamp": {"sec": 5, "nanosec": tick}} for tick in range(4)])
    changes = {"orientation": turned, "name": "no", "stamp": {"sec": 5, "nanosec": 500}}
    b = write(tmp_path / "b", [changes] * 4)
    comparison = compare(a, b, align="tick", tolerance={"orientation": Tolerance(quaternion=0.01)})
    rotation = series_of(a, b, comparison, "orientation")
    assert rotation.error and rotation.b
    assert rotation.error[1] == pytest.approx([0.1] * 4)
    assert rotation.b[1] == pytest.approx([np.sin(0.05)] * 4)  # the sign that is nearer to a
    assert rotation.limit.tolist() == [0.01] * 4
    stamp = series_of(a, b, comparison, "stamp")
    assert stamp.error and stamp.a
    assert stamp.error[1] == pytest.approx([5e-7, 4.99e-7, 4.98e-7, 4.97e-7])
    assert stamp.a[1] == pytest.approx([0, 1e-9, 2e-9, 3e-9])
    text = series_of(a, b, comparison, "name")
    assert text.error and text.a is None
    assert text.error[1].tolist() == [1.0] * 4


reals = st.sampled_from([0.0, -0.0, 1.0, 1.1, -1.0, 3.15, -3.15, NAN, INF, 1e150])
messages = st.fixed_dictionaries(
    {
        "x": reals,
        "small": st.sampled_from([0.0, 1.0, NAN, INF]),
        "count": st.sampled_from([0, 1, 2**63 - 1, -(2**63)]),
        "on": st.booleans(),
        "name": st.sampled_from(["", "a", "b"]),
        "ranges": st.lists(reals, max_size=3),
        "pair": st.lists(st.sampled_from([0.0, 1.0, NAN]), min_size=2, max_size=2),
        "words": st.lists(st.sampled_from(["", "a"]), max_size=2),
        "points": st.lists(
            st.fixed_dictionaries({"x": reals, "inner": st.lists(reals, max_size=2)}), max_size=2
        ),
        "orientation": st.fixed_dictionaries({name: reals for name in "xyzw"}),
    }
)
tolerances = st.builds(
    Tolerance,
    abs=st.sampled_from([0.0, 0.15, 1e30]),
    rel=st.sampled_from([0.0, 0.2]),
    ulp=st.sampled_from([0, 5_000_000]),
    angle=st.booleans(),
    unordered=st.booleans(),
    nan=st.booleans(),
)
rules = st.one_of(
    st.dictionaries(
        st.sampled_from(["*", "ranges", "points[].inner", "x"]), tolerances, max_size=2
    ),
    st.builds(lambda most: {"orientation": Tolerance(quaternion=most)}, st.sampled_from([0, 0.5])),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(messages, messages), min_size=1, max_size=5), rules)
def test_whatever_is_compared_is_drawn_with_the_errors_of_the_comparator(
    tmp_path_factory: Any, both: list[Any], rules: dict[str, Tolerance]
) -> None:
    folder = tmp_path_factory.mktemp("bags")
    a = write(folder / "a", [left for left, _ in both])
    b = write(folder / "b", [right for _, right in both])
    try:
        comparison = compare(a, b, align="tick", tolerance=rules)
    except CompareError as error:  # of arrays that would each be compared in any order
        assert "have one length" in str(error)
        reject()
    (key,) = comparison.keys.values()
    with Bag(a) as bag_a, Bag(b) as bag_b:
        drawn = field_series(
            (bag_a, bag_b), key, list(key.judged.fields.values()), comparison.tolerances
        )
    for path, found in key.judged.fields.items():
        series = drawn[path]
        json.dumps(plots_of(series, key), allow_nan=False)
        assert series.error
        most = np.nanmax(np.abs(series.error[1]), initial=0.0)
        finite = not len(series.no_number) and np.isfinite(found.max_error)
        if finite and not found.other_lengths:
            # Of errors that are wrong, which may be smaller than some that are not, the comparator
            # tells the largest.
            assert most >= found.max_error * (1 - 1e-9)
            assert found.wrong or most == pytest.approx(found.max_error)
        if not found.matches and found.first_tick is not None:
            assert series.first and series.first[0] == found.first_tick


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400),
    st.integers(1, 40),
    st.integers(1, 30),
)
def test_a_trace_in_parts_keeps_the_extremes_of_the_whole(
    values: list[float], columns: int, part: int
) -> None:
    array = np.array(values)
    trace = Trace(columns, len(array))
    for start in range(0, len(array), part):
        rows = np.arange(start, min(start + part, len(array)))
        trace.add(rows, array[rows])
    rows, kept = trace.points()
    assert len(rows) <= max(2 * columns, 1)
    assert (kept.min(), kept.max()) == (array.min(), array.max())
    np.testing.assert_array_equal(array[rows], kept)


@given(st.integers(1, 300), st.integers(1, 60), st.integers(1, 500), st.integers(1, 17), st.data())
def test_a_map_of_errors_loses_none(
    width: int, total: int, cells: int, part: int, data: st.DataObject
) -> None:
    row, index = data.draw(st.integers(0, total - 1)), data.draw(st.integers(0, width - 1))
    error = np.zeros((total, width))
    error[row, index] = -2.0
    found = ErrorMap(width, total, cells)
    for start in range(0, total, part):
        rows = np.arange(start, min(start + part, total))
        found.add(rows, error[rows])
    ((i, j),) = np.argwhere(found.cells).tolist()
    assert found.index_starts[i] <= index < [*found.index_starts[1:], width][i]
    assert found.row_starts[j] <= row < [*found.row_starts[1:], total][j]


@given(st.lists(st.floats(allow_infinity=True, allow_nan=True), min_size=1))
def test_every_finite_number_falls_into_a_bin(values: list[float]) -> None:
    array = np.clip(np.array(values), -1e300, 1e300)
    array[np.isinf(np.array(values))] = INF
    finite = array[np.isfinite(array)]
    low, high = (finite.min(), finite.max()) if finite.size else (INF, -INF)
    spread = Spread(bin_edges(low, high))
    spread.add(array)
    assert spread.counts.sum() == finite.size


def test_the_first_differing_image_is_shown_with_its_wrong_pixels(
    tmp_path: Path, bags: Path
) -> None:
    image_module = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
    topic = "/spot/camera/hand_color/image"
    with Bag(bags / "spot_raw_stills") as stills:
        about = stills.topics[topic]
        codec = stills.codec(topic)
        image = codec.decode(next(iter(stills.messages([topic]))).data)
    pixels = image.data.copy()
    wrong = (200 * image.step) + 3 * 300
    pixels[wrong] ^= 0xFF
    paths = []
    for name, data in (("a", image.data), ("b", pixels)):
        paths.append(tmp_path / name)
        with BagWriter(paths[-1]) as writer:
            writer.add_topic(topic, about.type, about.definition)
            for tick in range(3):
                sent = data if tick == 1 else image.data
                writer.write(topic, codec.encode(replace(image, data=sent)), tick * 10**9)
    page = report(tmp_path, *paths, compare(*paths))
    (shown,) = data_of(page)["images"]
    assert shown["tick"] == 1
    assert shown["sentence"].startswith(f"1 of {image.height * image.width} pixels differ")
    assert "row 200 column 300" in shown["sentence"]
    marked = base64.b64decode(shown["wrong"].partition(",")[2])
    colours = np.asarray(image_module.open(io.BytesIO(marked)))
    assert 4 <= (colours == [0xD5, 0x5E, 0x00]).all(axis=2).sum() <= 16
    assert len(page.encode()) < MOST_BYTES


def test_what_was_run_is_told(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"x": 1.0}])
    runs = {
        name: {
            "name": name, "bag": "runs/bag", "sent": {"/in": 5}, "recorded": {"/x": 1},
            "first_input_ns": 0, "wall_s": 1.5, "median_ns": median, "p99_ns": 9e4,
        }
        for name, median in (("python", 5e4), ("cpp", 1e4))
    }  # fmt: skip
    result = {
        "version": 1, "match": True, "reference": "python", "contract_mismatches": {}, "runs": runs,
        "noise_floor": [{"grade": "identical bytes", "samples": 1}], "comparisons": {},
    }  # fmt: skip
    run = data_of(report(tmp_path, a, a, compare(a, a), result=result))["run"]
    assert run["reference"] == "python"
    assert [found["median_ns"] for found in run["runs"]] == [5e4, 1e4]
    assert run["noise"] == [{"grade": "identical bytes", "samples": 1}]


def test_contracts_that_differ_are_told_without_any_comparison(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    result = {
        "match": False, "reference": "python", "runs": {},
        "contract_mismatches": {"cpp": ["has no output 'pose'"]},
    }  # fmt: skip
    write_html(file, {}, {}, result=result)
    data = data_of(file.read_text("utf-8"))
    assert not data["match"]
    assert data["run"]["contract_mismatches"] == {"cpp": ["has no output 'pose'"]}


def test_explanations_stand_beside_their_fields(tmp_path: Path) -> None:
    noise = np.random.default_rng(2).normal(size=(2, 200))
    a = write(tmp_path / "a", [{"x": x, "small": 0.0} for x in noise[0]])
    b = write(tmp_path / "b", [{"x": 2 * x, "small": y} for x, y in noise.T])
    data = data_of(report(tmp_path, a, b, compare(a, b)))
    rows = {row["field"]: row for row in data["fields"]}
    assert "2" in rows["x"]["explanation"]["sentence"]
    assert rows["x"]["explanation"]["explains"] == pytest.approx(1.0)
    assert rows["small"]["explanation"] is None
    assert "explanation" not in rows["count"]
    assert [reason["fields"] for reason in data["reasons"]] == [["x"]]


def test_distributions_are_told_where_messages_are_not_aligned(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).normal(size=(2, 400))
    a = write(tmp_path / "a", [{"x": x} for x in noise[0]])
    b = write(tmp_path / "b", [{"x": x + 1} for x in noise[1]])
    data = data_of(report(tmp_path, a, b, compare(a, b, align="none")))
    assert not data["match"]
    worst = data["distributions"][0]
    assert (worst["field"], worst["match"], worst["counts"]) == ("x", False, [400, 400])


def test_files_are_told_by_their_hash(tmp_path: Path) -> None:
    a = write(tmp_path / "a", [{"x": 1.0}])
    b = write(tmp_path / "b", [{"x": 2.0}])
    data = data_of(report(tmp_path, a, b, compare(a, b)))
    files = [bag["files"][0] for bag in data["bags"]]
    for path, file in zip((a, b), files, strict=True):
        content = (path / file["name"]).read_bytes()
        assert file["sha256"] == hashlib.sha256(content).hexdigest()
        assert file["bytes"] == len(content)


def test_a_topic_of_one_side_and_bags_that_are_not_given_leave_out_only_the_plots(
    tmp_path: Path,
) -> None:
    a = write(tmp_path / "a", [{"x": 1.0}])
    b = write(tmp_path / "b", [{"x": 2.0}], topic="/other")
    data = data_of(report(tmp_path, a, b, compare(a, b)))
    assert {row["problem"] for row in data["keys"]} == {"not in a", "not in b"}
    c = write(tmp_path / "c", [{"x": 2.0}])
    file = tmp_path / "without.html"
    write_html(file, {"c": compare(a, c)}, {})
    data = data_of(file.read_text("utf-8"))
    assert data["plots"] == {}
    assert data["fields"][0]["field"] == "x"


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReportError, match="cannot be written"):
        write_html(tmp_path / "file" / "report.html", {}, {})


def test_it_can_be_imported_without_ros_and_loads_no_drawing_library() -> None:
    code = (
        "import sys, lockstep.report.html;"
        "print([m for m in ('rclpy', 'plotly', 'matplotlib', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
