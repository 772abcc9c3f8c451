"""Converts a solver's failure to an error with the user's line and the next step."""

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
"""Maximum lines of a proof in an error."""
_VIRTUAL = {
    "__cuda": "declare the CUDA of the hosts: `accelerator: {cuda: ...}` in the spec",
    "__glibc": "a newer base image has a newer glibc",
    "__archspec": "it is built for another CPU than the spec's `platform`",
    "__osx": "it is a package for macOS only",
    "__win": "it is a package for Windows only",
}


_NO_IDEA = "check its spelling, or add a channel"


@dataclass(frozen=True)
class _Problem:
    """What is wrong with one match spec."""

    requirement: CondaRequirement
    what: str
    found: str
    hint: str
    short: str
    """A short form, for when there are many."""


def explain(answer: Mapping[str, Any], request: CondaRequest) -> ResolveError:
    """Return the error for a request without a solution: all specs that no channel satisfies."""
    wrong = [
        problem
        for requirement, offer in zip(request.specs, answer["offers"], strict=True)
        if (problem := _problem(requirement, offer, request))
    ]
    if not wrong:
        return _conflict(answer["unsolved"], request)
    first = wrong[0]
    if len(wrong) == 1:
        return ResolveError(
            first.what, where=first.requirement.where, found=first.found, hint=first.hint
        )
    return ResolveError(
        f"{len(wrong)} of {len(request.specs)} conda specs are satisfied by no channel for "
        f"{request.subdir}",
        where=first.requirement.where,
        details=[f"{item.requirement.where}: {item.short}" for item in wrong],
        found=f"channels: {', '.join(channel.name for channel in request.channels)}",
        hint="change these lines, or add channels that have these packages",
    )


def _problem(
    requirement: CondaRequirement, offer: Mapping[str, Any], request: CondaRequest
) -> _Problem | None:
    if not offer["versions"]:
        return _no_such(requirement, offer, request)
    if not offer["matching"]:
        return _no_version(requirement, offer)
    if offer["first"] > _milliseconds(request.as_of):
        return _too_new(requirement, offer, request)
    return None


def _no_such(
    requirement: CondaRequirement, offer: Mapping[str, Any], request: CondaRequest
) -> _Problem:
    channels = (
        [requirement.channel] if requirement.channel else [item.name for item in request.channels]
    )
    near = [name for name in offer.get("near", ()) if name != offer["name"]]
    hint = f"did you mean {' or '.join(near)}?" if near else _NO_IDEA
    if requirement.channel and offer["channels"]:
        hint = f"{' and '.join(offer['channels'])} has it"
    elif requirement.channel and requirement.channel not in {
        item.name for item in request.channels
    }:
        hint = f"add {requirement.channel} to `channels`"
    retired = (gpu.conda_retired.get(offer["name"]) for gpu in gpus())
    hint = next(filter(None, retired), hint)
    who = f"the channel {requirement.channel} has no" if requirement.channel else "no channel has a"
    return _Problem(
        requirement,
        f"{who} package called {offer['name']} for {request.subdir}",
        found=f"channels: {', '.join(channels)}",
        hint=hint,
        short=f"{who} package called {offer['name']}" + (f": {hint}" if hint != _NO_IDEA else ""),
    )


def _no_version(requirement: CondaRequirement, offer: Mapping[str, Any]) -> _Problem:
    which, there = ("nearest", offer["near"]) if offer["near"] else ("newest", offer["versions"])
    what = f"no build of {offer['name']} satisfies {requirement.text}"
    found = f"the {which} {'are' if len(there) > 1 else 'is'} {', '.join(there)}"
    return _Problem(
        requirement,
        what,
        found=f"{found} ({', '.join(offer['channels'])})",
        hint="request one of these, or another build",
        short=f"{what}: {found}",
    )


def _too_new(
    requirement: CondaRequirement, offer: Mapping[str, Any], request: CondaRequest
) -> _Problem:
    first = datetime.fromtimestamp(offer["first"] / 1000, UTC)
    what = f"all builds that satisfy {requirement.text} are newer than {request.as_of}"
    found = f"the first was built at {first:%Y-%m-%dT%H:%M:%SZ}"
    hint = "request an older version, or set a later `as-of`"
    return _Problem(requirement, what, found, hint, short=f"{what}: {found}")


def _conflict(text: str, request: CondaRequest) -> ResolveError:
    lines = tidy(redact(text))
    requirements = [requirement for requirement in request.specs if _takes_part(requirement, lines)]
    details = lines if len(lines) <= _STEPS else [*lines[:_STEPS], f"… {len(lines) - _STEPS} more"]
    details += [
        f"{requirement.text} is requested in {requirement.where}" for requirement in requirements
    ]
    return CondaConflictError(
        "these conda packages conflict",
        where=requirements[0].where if requirements else None,
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
            "each package comes from the first channel that has it: change the order of "
            "`channels`, or write `channel::package`"
        )


def _takes_part(requirement: CondaRequirement, lines: Sequence[str]) -> bool:
    name = spec_name(requirement.text)
    return any(name in line.lstrip("│├└─ ").split()[:1] for line in lines)


def _milliseconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() * 1000
