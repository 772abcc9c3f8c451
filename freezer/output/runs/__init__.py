"""Output of `freeze run` and `freeze runs`."""
