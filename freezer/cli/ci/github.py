"""``freeze ci github``."""

from __future__ import annotations

from freezer.cli.ci.shared.workflow import (
    Branch,
    Check,
    Cluster,
    Environments,
    Install,
    LedgerSecret,
    Nightly,
    Output,
    Pins,
    Runner,
    Runs,
    Sample,
    Schedule,
    write_workflow,
)
from freezer.cli.options import Json


def github(  # noqa: PLR0913, PLR0917 - one for each option
    environments: Environments = None,
    output: Output = None,
    check: Check = False,
    install: Install = None,
    branch: Branch = None,
    schedule: Schedule = None,
    runs: Runs = None,
    secret: LedgerSecret = None,
    sample: Sample = None,
    cluster: Cluster = None,
    runner: Runner = None,
    nightly: Nightly = None,
    fresh_pins: Pins = False,
    json: Json = False,
) -> None:
    """Write a workflow for GitHub: rebuild, check, policy, comment; past and cluster on a clock."""
    given = {
        "environments": tuple(environments) if environments else None,
        "install": install,
        "branch": branch,
        "schedule": schedule,
        "runs": runs,
        "secret": secret,
        "sample": sample,
        "cluster": cluster,
        "runner": runner,
        "nightly": nightly,
    }
    write_workflow("github", given, output, check=check, fresh_pins=fresh_pins, json=json)
