"""Benchmarks: ratios of commands run side by side."""
