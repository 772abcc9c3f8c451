"""What a command costs beyond its real work: its start, and what it loads."""
