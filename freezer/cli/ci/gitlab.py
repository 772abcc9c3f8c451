"""``freeze ci gitlab``."""

from __future__ import annotations

from freezer.cli.ci.shared.workflow import (
    Check,
    Environments,
    Install,
    LedgerSecret,
    Output,
    Pins,
    Runs,
    Sample,
    write_workflow,
)
from freezer.cli.options import Json


def gitlab(  # noqa: PLR0913, PLR0917 - one for each option
    environments: Environments = None,
    output: Output = None,
    check: Check = False,
    install: Install = None,
    runs: Runs = None,
    secret: LedgerSecret = None,
    sample: Sample = None,
    fresh_pins: Pins = False,
    json: Json = False,
) -> None:
    """Write jobs for GitLab: rebuild, check, policy, comment, the past on a schedule."""
    given = {
        "environments": tuple(environments) if environments else None,
        "install": install,
        "runs": runs,
        "secret": secret,
        "sample": sample,
    }
    write_workflow("gitlab", given, output, check=check, fresh_pins=fresh_pins, json=json)
