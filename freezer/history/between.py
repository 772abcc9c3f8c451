"""Locks between two locks: the old one with a subset of the changes to the new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from freezer.ecosystems import INSTALLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from freezer.ecosystems.interface import Ecosystem, Package
    from freezer.model.lock import Lock

    Table = Mapping[str, Package]

_SETTINGS: Final = {
    "environment": "variables of the image",
    "labels": "labels of the image",
    "as_of": "the image's clock",
    "inside": "Freezer's runtime",
    "steps": "the spec's own steps",
    "smoke": "the smoke training and its bounds",
}
_PYTHON: Final = "Python"


@dataclass(frozen=True)
class Change:
    """A unit of change: a package with those added or removed with it, or a setting."""

    title: str
    """``numpy 1.26.4 to 2.1.0``."""
    items: tuple[tuple[str, str], ...]
    """Ecosystem and name of each package; for a setting, the lock's field and an empty name."""


def changes_between(old: Lock, new: Lock) -> tuple[Change, ...]:
    """Return the changes from one lock to another, each of which can be made alone.

    A package that is added or removed belongs to its dependents. When Python itself differs, the
    base and the packages that provide it are one change. Fields that are not installed (reasons,
    digests of inputs) are ignored.
    """
    return (*_base(old, new), *_packages(old, new), *_settings(old, new))


def between(old: Lock, new: Lock, some: Iterable[Change]) -> Lock:
    """Return the old lock with some of the changes applied."""
    chosen = {item for change in some for item in change.items}
    update: dict[str, Any] = {name: getattr(new, name) for name, key in chosen if not key}
    for ecosystem in INSTALLED:
        first, second = _table(old, ecosystem), _table(new, ecosystem)
        names = {name for kind, name in chosen if kind == ecosystem.name and name}
        mixed = {name: one for name, one in first.items() if name not in names}
        mixed.update({name: second[name] for name in names if name in second})
        update[ecosystem.name] = tuple(mixed[name] for name in sorted(mixed))
    return old.model_copy(update=update)


def _base(old: Lock, new: Lock) -> Iterator[Change]:
    if old.target.python != new.target.python:
        python = [("base", ""), ("target", ""), ("virtual_packages", "")]
        for ecosystem in INSTALLED:
            if ecosystem.provides_python:
                changed = _changed(old, new, ecosystem)
                python += [(ecosystem.name, name) for name in changed if "python" in name]
        versions = f"{old.target.python.version} to {new.target.python.version}"
        yield Change(f"{_PYTHON} {versions}", tuple(python))
    elif old.base != new.base or old.target != new.target:
        yield Change("the base", (("base", ""), ("target", "")))


def _packages(old: Lock, new: Lock) -> Iterator[Change]:
    other_python = old.target.python != new.target.python
    for ecosystem in INSTALLED:
        first, second = _table(old, ecosystem), _table(new, ecosystem)
        changed = _changed(old, new, ecosystem)
        if other_python and ecosystem.provides_python:
            changed = [name for name in changed if "python" not in name]
        for group in _groups(ecosystem, changed, first, second):
            lead = next((n for n in group if n in first and n in second), group[0])
            more = f" and {len(group) - 1} more with it" if len(group) > 1 else ""
            title = f"{ecosystem.title}{_named(lead, first, second)}{more}"
            yield Change(title, tuple((ecosystem.name, name) for name in group))


def _settings(old: Lock, new: Lock) -> Iterator[Change]:
    for name, title in _SETTINGS.items():
        if getattr(old, name) != getattr(new, name):
            yield Change(title, ((name, ""),))


def _groups(
    ecosystem: Ecosystem, changed: list[str], first: Table, second: Table
) -> list[list[str]]:
    """Join added and removed packages with their dependents."""
    group = {name: {name} for name in changed}
    for name in changed:
        if name in first and name in second:
            continue
        there = second if name in second else first
        for other in changed:
            if other in there and ecosystem.needs(there[other], there[name]):
                joined = group[name] | group[other]
                group.update(dict.fromkeys(joined, joined))
    return [list(names) for names in dict.fromkeys(tuple(sorted(one)) for one in group.values())]


def _changed(old: Lock, new: Lock, ecosystem: Ecosystem) -> list[str]:
    first, second = _table(old, ecosystem), _table(new, ecosystem)
    names = sorted(first.keys() | second.keys())
    return [name for name in names if _bytes(first, name) != _bytes(second, name)]


def _bytes(table: Table, name: str) -> str | None:
    return getattr(table[name], "sha256", None) if name in table else None


def _table(lock: Lock, ecosystem: Ecosystem) -> dict[str, Package]:
    return {item.name: item for item in ecosystem.packages(lock)}


def _named(name: str, first: Table, second: Table) -> str:
    if name not in first:
        return f"{name} {second[name].version}, new"
    if name not in second:
        return f"{name} {first[name].version}, removed"
    return f"{name} {first[name].version} to {second[name].version}"
