"""Text, progress and JSON: the only room that prints."""
