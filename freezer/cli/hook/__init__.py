"""Commands about git hooks: install, show, run."""
