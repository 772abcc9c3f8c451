"""Compares two locks by ecosystem, with components that may affect results apart.

Pure. Versions are compared by the rules of their ecosystem (`freezer.ecosystems`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from freezer.ecosystems import ECOSYSTEMS, INSTALLED
from freezer.ecosystems.interface import loose_order
from freezer.model.base import Model
from freezer.model.canonical import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from freezer.ecosystems.interface import Ecosystem, Package
    from freezer.model.lock import Lock

Kind = Literal["added", "removed", "up", "down", "rebuilt"]


class Change(Model):
    """One package, component or setting that differs."""

    ecosystem: str
    """``base``, ``debian``, ``conda`` or ``pip``; the role of a component; else ``setting``."""
    name: str
    kind: Kind | Literal["changed"]
    before: str | None = None
    after: str | None = None


class LockDiff(Model):
    """The differences from one lock to another."""

    platform: tuple[Change, ...] = ()
    """Platform, cut-off, base, Python."""
    components: tuple[Change, ...] = ()
    """Components that affect results: libc, BLAS, OpenMP, CUDA and so on."""
    packages: tuple[Change, ...] = ()
    """Packages of all ecosystems, Debian's base included."""
    settings: tuple[Change, ...] = ()
    """Determinism settings and other variables, the seed, the smoke plan, labels."""
    notes: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether nothing differs."""
        return not (
            self.platform or self.components or self.packages or self.settings or self.notes
        )


def diff_locks(old: Lock, new: Lock) -> LockDiff:
    """Return the differences from one lock to another."""
    return LockDiff(
        platform=tuple(_platform(old, new)),
        components=tuple(_components(old, new)),
        packages=tuple(_packages(old, new)),
        settings=tuple(_settings(old, new)),
        notes=tuple(_notes(old, new)),
    )


def _platform(old: Lock, new: Lock) -> Iterator[Change]:
    rows = (
        ("platform", old.platform, new.platform),
        ("as-of", old.as_of, new.as_of),
        ("base", _base(old), _base(new)),
        ("distribution", old.target.distribution, new.target.distribution),
        ("glibc", old.target.glibc, new.target.glibc),
        ("Python", old.target.python.version, new.target.python.version),
    )
    for name, before, after in rows:
        if before != after:
            yield Change(
                ecosystem="platform", name=name, kind="changed", before=before, after=after
            )


def _base(lock: Lock) -> str:
    if lock.base.kind == "registry":
        return f"{lock.base.reference}@{lock.base.manifest[:19]}"
    return f"bootstrap {lock.base.suite}, {lock.base.config[:19]}"


def _components(old: Lock, new: Lock) -> Iterator[Change]:
    """Pair components of a role by their package, the others by name."""
    before, after = (
        {(c.role, c.provider, c.name): c.version for c in lock.components} for lock in (old, new)
    )
    for key in sorted(before.keys() | after.keys()):
        first, second = before.get(key), after.get(key)
        if first != second:
            role, provider, name = key
            kind = _kind(first, second, loose_order)
            title = f"{name} ({provider})"
            yield Change(ecosystem=role, name=title, kind=kind, before=first, after=second)
    yield from _values(
        "accelerator",
        plain(old.accelerator) if old.accelerator else {},
        plain(new.accelerator) if new.accelerator else {},
    )
    if old.blas != new.blas:
        yield Change(ecosystem="blas", name="blas", kind="changed", before=old.blas, after=new.blas)


def _packages(old: Lock, new: Lock) -> Iterator[Change]:
    for ecosystem in ECOSYSTEMS:
        yield from _between(
            ecosystem, ecosystem.name, ecosystem.packages(old), ecosystem.packages(new)
        )
        before, after = ecosystem.other_platforms(old), ecosystem.other_platforms(new)
        for platform in sorted(before.keys() | after.keys()):
            title = f"{ecosystem.name}, {platform}"
            yield from _between(ecosystem, title, before.get(platform, ()), after.get(platform, ()))


def _between(
    ecosystem: Ecosystem, title: str, old: Iterable[Package], new: Iterable[Package]
) -> Iterator[Change]:
    before, after = ecosystem.pins(old), ecosystem.pins(new)
    for name in sorted(before.keys() | after.keys()):
        first, second = before.get(name), after.get(name)
        if first == second:
            continue
        was, now = (first or (None, ""))[0], (second or (None, ""))[0]
        kind = _kind(was, now, ecosystem.order)
        yield Change(ecosystem=title, name=name, kind=kind, before=was, after=now)


def _kind(before: str | None, after: str | None, order: Callable[[str], Any]) -> Kind:
    if before is None:
        return "added"
    if after is None:
        return "removed"
    first, second = order(before), order(after)
    if first == second:
        return "rebuilt"
    return "up" if first < second else "down"


def _settings(old: Lock, new: Lock) -> Iterator[Change]:
    yield from _values("setting", old.environment, new.environment)
    yield from _values("label", old.labels, new.labels)
    overrides = [dict.fromkeys(lock.overrides, "set") for lock in (old, new)]
    yield from _values("override", overrides[0], overrides[1])
    steps = [plain(lock.steps) if lock.steps else {} for lock in (old, new)]
    yield from _values("steps", steps[0], steps[1])
    before, after = plain(old.smoke), plain(new.smoke)
    yield from _values("smoke", before, after)


def _values(
    ecosystem: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        first, second = before.get(key), after.get(key)
        if first != second:
            yield Change(
                ecosystem=ecosystem,
                name=key,
                kind="changed",
                before=_text(first),
                after=_text(second),
            )


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(_text(item) or "" for item in value)
    if isinstance(value, dict):
        name = str(value.get("path") or value)
        return f"{name} ({value['sha256'][:12]})" if "sha256" in value else name
    return str(value)


def _notes(old: Lock, new: Lock) -> Iterator[str]:
    if old.inside != new.inside:
        yield "Freezer's runtime, and with it the trainings, is of another version"
    if old.image_format != new.image_format:
        yield "the rules by which the image's bytes follow from the lock are others"
    reasons = [
        {
            (item.name, getattr(item, "reason", ""))
            for ecosystem in INSTALLED
            for item in ecosystem.packages(lock)
        }
        for lock in (old, new)
    ]
    if reasons[0] != reasons[1] and not any(_packages(old, new)):
        yield "reasons of pins changed"
    for name in sorted(new.exceptions.keys() - old.exceptions.keys()):
        yield f"{name} may be newer than as-of: {new.exceptions[name].reason}"
    for name in sorted(old.exceptions.keys() - new.exceptions.keys()):
        yield f"{name} may no longer be newer than as-of"
