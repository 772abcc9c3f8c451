"""``freeze ci gitlab``."""

from __future__ import annotations

from freezer.cli.ci.shared.workflow import (
    Check,
    Cluster,
    Environments,
    Install,
    LedgerSecret,
    Output,
    Pins,
    Runner,
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
    cluster: Cluster = None,
    runner: Runner = None,
    fresh_pins: Pins = False,
    json: Json = False,
) -> None:
    """Write jobs for GitLab: rebuild, check, policy, comment; the past, a cluster on schedules."""
    given = {
        "environments": tuple(environments) if environments else None,
        "install": install,
        "runs": runs,
        "secret": secret,
        "sample": sample,
        "cluster": cluster,
        "runner": runner,
    }
    write_workflow("gitlab", given, output, check=check, fresh_pins=fresh_pins, json=json)
