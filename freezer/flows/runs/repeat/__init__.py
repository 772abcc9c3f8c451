"""Repeats recorded runs: `runs reproduce`, `runs verify` and `run --resume`."""
