"""The HTML report in a real browser: it renders, is worked by mouse and
keyboard, and runs nothing from a bag.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
from chromium import needs_chromium
from lockstep.bag import BagWriter
from lockstep.compare import Tolerance, compare
from lockstep.message.definitions import definition
from lockstep.report.html import write_html
from made_bags import write_messages
from made_clouds import cloud, moved, some_points, write_clouds

if find_spec("selenium"):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(not find_spec("plotly"), reason="plotly is not installed"),
]
HOSTILE = "</script><img src=x onerror=\"document.title='owned'\">'&amp;"
TOPIC = f"/scan{HOSTILE}"
DEFINITION = "float64 x\nstring name\nfloat64[] ranges\n"
LOADS_WITHIN_S = 10.0 if os.environ.get("CI") else 5.0


class Browser(chromium.Browser):
    """A report in Chromium."""

    def open(self, page: Path, dark: bool = False, width: int = 1280) -> float:
        """Load a page and wait for its first plot; gives the seconds that took."""
        start = time.monotonic()
        self.load(page.as_uri(), dark, width)
        self.wait_for(".plot.main .main-svg")
        return time.monotonic() - start

    def field(self, name: str) -> Any:
        """The button of a field."""
        return next(b for b in self.all(".field-button") if b.text == name and b.is_displayed())


@pytest.fixture(scope="module")
def browser(tmp_path_factory: Any) -> Iterator[Browser]:
    with chromium.chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield Browser(driver)


def write(path: Path, scale: float, name: str) -> Path:
    """A bag of scans: with `scale`, part of each scan is off from tick 50 on."""

    def scan(tick: int) -> dict[str, Any]:
        ranges = 5 + np.sin(np.arange(180) / 20 + tick / 30)
        if tick >= 50:
            ranges[60:90] += scale
        return {"x": np.sin(tick / 20) * (1 + scale), "name": name, "ranges": ranges}

    scans = map(scan, range(200))
    return write_messages(
        path, "pkg/msg/Scan", DEFINITION, scans, topic=TOPIC, period_ns=50_000_000
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: Any) -> Path:
    """A report of two bags whose names, texts and topics would like to be markup."""
    folder = tmp_path_factory.mktemp("report")
    a, b = write(folder / "a", 0.0, "idle"), write(folder / "b", 0.01, HOSTILE)
    comparison = compare(a, b, tolerance={"x": Tolerance(abs=1e-3)}, names=("python", HOSTILE))
    write_html(folder / "report.html", {"b": comparison}, {"b": (a, b)}, title=HOSTILE)
    return folder / "report.html"


@pytest.fixture(scope="module")
def large_page(tmp_path_factory: Any) -> Path:
    """A report of a million messages that all differ."""
    folder = tmp_path_factory.mktemp("large")
    values = np.sin(np.arange(1_000_000) / 20_000)
    bags = []
    for name, column in (("a", values), ("b", values + 1e-3)):
        payload = np.zeros((len(column), 12), np.uint8)
        payload[:, 1] = 1
        payload[:, 4:] = column[:, None].astype("<f8").view(np.uint8)
        bags.append(folder / name)
        with BagWriter(bags[-1]) as writer:
            writer.add_topic("/x", "pkg/msg/Number", "float64 x\n")
            writer.write_columns("/x", payload, np.arange(len(column)) * 1_000_000)
    write_html(folder / "report.html", {"b": compare(*bags)}, {"b": (bags[0], bags[1])})
    return folder / "report.html"


def test_it_opens_with_the_verdict_the_worst_field_and_no_complaint(
    browser: Browser, page: Path
) -> None:
    browser.open(page)
    assert browser.text("h1").startswith("✗ Different: ")
    assert browser.text("h1").endswith(" does not do what python does")
    assert "200 of 200 aligned messages have wrong values" in browser.text(".verdict")
    assert browser.all("tr.chosen")
    assert browser.errors() == []
    assert browser.script("return document.documentElement.lang") == "en"


def test_all_fields_are_seen_over_time_and_chosen_by_keys(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.wait_for("#overview .heatmaplayer image")
    shown = browser.script("return document.querySelector('#overview .plot').data[0]")
    labels = browser.script(
        "return document.querySelector('#overview .plot').layout.yaxis.ticktext"
    )
    ranges, x = labels.index("ranges"), labels.index("x")
    half = len(shown["x"]) // 2
    # ranges are off from tick 50 of 200 on, x but for its sine's zeros
    assert not any(shown["customdata"][ranges][: half // 2 - 2])
    assert all(size in (0, 1) for size in shown["customdata"][ranges][half:])
    assert max(shown["customdata"][x]) == 1
    title = browser.text("#detail-title")
    browser.wait_for("body").send_keys("n")
    assert browser.text("#detail-title") != title
    browser.wait_for("body").send_keys("p")
    assert browser.text("#detail-title") == title
    browser.script(
        f"document.querySelector('#overview .plot').emit('plotly_click', {{points: [{{y: {x}}}]}})"
    )
    assert browser.text("#detail-title") == "x"
    assert browser.errors() == []


def test_what_is_within_tolerance_is_not_called_an_error(browser: Browser, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a", 0.0, "idle"), write(tmp_path / "b", 0.01, "idle")
    comparison = compare(a, b, tolerance=0.1)
    write_html(tmp_path / "report.html", {"b": comparison}, {"b": (a, b)})
    browser.open(tmp_path / "report.html")
    browser.field("ranges").click()
    browser.wait_for(".plot.map .heatmaplayer image")
    assert "values are within the tolerance (abs 0.1); at most 0.01 m apart" in browser.text(
        ".finding"
    )
    text = browser.script("return document.getElementById('page').textContent")
    assert "error" not in text.replace(TOPIC, "")
    assert browser.errors() == []


def test_images_lie_over_each_other_and_blink(browser: Browser, tmp_path: Path) -> None:
    def image(tick: int, off: int) -> dict[str, Any]:
        pixels = np.full((20, 30), 100, np.uint8)
        pixels[4, 7] += off
        header = {"stamp": {"sec": tick, "nanosec": 0}, "frame_id": ""}
        size = {"height": 20, "width": 30, "encoding": "mono8", "is_bigendian": 0, "step": 30}
        return {"header": header, **size, "data": pixels.reshape(-1)}

    kind = "sensor_msgs/msg/Image"
    offs = [0, 1, 2, 3, 90, 2, 1]
    a, b = (
        write_messages(tmp_path / name, kind, definition(kind), images, topic="/camera")
        for name, images in (
            ("a", [image(tick, 0) for tick in range(7)]),
            ("b", [image(tick, off) for tick, off in enumerate(offs)]),
        )
    )
    write_html(tmp_path / "report.html", {"b": compare(a, b)}, {"b": (a, b)})
    browser.driver.get((tmp_path / "report.html").as_uri())
    browser.wait_for("#images .over")
    heads = [head.text for head in browser.all("#images h3")]
    assert [head.partition(", ")[2][:7] for head in heads] == ["tick 4,", "tick 1,"]
    assert heads[0].endswith(": the worst and a typical one") and heads[1].endswith(": the first")
    above = "return document.querySelector('#images .over img:last-child').style.clipPath"
    assert "50%" in browser.script(above)
    browser.wait_for("#images .over input[type=checkbox]").click()
    seen = {browser.script(above) for _ in range(20) if time.sleep(0.1) is None}
    assert len(seen) == 2
    assert browser.errors() == []


def test_clouds_are_drawn_from_above_and_from_the_side(browser: Browser, tmp_path: Path) -> None:
    points = some_points(500)
    off = np.delete(moved(points, z=(7, 0.05), x=(9, -0.05)), [40, 41])
    a = write_clouds(tmp_path / "a", [cloud(points)])
    b = write_clouds(tmp_path / "b", [cloud(off)])
    write_html(tmp_path / "report.html", {"b": compare(a, b)}, {"b": (a, b)})
    browser.open(tmp_path / "report.html")
    assert "2 of 498 points are apart, by at most 0.05; 2 missing" in browser.text("#clouds")
    browser.wait_for("#clouds .gl-canvas")
    assert len(browser.all("#clouds .plot")) == 2
    # Without a graphics card the browser tells that it draws slowly.
    assert not [told for told in browser.errors() if "Policy" in told or "Uncaught" in told]


def test_a_click_on_a_field_shows_its_plots(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.field("ranges").click()
    assert browser.text("#detail-title") == "ranges"
    browser.wait_for(".plot.map .heatmaplayer image")
    assert len(browser.all(".plot .main-svg")) > 3
    assert "first: tick 50" in browser.script(
        "return document.querySelector('.plot.main').textContent"
    )
    browser.field("x").click()
    assert browser.text("#detail-title") == "x"
    browser.wait_for(".plot.main .scatterlayer")
    assert "tolerance abs 0.001" in browser.text(".plot.main .legend")
    assert not browser.all(".plot.map")
    assert browser.errors() == []


def test_errors_are_shown_on_a_logarithmic_scale_on_demand(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.field("x").click()
    axis = "return document.querySelector('.plot.main')._fullLayout.yaxis2.type"
    assert browser.script(axis) == "linear"
    browser.wait_for("#logarithmic").click()
    assert browser.script(axis) == "log"
    assert browser.errors() == []


def test_enter_on_a_field_shows_its_plots_and_the_focus_stays(browser: Browser, page: Path) -> None:
    browser.open(page)
    for name in ("ranges", "x"):
        browser.script("document.activeElement.blur()")
        button = browser.field(name)
        button.send_keys(Keys.ENTER)
        assert browser.text("#detail-title") == name
        browser.wait_for(".plot.main .scatterlayer")
        assert browser.driver.switch_to.active_element == button
        assert button.get_attribute("aria-current") == "true"


def test_names_from_a_bag_are_text(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.text("#topics tbody th") == TOPIC
    assert HOSTILE in browser.text("h1")
    browser.field("name").click()
    assert HOSTILE in browser.text(".columns table")
    assert HOSTILE in browser.text(".diff")
    browser.field("x").click()
    browser.wait_for(".plot.main .legend")
    legend = browser.script("return document.querySelector('.plot.main .legend').textContent")
    assert "</script>" in legend
    assert not browser.all("img")
    assert "owned" not in browser.script("return document.title")[:5]
    assert browser.errors() == []


def test_fields_are_filtered_and_sorted(browser: Browser, page: Path) -> None:
    browser.open(page)
    rows = "return [...document.querySelectorAll('#fields tbody tr')].filter(r => !r.hidden)"
    names = f"{rows}.map(r => r.querySelector('button').textContent)"
    assert sorted(browser.script(names)) == ["name", "ranges", "x"]
    browser.wait_for("#filter").send_keys("RANG")
    assert browser.script(names) == ["ranges"]
    browser.wait_for("#filter").clear()
    browser.wait_for("#filter").send_keys(" ")
    head = next(b for b in browser.all("#fields thead button") if b.text == "Field")
    head.click()
    assert browser.script(names) == ["name", "ranges", "x"]
    assert head.find_element(By.XPATH, "..").get_attribute("aria-sort") == "ascending"
    head.click()
    assert browser.script(names) == ["x", "ranges", "name"]


def test_every_control_and_table_has_a_name(browser: Browser, page: Path) -> None:
    browser.open(page)
    nameless = browser.script(
        "return [...document.querySelectorAll('button, input, [role=img], "
        "[role=region], table, section')]"
        ".filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length))"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert nameless == []
    assert browser.script(
        "return [...document.querySelectorAll('table')].every(t => t.caption &&"
        " [...t.querySelectorAll('th')].every(h => ['row', 'col'].includes(h.scope)))"
    )


def test_dark_mode_applies_also_while_the_page_is_open(browser: Browser, page: Path) -> None:
    brightness = (
        "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3)"
        ".reduce((all, part) => all + Number(part), 0)"
    )
    text = "return getComputedStyle(document.querySelector('.plot.main .legendtext')).fill"
    browser.open(page)
    assert browser.script(brightness) > 700
    light = browser.script(text)
    media = [{"name": "prefers-color-scheme", "value": "dark"}]
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    assert browser.script(brightness) < 150
    WebDriverWait(browser.driver, 10).until(lambda _: browser.script(text) != light)


@pytest.mark.parametrize("width", [1280, 700, 360])
def test_nothing_is_wider_than_the_window(browser: Browser, page: Path, width: int) -> None:
    browser.open(page, width=width)
    browser.field("ranges").click()
    browser.wait_for(".plot.map .heatmaplayer image")
    assert browser.script("return document.documentElement.scrollWidth") <= width


def test_a_report_of_a_million_messages_loads_at_once(browser: Browser, large_page: Path) -> None:
    browser.open(large_page)
    assert browser.open(large_page) < LOADS_WITHIN_S
    assert browser.errors() == []


def test_nothing_is_asked_for_from_the_network(browser: Browser, page: Path) -> None:
    browser.open(page)
    names = browser.script("return performance.getEntriesByType('resource').map(e => e.name)")
    assert [name for name in names if not name.startswith("data:")] == []
    assert browser.script("return performance.getEntriesByType('navigation').length") == 1


def test_what_was_not_aligned_shows_its_distributions_and_their_effect(
    browser: Browser, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    bags = [
        write_messages(
            tmp_path / name,
            "pkg/msg/X",
            "float64 x\nstring name\n",
            [{"x": x, "name": "n"} for x in rng.normal(offset, 1.0, 200).tolist()],
            topic="/x",
        )
        for name, offset in (("a", 0.0), ("b", 3.0))
    ]
    write_html(tmp_path / "r.html", {"b": compare(*bags, align="none")}, {"b": tuple(bags)})
    browser.load((tmp_path / "r.html").as_uri())
    browser.wait_for("#distributions svg polyline")
    assert len(browser.all("#distributions svg polyline")) == 2  # texts have none
    assert "(large)" in browser.text("#distributions")
