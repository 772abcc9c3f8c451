"""Freezer's conda solve beside rattler's own."""
