"""Helpers that several flows share: concurrency, preloading, and timing."""
