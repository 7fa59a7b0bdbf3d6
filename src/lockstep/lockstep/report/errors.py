"""The one error of this package."""


class ReportError(ValueError):
    """What was asked for cannot be shown; the message names the field, key or file and says what to do."""
