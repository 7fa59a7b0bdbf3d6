"""Verification: plan, run, compare, report, record."""
