"""Why something cannot be ported."""

from __future__ import annotations

from ..run.errors import UsageError


class PortError(UsageError):
    """Bad input of prompt, scaffold and the like; one sentence that says what to do."""
