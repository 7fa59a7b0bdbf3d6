from pathlib import Path

import pytest
from stranger import stranger

__all__ = ["stranger"]


@pytest.fixture(scope="session")
def bags() -> Path:
    """The folder of real sample bags."""
    return Path(__file__).resolve().parents[3] / "bags"
