"""The container of a run, opened by hand."""
