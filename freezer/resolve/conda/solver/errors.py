"""From a solver's words to an error that names the user's line and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freezer.errors import ResolveError
from freezer.fetch.http.redact import redact
from freezer.frameworks import gpus
from freezer.resolve.conda.solver.interface import CondaConflictError
from freezer.resolve.conda.solver.proof import tidy
from freezer.resolve.conda.specname import spec_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freezer.resolve.conda.solver.interface import CondaRequest, CondaRequirement

_STEPS = 16
"""Lines of a proof that a person reads."""
_VIRTUAL = {
    "__cuda": "say which CUDA the hosts have: `accelerator: {cuda: ...}` in the spec",
    "__glibc": "a newer base image has a newer glibc",
    "__archspec": "it is built for another CPU than the spec's `platform`",
    "__osx": "it is a package for macOS only",
    "__win": "it is a package for Windows only",
}


_NO_IDEA = "check its spelling, or add a channel"


@dataclass(frozen=True)
class _Problem:
    """What is wrong with one spec."""

    asked: CondaRequirement
    what: str
    found: str
    hint: str
    short: str
    """The same in a few words, where there are many."""


def explain(answer: Mapping[str, Any], request: CondaRequest) -> ResolveError:
    """Return the error for a request without an answer: all specs that no channel answers."""
    wrong = [
        problem
        for asked, offer in zip(request.specs, answer["offers"], strict=True)
        if (problem := _problem(asked, offer, request))
    ]
    if not wrong:
        return _conflict(answer["unsolved"], request)
    first = wrong[0]
    if len(wrong) == 1:
        return ResolveError(first.what, where=first.asked.where, found=first.found, hint=first.hint)
    return ResolveError(
        f"{len(wrong)} of {len(request.specs)} conda specs are answered by no channel for "
        f"{request.subdir}",
        where=first.asked.where,
        details=[f"{item.asked.where}: {item.short}" for item in wrong],
        found=f"asked: {', '.join(channel.name for channel in request.channels)}",
        hint="change these lines, or add channels that have what they ask for",
    )


def _problem(
    asked: CondaRequirement, offer: Mapping[str, Any], request: CondaRequest
) -> _Problem | None:
    if not offer["versions"]:
        return _no_such(asked, offer, request)
    if not offer["matching"]:
        return _no_version(asked, offer)
    if offer["first"] > _milliseconds(request.as_of):
        return _too_new(asked, offer, request)
    return None


def _no_such(asked: CondaRequirement, offer: Mapping[str, Any], request: CondaRequest) -> _Problem:
    channels = [asked.channel] if asked.channel else [item.name for item in request.channels]
    near = [name for name in offer.get("near", ()) if name != offer["name"]]
    hint = f"did you mean {' or '.join(near)}?" if near else _NO_IDEA
    if asked.channel and offer["channels"]:
        hint = f"{' and '.join(offer['channels'])} has it"
    elif asked.channel and asked.channel not in {item.name for item in request.channels}:
        hint = f"add {asked.channel} to `channels`"
    retired = (gpu.conda_retired.get(offer["name"]) for gpu in gpus())
    hint = next(filter(None, retired), hint)
    who = f"the channel {asked.channel} has no" if asked.channel else "no channel has a"
    return _Problem(
        asked,
        f"{who} package called {offer['name']} for {request.subdir}",
        found=f"asked: {', '.join(channels)}",
        hint=hint,
        short=f"{who} package called {offer['name']}" + (f": {hint}" if hint != _NO_IDEA else ""),
    )


def _no_version(asked: CondaRequirement, offer: Mapping[str, Any]) -> _Problem:
    which, there = ("nearest", offer["near"]) if offer["near"] else ("newest", offer["versions"])
    what = f"no build of {offer['name']} answers {asked.text}"
    found = f"the {which} {'are' if len(there) > 1 else 'is'} {', '.join(there)}"
    return _Problem(
        asked,
        what,
        found=f"{found} ({', '.join(offer['channels'])})",
        hint="ask for one of these, or for another build",
        short=f"{what}: {found}",
    )


def _too_new(asked: CondaRequirement, offer: Mapping[str, Any], request: CondaRequest) -> _Problem:
    first = datetime.fromtimestamp(offer["first"] / 1000, UTC)
    what = f"nothing that answers {asked.text} is as old as {request.as_of}"
    found = f"the first was built at {first:%Y-%m-%dT%H:%M:%SZ}"
    hint = "ask for an older version, or set a later `as-of`"
    return _Problem(asked, what, found, hint, short=f"{what}: {found}")


def _conflict(text: str, request: CondaRequest) -> ResolveError:
    lines = tidy(redact(text))
    places = [asked for asked in request.specs if _takes_part(asked, lines)]
    details = lines if len(lines) <= _STEPS else [*lines[:_STEPS], f"… {len(lines) - _STEPS} more"]
    details += [f"{asked.text} is asked for in {asked.where}" for asked in places]
    return CondaConflictError(
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


def _takes_part(asked: CondaRequirement, lines: Sequence[str]) -> bool:
    name = spec_name(asked.text)
    return any(name in line.lstrip("│├└─ ").split()[:1] for line in lines)


def _milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000
