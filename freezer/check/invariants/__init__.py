"""Numerical invariants: whether a training's results are as the spec's `expect` says. Pure."""
