"""Conda channels and packages made for tests."""
