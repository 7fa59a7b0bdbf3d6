import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from stranger import stranger

__all__ = ["stranger"]

# Processes that tests start find the components of this folder.
PLACES = [str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, PLACES))

# How long an example takes on a busy machine decides nothing.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")


@pytest.fixture(scope="session")
def bags() -> Path:
    """The folder of real sample bags."""
    return Path(__file__).resolve().parents[3] / "bags"
