"""Packages from git: requirements, and stand-ins for them during resolution."""
