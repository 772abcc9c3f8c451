"""Known non-determinism of locked packages and settings, without running anything.

Documented rows come from `freezer.frameworks`, each with its source: the framework's documentation
or a statement of its maintainers. Measured ones are those of the atlas.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from freezer.check.measured import LockedRow, covered, locked_rows
from freezer.frameworks import described, python_names
from freezer.frameworks.atlas.table import locked_versions
from freezer.inside.freezer_inside.determinism import table, thread_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Note:
    """A known fact about a locked package or setting."""

    about: str
    """A package with its version, or a setting."""
    says: str
    mitigation: str
    source: str | None = None
    kind: Literal["documented", "measured", "setting"] = "documented"
    covered: bool | None = None
    """For what was measured: whether the image's settings stop it; None where only the training's
    own code can."""


def notes(lock: Lock) -> tuple[Note, ...]:
    """Return the known facts on a lock's packages and settings. Pure."""
    return (*_packages(lock), *_settings(lock))


def _packages(lock: Lock) -> Iterator[Note]:
    """Yield documented facts on the locked packages, and measurements of their versions."""
    locked = locked_versions(lock, python_names())
    for item in described():
        name = next((name for name in item.packages if name in locked), None)
        if name is None:
            continue
        for row in item.documented:
            if not row.gpu or lock.accelerator is not None:
                yield Note(f"{name} {locked[name]}", row.says, row.mitigation, row.source)
    yield from _measured(lock)


def _measured(lock: Lock) -> Iterator[Note]:
    """Yield what was measured of the locked versions, one note for each operation."""
    notes: dict[tuple[str, str, str | None, bool | None], list[LockedRow]] = {}
    for found in locked_rows(lock):
        stops = covered(found.row, lock.environment)
        key = (found.package, found.row.operation, found.row.setting, stops)
        notes.setdefault(key, []).append(found)
    for (package, operation, setting, stops), rows in notes.items():
        first = rows[0]
        factors = ", ".join(item.row.factor for item in rows)
        yield Note(
            f"{package} {first.version}",
            f"{operation}: {first.row.finding} (varied: {factors})",
            setting or "none is known",
            f"measured with {', '.join(first.row.versions)}, {first.row.date}",
            kind="measured",
            covered=stops,
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
                kind="setting",
            )
        elif counts and not value.isdigit():
            yield Note(
                f"{row.name}={value}",
                "the number of threads is not fixed: sums are split as the host has CPUs",
                f"leave {row.name} out of `env`, and set determinism.threads",
                row.source,
                kind="setting",
            )
