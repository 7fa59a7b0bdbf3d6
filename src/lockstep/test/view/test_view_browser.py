"""The local page of runs in a real browser, with names that would like to be markup."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import Browser, chromium, needs_chromium
from lockstep.verify.progress_file import told
from lockstep.view.server import Viewer
from test_server import write_case, write_results, write_run

pytestmark = needs_chromium
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: Any) -> Path:
    folder: Path = tmp_path_factory.mktemp("runs")
    write_run(folder / "green", "match")
    write_run(folder / "red")
    (folder / "red/contract.json").write_text(json.dumps({"component": HOSTILE}))
    write_case(folder / "nightly", bag=HOSTILE)
    write_run(folder / "nightly/imu/cpp")
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: Any) -> Iterator[Browser]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield Browser(driver)


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with Viewer(folder, 0) as viewer:
        thread = threading.Thread(target=viewer.serve_forever, args=(0.01,))
        thread.start()
        yield viewer.url
        viewer.shutdown()
        thread.join()


def until(browser: Browser, selector: str, text: str) -> None:
    """Wait until the page, which asks every other second, shows a text."""
    deadline = time.monotonic() + 20
    while text not in browser.text(selector):
        assert time.monotonic() < deadline, browser.text(selector)
        time.sleep(0.05)


def test_it_lists_runs_and_suites_and_takes_names_for_text(browser: Browser, url: str) -> None:
    browser.load(url)
    until(browser, "#counts", "3 of 3 runs")
    assert [word.text for word in browser.all(".runs .word")].count("differs") == 2
    assert "<img" in browser.text(".runs")
    assert "<img" in browser.text(".matrix")
    assert browser.script("return document.title").endswith("Lockstep")
    assert browser.errors() == []


def test_words_filter_runs(browser: Browser, url: str) -> None:
    browser.load(url)
    until(browser, "#counts", "3 of 3 runs")
    browser.wait_for("#filter").send_keys("match")
    until(browser, "#counts", "1 of 3 runs")
    assert "green" in browser.text(".runs")


def test_two_reports_are_laid_side_by_side_and_each_may_do_nothing_to_the_page(
    browser: Browser, url: str
) -> None:
    browser.load(url)
    until(browser, "#counts", "3 of 3 runs")
    for name in ("green", "red"):
        browser.wait_for(f"input[aria-label='choose {name}']").click()
    browser.wait_for(".side iframe")
    frames = browser.all(".side iframe")
    assert [frame.get_attribute("sandbox") for frame in frames] == ["allow-scripts"] * 2
    browser.driver.switch_to.frame(frames[0])
    assert browser.text("p") == "report"
    browser.driver.switch_to.default_content()


def test_a_run_that_goes_on_is_shown_as_far_as_it_is(
    browser: Browser, url: str, folder: Path
) -> None:
    browser.load(url)
    (folder / "now").mkdir()
    with told(folder / "now", None) as watch:
        watch("running cpp")(3, 9)
        until(browser, ".runs", "running cpp, 3 of 9")
        assert browser.script("return document.querySelector('progress').value") == 3
    (folder / "now").rmdir()
    until(browser, "#counts", "3 of 3 runs")


@pytest.fixture(scope="module")
def suites(folder: Path) -> None:
    """A suite whose case, of a hostile name, turned bad and slow with its second commit."""
    pytest.importorskip("duckdb")
    write_results(folder / "weekly", HOSTILE.replace("/", ""))


@pytest.mark.usefixtures("suites")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_case_is_shown_over_commits_with_its_changes(
    browser: Browser, url: str, width: int
) -> None:
    browser.load(url, width=width)
    until(browser, "#page", "weekly/0001-a")
    browser.wait_for("a.trend[href*='weekly']").click()
    until(browser, ".turned", "since commit 2222222222; the last that matched is 1111111111")
    assert "<img" in browser.text(".trends h2")
    charts = [chart.get_attribute("aria-label") for chart in browser.all(".chart")]
    assert "/out x: messages that differ, 2 commits, from 0 messages to 3 messages" in charts
    (change,) = (item.text for item in browser.all(".changed li") if "1 µs → 2 µs" in item.text)
    assert change.startswith("from commit 2222222222 on 1 µs → 2 µs × 2 (")
    assert len(browser.all(".chart .change")) == 3
    assert browser.script("return document.documentElement.scrollWidth") <= width
    assert browser.errors() == []
    browser.wait_for("a[href='#']").click()
    until(browser, "#page", "weekly/0001-a")


@pytest.mark.usefixtures("suites")
@pytest.mark.parametrize("width", [1280, 390])
def test_what_changed_since_the_commit_before_is_told(
    browser: Browser, url: str, width: int
) -> None:
    browser.load(url, width=width)
    browser.wait_for("a.changes[href*='weekly']").click()
    until(browser, ".between", "1111111111 → 2222222222")
    rows = [row.text for row in browser.all(".between tbody tr")]
    assert any("median of a callback" in row and "worse" in row for row in rows)
    assert not any("better" in row for row in rows)
    assert browser.script("return document.documentElement.scrollWidth") <= width
    assert browser.errors() == []


@pytest.mark.usefixtures("suites")
def test_why_there_are_no_results_over_time_is_told(browser: Browser, url: str) -> None:
    browser.load(f"{url}#trends?suite=nightly&case=imu/cpp")
    until(browser, ".problem", "there are no results")
    browser.load("about:blank")


def test_it_fits_a_phone(browser: Browser, url: str) -> None:
    browser.load(url, width=390)
    until(browser, "#counts", "3 of 3 runs")
    assert browser.script("return document.documentElement.scrollWidth") <= 390
