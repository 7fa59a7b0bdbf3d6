"""What may be asked of a drawing."""

MOST = 100_000_000
"""Messages."""
