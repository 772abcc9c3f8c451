"""Numerical invariants: whether a training's results meet the spec's `expect`. Pure."""
