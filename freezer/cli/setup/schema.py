"""``freeze schema``."""

from __future__ import annotations

from freezer.cli.session import current


def schema() -> None:
    """Print the JSON schema of freeze.yaml, with which editors complete and validate it."""
    from freezer.frameworks import trainings
    from freezer.model.spec.schema import spec_schema

    current.emit(spec_schema(trainings()))
