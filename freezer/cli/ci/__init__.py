"""Commands for CI systems: github, gitlab, comment."""
