"""Output of `freeze data`."""
