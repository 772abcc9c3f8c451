"""`freeze init` and `freeze doctor`: start a project, and check what this host can do."""
