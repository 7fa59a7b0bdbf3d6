"""The version of the library, for what is below the names that `lockstep` offers."""

__version__ = "0.1.0"
