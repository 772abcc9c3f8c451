"""Freezer's tests: unit tests, tests that need an engine, an index or an archive, and their support."""
