"""Freezer where commits are checked: workflows of CI systems, comments on changes, git hooks."""
