"""Smoke runs, comparison with a reference, and verdicts."""
