"""Checks of whole clusters: start, follow, resume, cancel, report."""
