"""Suites: many verifications, which ones, run at once, and what came out of them over time."""
