"""``freeze fetch``."""

from __future__ import annotations

from freezer.cli.options import Env, Json
from freezer.cli.session import current


def fetch(env: Env = None, json: Json = False) -> None:
    """Fetch every file of the lock into the store, verified; exit 1 if some are gone."""
    from freezer.flows.image.fetch import fetch as run
    from freezer.output.text import plural, size

    done = run(current.project(), env)
    lock_id = done.locked.id
    if json:
        current.emit(
            {"lock-id": lock_id, "files": done.files, "bytes": done.size, "fetched": done.new}
        )
        return
    new = f"{done.new} of them fetched now" if done.new else "all of them in the store already"
    current.stdout.print(
        f"{plural(done.files, 'file')}, {size(done.size)}, verified ({new})", highlight=False
    )
