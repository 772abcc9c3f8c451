"""``freeze hook show``."""

from __future__ import annotations

from freezer.cli.session import current


def show() -> None:
    """Print the entry for .pre-commit-config.yaml."""
    from freezer.flows.ci.hook import pre_commit_entry

    current.stdout.file.write(pre_commit_entry(current.project()))
