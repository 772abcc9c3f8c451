"""``freeze fleet cancel``."""

from __future__ import annotations

from freezer.cli.fleet.options import FleetId, chosen
from freezer.cli.options import Json
from freezer.cli.session import current


def cancel(fleet: FleetId = None, json: Json = False) -> None:
    """Cancel the jobs of a fleet that did not end; verdicts stay, and `resume` continues."""
    from freezer.flows.fleet.follow import cancel as run
    from freezer.output.text import plural

    folder = chosen(fleet)
    count = run(current.project(), folder)
    if json:
        current.emit({"fleet": folder.id, "cancelled": count})
    else:
        current.stdout.print(
            f"fleet {folder.id}: {plural(count, 'job')} cancelled", highlight=False
        )
