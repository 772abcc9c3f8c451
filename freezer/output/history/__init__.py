"""Output of `freeze log`, `freeze diff`, `freeze bisect` and `freeze rollback`."""
