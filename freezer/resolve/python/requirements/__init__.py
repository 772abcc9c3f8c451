"""Requirements as written: lists, requirements files, pyproject.toml, and options."""
