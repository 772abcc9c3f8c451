"""``freeze archive``: environments with all that their rebuild takes, kept for years."""
