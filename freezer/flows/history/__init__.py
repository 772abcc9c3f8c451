"""Generations of a lock: record them, list them, and verify the files stored next to the lock."""
