"""What auditors ask of a lock: what is in it, under which license, where it came from. Pure."""
