"""Clusters of a test's own."""
