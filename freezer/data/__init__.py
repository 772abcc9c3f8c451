"""Data sets by content: their files, one digest over all of them, and what changed since when."""
