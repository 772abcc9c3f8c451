"""`freeze lock`: resolve each ecosystem and put the lock together."""
