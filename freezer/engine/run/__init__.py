"""Runs containers: sandbox, CPU sets, output, and removal of leftover containers."""
