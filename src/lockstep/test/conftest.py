import os
from pathlib import Path

import pytest
from stranger import stranger

__all__ = ["stranger"]

# Processes that tests start find the components of this folder.
PLACES = [str(Path(__file__).resolve().parent), os.environ.get("PYTHONPATH")]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, PLACES))


@pytest.fixture(scope="session")
def bags() -> Path:
    """The folder of real sample bags."""
    return Path(__file__).resolve().parents[3] / "bags"
