"""A real browser for tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

if find_spec("selenium"):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DRIVER = shutil.which("chromedriver")
needs_chromium = pytest.mark.skipif(
    not (find_spec("selenium") and CHROMIUM and DRIVER),
    reason="selenium, chromium or chromium-driver is not installed",
)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Browser:
    """A page in Chromium; every request to the network is noted."""

    driver: Any

    def load(self, url: str, dark: bool = False, width: int = 1280) -> None:
        """Load a page, as wide as is wanted."""
        media = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
        size = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(url)

    def wait_for(self, selector: str) -> Any:
        """The first element of a CSS selector, once it is there."""
        return WebDriverWait(self.driver, 20).until(lambda driver: self.all(selector))[0]

    def all(self, selector: str) -> list[Any]:
        """All elements of a CSS selector."""
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def text(self, selector: str) -> str:
        """What a reader sees of the first element of a CSS selector."""
        return str(self.wait_for(selector).text)

    def script(self, code: str) -> Any:
        return self.driver.execute_script(code)

    def errors(self) -> list[str]:
        """What the browser complained of: errors, broken rules, refused requests."""
        return [str(entry["message"]) for entry in self.driver.get_log("browser")]


@contextmanager
def chromium(profile: Path) -> Iterator[Any]:
    """The driver of a Chromium with a profile of its own."""
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()
