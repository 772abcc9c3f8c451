"""Packages from git: requirements as written, and stand-ins for them in resolution."""
