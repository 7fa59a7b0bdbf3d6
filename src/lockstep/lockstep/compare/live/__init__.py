"""Comparing live topics, as their messages come in."""
