"""The probe component as a real process, which passes the same tests in both languages."""

import pytest
from live_graph import PROBE, domain, observer, process_starter  # noqa: F401 - fixtures


@pytest.fixture
def start(start_process):
    """Start the probe with some arguments."""
    return lambda *arguments: start_process(PROBE, *arguments)
