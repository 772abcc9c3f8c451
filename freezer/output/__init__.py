"""Text, progress and JSON; the only package that prints."""
