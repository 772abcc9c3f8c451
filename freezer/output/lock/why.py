"""Output of ``freeze why``: a package's origin, dependents and constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from rich.markup import escape

from freezer.model.lock import BasePackage
from freezer.model.lockfile import short_id
from freezer.model.reason import dependents
from freezer.output.text import as_json, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from freezer.ecosystems.interface import Key, Need
    from freezer.flows.why.constraints import Hold
    from freezer.flows.why.released import Released
    from freezer.flows.why.since import Since
    from freezer.flows.why.why import Answer, Why

_CHAINS: Final = 5
_PARENTS: Final = 10
_NUMBERS: Final = 8
"""Maximum listed; the others are counted."""
_WIDTH: Final = 10


def show(found: Why, console: Console) -> None:
    """Print one block for each ecosystem that has the name."""
    for number, answer in enumerate(found.answers):
        if number:
            console.print()
        sentence = f"{answer.key.name} {_version(answer)}"
        console.print(f"[bold]{_safe(sentence)}[/bold] {_title(answer.key)}", highlight=False)
        for label, lines in _facts(found, answer):
            for place, line in enumerate(lines):
                head = label if place == 0 else ""
                console.print(
                    f"  [dim]{head:{_WIDTH}}[/dim]{_safe(line)}", highlight=False, soft_wrap=True
                )


def document(found: Why) -> dict[str, Any]:
    """Return all facts for ``--json``."""
    return {
        "environment": found.environment,
        "lock-id": found.lock_id,
        "name": found.name,
        "packages": [_entry(one) for one in found.answers],
    }


def _entry(answer: Answer) -> dict[str, Any]:
    package = answer.package
    return {
        **_key(answer.key),
        "version": package.version,
        "build": getattr(package, "build", None),
        "file": getattr(package, "file", None),
        "size": getattr(package, "size", None),
        "sha256": getattr(package, "sha256", None),
        "requested": getattr(package, "requested", False),
        "reason": answer.reason,
        "why": answer.why,
        "parents": [{**_key(one.by), "wanted": list(one.wanted)} for one in answer.parents],
        "chains": [[_key(one) for one in chain] for chain in answer.chains],
        "held-by": [{"kind": one.kind, "by": one.by, "wanted": one.wanted} for one in answer.holds],
        "since": _since_entry(answer.since),
        "numbers": [
            {
                "operation": one.operation,
                "changes": [{"from": old, "to": new} for old, new in one.changes()],
            }
            for one in answer.numbers
        ],
        "offer": answer.offer
        and {
            "newest": answer.offer.newest,
            "fitting": answer.offer.fitting,
            "summary": answer.offer.summary,
        },
        "released": answer.released and _released_entry(answer.released),
    }


def _key(key: Key) -> dict[str, Any]:
    return {
        "ecosystem": key.ecosystem,
        "name": key.name,
        **({"build-of": key.of} if key.of else {}),
    }


def _since_entry(since: Since | None) -> dict[str, Any] | None:
    if since is None:
        return None
    one = since.generation
    return {
        "generation": one.number,
        "lock-id": one.lock_id,
        "date": one.date,
        "action": one.action,
        "reason": one.reason,
        "complete": since.complete,
    }


def _released_entry(found: Released) -> dict[str, Any]:
    return {
        "moves": [
            {
                "ecosystem": one.ecosystem,
                "name": one.name,
                "from": one.before,
                "to": one.after,
                "named": one.named,
                "cause": one.cause,
            }
            for one in found.moves
        ],
        "alone": found.alone,
        "limit": found.limit,
        "numbers": [as_json(one) for one in found.numbers],
        "why-not": found.why_not,
    }


def _facts(found: Why, answer: Answer) -> Iterator[tuple[str, Sequence[str]]]:
    package = answer.package
    if not isinstance(package, BasePackage):
        sentence = f"{package.file}, {size(package.size)}, sha256 {package.sha256[:12]}"
        yield "file", [sentence]
    if not dependents(answer.reason) or ";" in answer.reason:
        yield "here", [answer.reason]
    if answer.why:
        yield "why", [answer.why]
    yield "needed by", _parents(answer)
    yield "chain" if len(answer.chains) == 1 else "chains", _chains(answer)
    yield "held by", [_hold(one) for one in answer.holds if one.kind != "parent"]
    if answer.since:
        yield "since", [_since(answer.since)]
    if answer.numbers:
        yield "numbers", _numbers(answer)
    yield "to move", [answer.offer.summary if answer.offer else _to_move(found, answer)]
    if answer.released:
        yield "released", list(_released(answer.key.name, answer.released))


def _parents(answer: Answer) -> list[str]:
    needs = answer.parents
    lines = [f"{_step(answer.key, one.by)}: {_wanted(one)}" for one in needs[:_PARENTS]]
    if answer.key.ecosystem in ("debian", "base") and lines:
        lines.append("perhaps others too: the lock names only the nearest one of a Debian package")
    return lines + _more(len(needs) - _PARENTS)


def _wanted(need: Need) -> str:
    if need.wanted:
        return ", ".join(text or "any version" for text in need.wanted)
    if need.by.ecosystem == "pip":
        return "range not known, no wheel of it is in the store (`freeze fetch` fetches wheels)"
    return "range not known, it is not in the lock"


def _chains(answer: Answer) -> list[str]:
    """Return the paths to the package, without the package alone if it was requested."""
    ways = [one for one in answer.chains if len(one) > 1]
    lines = [" > ".join(_step(answer.key, step) for step in way) for way in ways[:_CHAINS]]
    return lines + _more(len(ways) - _CHAINS)


def _numbers(answer: Answer) -> list[str]:
    lines = [
        f"{one.operation} changed " + ", ".join(f"{old} to {new}" for old, new in one.changes())
        for one in answer.numbers
    ]
    more = len(lines) - _NUMBERS
    return lines[:_NUMBERS] + ([f"and {more} more: `freeze atlas`"] if more > 0 else [])


def _step(target: Key, step: Key) -> str:
    return step.name if step.ecosystem == target.ecosystem else str(step)


def _more(count: int) -> list[str]:
    return [f"and {count} more; --json has all of them"] if count > 0 else []


def _hold(one: Hold) -> str:
    if one.kind == "as-of":
        return f"as-of {one.wanted}: {one.by}"
    if one.kind == "exception":
        return f"as-of {one.wanted}, for this package alone: {one.by}"
    if one.kind in ("accelerator", "blas"):
        return f"{one.kind}, as declared and locked: {one.wanted}"
    return f"{one.by}: {one.wanted}"


def _since(since: Since) -> str:
    one = since.generation
    sentence = (
        f"generation {one.number} of {one.date[:10]} ({one.action}, lock {short_id(one.lock_id)})"
    )
    reason = f": {one.reason}" if one.reason else ""
    return sentence + reason + ("" if since.complete else "; an older lock cannot be read")


def _released(name: str, found: Released) -> Iterator[str]:
    if found.why_not is not None:
        yield f"what would change could not be determined: {found.why_not}"
        return
    if not found.moves:
        yield f"nothing would change{f': {found.limit}' if found.limit else ''}"
        return
    for one in found.moves:
        yield f"{'' if one.named else 'with it '}{one}"
    yield from map(str, found.numbers)
    after = next((one.after for one in found.moves if one.named and one.name == name), None)
    if found.alone not in (None, after):
        yield f"without other changes it is {found.alone}"


def _to_move(found: Why, answer: Answer) -> str:
    if answer.key.ecosystem == "base":
        return f"it only changes with the base: `freeze update {found.environment} base`"
    if answer.key.ecosystem == "build":
        command = f"freeze update {found.environment} {answer.key.of}"
        return f"it changes with the package that it builds: `{command}`"
    ask = "; --ask prints how far, and what would change with it"
    command = f"freeze update {found.environment} {answer.key.name}"
    return f"`{command}` updates it as far as the other packages allow{ask}"


def _version(answer: Answer) -> str:
    build = getattr(answer.package, "build", None)
    return f"{answer.package.version} {build}" if build else answer.package.version


def _title(key: Key) -> str:
    return f"for the build of {escape(key.of)}" if key.of else f"from {key.ecosystem}"


def _safe(text: str) -> str:
    return escape(printable(text))
