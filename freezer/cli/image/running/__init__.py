"""`freeze run` in its ways: one run, a sweep in turn or at once, detached."""
