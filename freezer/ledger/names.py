"""The numbers of field names; they never change, so an open ledger caches them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from freezer.ledger.insert import insert_missing
from freezer.ledger.schema import names

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy import Connection

    from freezer.ledger.connect import Ledger


def numbered(ledger: Ledger, connection: Connection, wanted: Iterable[str]) -> Mapping[str, int]:
    """Return the numbers of names; add the new ones, also if other processes do so at once."""
    wanted = set(wanted)
    found = read_numbers(ledger, connection, wanted)
    missing = sorted(wanted - found.keys())
    if missing:
        rows = [{"name": name} for name in missing]
        connection.execute(insert_missing(connection, names), rows)
        read_numbers(ledger, connection, missing)
    return found


def read_numbers(
    ledger: Ledger, connection: Connection, wanted: Iterable[str]
) -> Mapping[str, int]:
    """Return the numbers of existing names: the requested ones and cached others."""
    found = ledger.names
    listed = sorted({one for one in wanted if one not in found})
    for start in range(0, len(listed), 500):
        asked = select(names.c.name, names.c.id).where(
            names.c.name.in_(bindparam("names", expanding=True))
        )
        rows = connection.execute(asked, {"names": listed[start : start + 500]})
        found |= dict(rows.all())
    return found
