"""The one error of this package."""


class DistError(ValueError):
    """A distribution makes no sense or does not fit a message; the text names the field and says what to do."""
