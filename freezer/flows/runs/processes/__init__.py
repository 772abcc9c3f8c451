"""Runs in separate processes: concurrent and detached ones."""
