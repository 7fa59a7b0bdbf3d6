"""Verification: plan, run, compare, report, record."""

from ..callable_package import make_callable

make_callable(__name__)  # `from lockstep import verify` is the function, too
