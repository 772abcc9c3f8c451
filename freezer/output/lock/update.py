"""Output of ``freeze update``: what changed and why, and what prevents more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from freezer.model.lockfile import short_id
from freezer.output.text import as_json, plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console

    from freezer.flows.update.update import UpdateResult


def show(result: UpdateResult, console: Console) -> None:
    """Print what changed or would change, and why nothing else did."""
    named = [str(item) for item in result.moves if item.named]
    forced = [str(item) for item in result.moves if not item.named]
    _list("", named, console)
    _list("with it:" if named else "", forced, console)
    for line in _alone(result):
        _say(line, console)
    stayed = {item.name for item in result.moves}
    for limit in result.limits:
        if limit.newest is not None or limit.name not in stayed:
            newer = f" ({limit.newest} is newer)" if limit.newest else ""
            _say(f"{limit.name} is at {limit.version}{newer}: {limit.why}", console)
    for name, one in result.lock.exceptions.items():
        _say(f"{name} may be newer than as-of, up to {one.as_of}: {one.reason}", console)
    _say(_ending(result), console)


def document(result: UpdateResult) -> dict[str, Any]:
    """Return an update for ``--json``."""
    return {
        "environment": result.lock.name,
        "lock-id": result.written.id if result.written else result.before.id,
        "written": result.written is not None,
        "refused": result.refused,
        "as-of": result.lock.as_of if result.written else result.before.lock.as_of,
        "generation": result.generation.number if result.generation else None,
        "moves": [
            {
                "ecosystem": item.ecosystem,
                "name": item.name,
                "from": item.before,
                "to": item.after,
                "named": item.named,
                "cause": item.cause,
            }
            for item in result.moves
        ],
        "numbers": [as_json(one) for one in result.numbers],
        "alone": dict(result.alone),
        "limits": [
            {"name": one.name, "version": one.version, "newest": one.newest, "why": one.why}
            for one in result.limits
        ],
        "exceptions": {
            name: {"as-of": newer.as_of, "reason": newer.reason}
            for name, newer in result.lock.exceptions.items()
        },
    }


def _alone(result: UpdateResult) -> Iterator[str]:
    """Return the versions of the named packages when nothing else may change."""
    for item in result.moves:
        if not item.named or result.alone.get(item.name, item.after) == item.after:
            continue
        version = result.alone[item.name].partition(" ")[0]
        if item.before is not None and item.before.partition(" ")[0] == version:
            yield f"without other changes {item.name} stays at {version}"
        else:
            command = f"freeze update {result.lock.name} {item.name}=={version}"
            yield f"without other changes {item.name} goes to {version}: `{command}`"


def _ending(result: UpdateResult) -> str:
    name, forced = result.lock.name, sum(not item.named for item in result.moves)
    if result.refused:
        return (
            f"{name}: nothing was written: {plural(forced, 'package')} more would change than "
            "named; name them as well, or remove --strict"
        )
    if result.written is not None:
        number = f", generation {result.generation.number}" if result.generation else ""
        return f"{name}: lock {short_id(result.written.id)}{number}, as of {result.lock.as_of}"
    if result.moves:
        return f"{name}: nothing was written: a dry run"
    return f"{name}: nothing changes, lock {short_id(result.before.id)}"


def _list(title: str, items: Iterable[str], console: Console) -> None:
    for number, item in enumerate(items):
        if title and number == 0:
            _say(title, console)
        _say(f"  {item}", console)


def _say(text: str, console: Console) -> None:
    console.print(escape(text), highlight=False, soft_wrap=True)
