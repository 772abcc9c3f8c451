"""Smoke runs, their comparison with a reference, and the verdict."""
