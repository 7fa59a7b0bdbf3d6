"""The one error of this package."""


class CompareError(Exception):
    """What was asked for cannot be compared; the message says what to do."""
