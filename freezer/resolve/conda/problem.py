"""From a solver's words to an error that names the user's line and what to do next."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freezer.errors import ResolveError
from freezer.fetch.redact import redact
from freezer.resolve.conda.proof import tidy
from freezer.resolve.conda.specname import spec_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.resolve.conda.interface import CondaAsked, CondaRequest

_STEPS = 16
"""Lines of a proof that a person reads."""
_VIRTUAL = {
    "__cuda": "say which CUDA the hosts have: `accelerator: {cuda: ...}` in the spec",
    "__glibc": "a newer base image has a newer glibc",
    "__archspec": "it is built for another CPU than the spec's `platform`",
    "__osx": "it is a package for macOS only",
    "__win": "it is a package for Windows only",
}


def explain(answer: Mapping[str, Any], request: CondaRequest) -> ResolveError:
    """Return the error for a request without an answer."""
    for asked, offer in zip(request.specs, answer["offers"], strict=True):
        if not offer["versions"]:
            return _no_such(asked, offer, request)
        if not offer["matching"]:
            return _no_version(asked, offer)
        if offer["first"] > _milliseconds(request.as_of):
            return _too_new(asked, offer, request)
    return _conflict(answer["unsolved"], request)


def _no_such(asked: CondaAsked, offer: Mapping[str, Any], request: CondaRequest) -> ResolveError:
    channels = [asked.channel] if asked.channel else [item.name for item in request.channels]
    near = [name for name in offer.get("near", ()) if name != offer["name"]]
    hint = f"did you mean {' or '.join(near)}?" if near else "check its spelling, or add a channel"
    if asked.channel and offer["channels"]:
        hint = f"{' and '.join(offer['channels'])} has it"
    elif asked.channel and asked.channel not in {item.name for item in request.channels}:
        hint = f"add {asked.channel} to `channels`"
    who = f"the channel {asked.channel} has no" if asked.channel else "no channel has a"
    return ResolveError(
        f"{who} package called {offer['name']} for {request.subdir}",
        where=asked.where,
        found=f"asked: {', '.join(channels)}",
        hint=hint,
    )


def _no_version(asked: CondaAsked, offer: Mapping[str, Any]) -> ResolveError:
    return ResolveError(
        f"no build of {offer['name']} answers {asked.text}",
        where=asked.where,
        found=f"the newest are {', '.join(offer['versions'])} ({', '.join(offer['channels'])})",
        hint="ask for one of these, or for another build",
    )


def _too_new(asked: CondaAsked, offer: Mapping[str, Any], request: CondaRequest) -> ResolveError:
    first = datetime.fromtimestamp(offer["first"] / 1000, UTC)
    return ResolveError(
        f"nothing that answers {asked.text} is as old as {request.as_of}",
        where=asked.where,
        found=f"the first was built at {first:%Y-%m-%dT%H:%M:%SZ}",
        hint="ask for an older version, or set a later `as-of`",
    )


def _conflict(text: str, request: CondaRequest) -> ResolveError:
    lines = tidy(redact(text))
    places = [asked for asked in request.specs if _takes_part(asked, lines)]
    details = lines if len(lines) <= _STEPS else [*lines[:_STEPS], f"… {len(lines) - _STEPS} more"]
    details += [f"{asked.text} is asked for in {asked.where}" for asked in places]
    return ResolveError(
        "these conda packages cannot hold together",
        where=places[0].where if places else None,
        details=details,
        hint="; ".join(_hints(lines)) or "loosen one of the versions named above",
    )


def _hints(lines: Sequence[str]) -> Iterator[str]:
    text = "\n".join(lines)
    for name, hint in _VIRTUAL.items():
        if f"{name} " in text or f"{name}," in text:
            yield hint
    if "not in the highest priority channel" in text or "strict channel priority" in text:
        yield (
            "a name is taken from the first channel that has it: change the order of `channels`, "
            "or write `channel::package`"
        )


def _takes_part(asked: CondaAsked, lines: Sequence[str]) -> bool:
    name = spec_name(asked.text)
    return any(name in line.lstrip("│├└─ ").split()[:1] for line in lines)


def _milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000
