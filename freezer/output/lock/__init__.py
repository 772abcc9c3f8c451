"""Output of `freeze lock`, `freeze update` and `freeze why`."""
