"""Git repositories: commits, and their trees as archives."""
