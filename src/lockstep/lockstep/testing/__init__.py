"""Unit tests written once for every implementation of a contract: a pytest plugin
(docs/testing.md)."""
