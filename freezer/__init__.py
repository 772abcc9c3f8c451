"""Freezer: freeze the environment of an ML training job and prove it still trains the same."""

__version__ = "0.1.0"
