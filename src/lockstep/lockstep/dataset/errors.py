"""The one error of this package."""


class DatasetError(Exception):
    """A dataset cannot be read, written or made; the message names the key or place and says what to do."""
