"""Output of the governance commands."""
