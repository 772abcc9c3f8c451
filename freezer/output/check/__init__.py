"""Output of `freeze check` and `freeze audit`: text, JSON, charts and reports."""
