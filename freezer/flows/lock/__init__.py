"""`freeze lock`: resolves each ecosystem and composes the lock."""
