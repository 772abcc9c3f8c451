"""Audits: the factors varied, their effects on results, and documented non-determinism."""
