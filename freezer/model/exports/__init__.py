"""Forms in which other tools read the packages of a lock."""
