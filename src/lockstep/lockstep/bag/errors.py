"""The one error of this package."""


class BagError(Exception):
    """A bag cannot be read or written; the message names it and says what to do."""
