"""Differences between two consecutive locks, as sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.ecosystems import BASE, INSTALLED
from freezer.model.canonical import digest, json_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.ecosystems.interface import Ecosystem
    from freezer.model.lock import ImageRuntime, Lock, SmokePlan, Steps


def changes(old: Lock, new: Lock) -> Iterator[str]:
    """Yield a sentence for each difference of two locks; nothing for equal locks."""
    if old == new:
        return
    yield from _value("as-of", old.as_of, new.as_of)
    yield from _value("platform", old.platform, new.platform)
    if old.base != new.base:
        yield from _base(old, new)
    yield from _value("Python", old.target.python.version, new.target.python.version)
    for ecosystem in INSTALLED:
        yield from _ecosystem(ecosystem, old, new)
    yield from _value("blas", old.blas, new.blas)
    for label, before, after in (
        ("accelerator", _accelerator(old), _accelerator(new)),
        ("declared to conda,", old.virtual_packages, new.virtual_packages),
        ("variable", old.environment, new.environment),
        ("label", old.labels, new.labels),
        ("newer than as-of:", _newer(old), _newer(new)),
        ("override of", dict.fromkeys(old.overrides, "set"), dict.fromkeys(new.overrides, "set")),
    ):
        for key in sorted(before.keys() | after.keys()):
            yield from _value(f"{label} {key}", before.get(key), after.get(key))
    if old.steps != new.steps:
        yield from _steps(old.steps, new.steps)
    if old.smoke != new.smoke:
        yield from _smoke(old.smoke, new.smoke)
    if old.inside != new.inside:
        yield f"Freezer's runtime: {_part(old.inside)} to {_part(new.inside)}"
    if _reasons(old) != _reasons(new):
        yield "reasons of pins changed"


def _steps(old: Steps | None, new: Steps | None) -> Iterator[str]:
    """Yield the differences of the spec's own steps."""
    before, after = (one.run if one else () for one in (old, new))
    files = [{file.path: file for file in one.files} if one else {} for one in (old, new)]
    if before != after:
        yield f"steps: {_count(before)} to {_count(after)}"
    for path in sorted(files[0].keys() | files[1].keys()):
        first, second = files[0].get(path), files[1].get(path)
        if first != second:
            how = "added" if first is None else "removed" if second is None else "another content"
            yield f"file of the steps {path}: {how}"


def _count(commands: tuple[str, ...]) -> str:
    """Return the number of commands and a digest: lists of equal length may differ."""
    if not commands:
        return "none"
    return f"{len(commands)} ({digest(json_bytes(commands))[:8]})"


def _base(old: Lock, new: Lock) -> Iterator[str]:
    if old.base.kind == "bootstrap" and new.base.kind == "bootstrap":
        first, second = BASE.pins(old.base.packages), BASE.pins(new.base.packages)
        yield from _packages("base", first, second)
        if first == second:
            yield "base: made anew from the same packages"
        return
    yield f"base: {_named(old)} to {_named(new)}"


def _named(lock: Lock) -> str:
    if lock.base.kind == "bootstrap":
        return f"bootstrap {lock.base.suite}"
    return f"{lock.base.reference}@{lock.base.manifest[:19]}"


def _ecosystem(ecosystem: Ecosystem, old: Lock, new: Lock) -> Iterator[str]:
    """Yield the differences of an ecosystem's packages, then of those for other platforms."""
    first, second = (ecosystem.pins(ecosystem.packages(lock)) for lock in (old, new))
    yield from _packages(ecosystem.noun, first, second)
    before, after = ecosystem.other_platforms(old), ecosystem.other_platforms(new)
    for platform in sorted(before.keys() | after.keys()):
        first, second = (ecosystem.pins(each.get(platform, ())) for each in (before, after))
        yield from _packages(f"{ecosystem.noun} for {platform}", first, second)


def _accelerator(lock: Lock) -> dict[str, str]:
    chosen = lock.accelerator.model_dump() if lock.accelerator else {}
    return {key: str(value) for key, value in chosen.items() if value is not None}


def _newer(lock: Lock) -> dict[str, str]:
    return {name: f"up to {newer.as_of}" for name, newer in lock.exceptions.items()}


def _packages(
    kind: str, old: dict[str, tuple[str, str]], new: dict[str, tuple[str, str]]
) -> Iterator[str]:
    for name in sorted(old.keys() | new.keys()):
        first, second = old.get(name), new.get(name)
        if first == second:
            continue
        if first is None and second is not None:
            yield f"{kind} {name}: added, {second[0]}"
        elif second is None and first is not None:
            yield f"{kind} {name}: removed, was {first[0]}"
        elif first is not None and second is not None:
            other = " (another file)" if first[0] == second[0] else ""
            yield f"{kind} {name}: {first[0]} to {second[0]}{other}"


def _part(inside: ImageRuntime) -> str:
    return f"{inside.version} ({inside.sha256[:12]})"


def _value(what: str, old: str | None, new: str | None) -> Iterator[str]:
    if old != new:
        yield f"{what}: {old or 'not set'} to {new or 'not set'}"


def _smoke(old: SmokePlan, new: SmokePlan) -> Iterator[str]:
    """Yield the changed files of the smoke training, and whether anything else changed."""
    before, after = ({one.path: one.sha256 for one in plan.files} for plan in (old, new))
    for path in sorted(before.keys() | after.keys()):
        if path not in after:
            yield f"smoke file {path}: removed"
        elif before.get(path) != after[path]:
            yield f"smoke file {path}: {'changed' if path in before else 'added'}"
    if old.model_copy(update={"files": ()}) != new.model_copy(update={"files": ()}):
        yield "the smoke training or its bounds changed"


def _reasons(lock: Lock) -> list[tuple[object, ...]]:
    return [
        (item.name, getattr(item, "reason", ""), getattr(item, "requested", False))
        for ecosystem in INSTALLED
        for item in ecosystem.packages(lock)
    ]
