"""Known non-determinism of locked packages and settings, without running anything.

Rows come from `freezer.frameworks`, each with its source: the framework's documentation, a
statement of its maintainers, or a measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from freezer.frameworks import described, python_names
from freezer.inside.freezer_inside.determinism import table, thread_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.frameworks.description import Framework, Measured
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Note:
    """A known fact about a locked package or setting."""

    about: str
    """A package with its version, or a setting."""
    says: str
    mitigation: str
    source: str | None = None


def notes(lock: Lock) -> tuple[Note, ...]:
    """Return the known facts on a lock's packages and settings. Pure."""
    return (*_packages(lock), *_settings(lock))


def _packages(lock: Lock) -> Iterator[Note]:
    """Yield documented facts on the locked packages, and measurements of their versions."""
    versions = {item.name: item.version for item in lock.conda}
    versions |= {item.name: item.version for item in lock.pip}
    locked = {python_names().get(name, name): version for name, version in versions.items()}
    for item in described():
        name = next((name for name in item.packages if name in locked), None)
        if name is None:
            continue
        for row in item.documented:
            if not row.gpu or lock.accelerator is not None:
                yield Note(f"{name} {locked[name]}", row.says, row.mitigation, row.source)
        yield from _measured(item, name, locked[name])


def _measured(item: Framework, name: str, version: str) -> Iterator[Note]:
    """Yield measured differences of one version, which do not apply to other versions."""
    for row in item.measured:
        if row.effect == "same" or row.factor == "version" or not covers(row, version):
            continue
        yield Note(
            f"{name} {version}",
            f"{row.operation}: {row.finding}",
            row.setting or "none is known",
            f"measured with {row.package} {', '.join(row.versions)}, {row.date}",
        )


def covers(row: Measured, version: str) -> bool:
    """Return whether a version was measured, or is a patch release of a measured one."""
    try:
        locked = Version(version)
    except InvalidVersion:  # conda has versions that are invalid for Python packages
        return False
    tried = [Version(text) for text in row.versions]
    return min(tried) <= locked <= max(tried) or any(
        locked.release[:2] == one.release[:2] for one in tried
    )


def _settings(lock: Lock) -> Iterator[Note]:
    """Yield variables of the spec that override those of every image.

    An older lock may lack a newer variable; that is not reported.
    """
    for row in table(lock.smoke.seed, lock.smoke.cpus):
        if row.name not in lock.environment:
            continue
        value = lock.environment[row.name]
        counts = row.name in thread_counts(1)
        fixed = not counts and not row.name.startswith("FREEZER_")
        if fixed and value != row.value:
            yield Note(
                f"{row.name}={value}",
                f"the spec's `env` replaces {row.name}={row.value}, by which {row.why}",
                f"leave {row.name} out of `env`",
                row.source,
            )
        elif counts and not value.isdigit():
            yield Note(
                f"{row.name}={value}",
                "the number of threads is not fixed: sums are split as the host has CPUs",
                f"leave {row.name} out of `env`, and set determinism.threads",
                row.source,
            )
