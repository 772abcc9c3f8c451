"""Measured effects that fit a training of one's own whose results differ. Pure but for data.

What fits is an operation whose names stand in the training's source: ``group_by``, ``agg`` and
``collect`` for ``LazyFrame.group_by(...).agg(sum).collect()``; and the name by which the library is
imported, as others have a ``group_by`` as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from freezer.check.measured import LockedRow, covered, locked_rows
from freezer.frameworks.atlas.table import module_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from freezer.model.lock import Lock

MOST: Final = 3
_NAME: Final = re.compile(r"[A-Za-z_]\w{2,}")
_CLASS: Final = re.compile(r"\b[A-Z]\w*\.(?=[a-z_])")
"""The class of a method, which a program that calls the method need not name."""
_WORDS: Final = frozenset(
    {
        *("after", "all", "and", "before", "bias", "data", "float", "for", "from", "gradients"),
        *("groups", "heavy", "inside", "layer", "network", "tailed", "target", "two", "weight"),
        *("integers", "nodes", "numbers", "order", "seed", "strings", "the", "then", "ties"),
        *("under", "values", "weights", "with", "without"),
    }
)
"""Words of titles that name nothing in a program."""
_AUDITED: Final[Mapping[str, tuple[str, ...]]] = {
    "threads-": ("threads", "blas threads"),
    "race": ("threads", "blas threads"),
    "hash-seed": ("hash seed",),
}
"""How the names of an audit's factors begin, and the factors that the atlas measures of them."""
_ENOUGH: Final = 0.6
"""Part of an operation's names that a source has to have."""


def fitting_causes(lock: Lock, sources: Sequence[str]) -> tuple[str, ...]:
    """Return sentences on measured effects by which a training may not repeat, the likeliest first.

    ``sources`` are the texts of the training's own files; without them nothing fits.
    """
    return _ranked(_restless_rows(lock), sources)


def fitting_effects(lock: Lock, sources: Sequence[str], varied: str) -> tuple[str, ...]:
    """Return sentences on measured effects that fit a factor of an audit, the likeliest first.

    ``varied`` is the factor's name: ``threads-4``. Empty for one that the atlas does not measure.
    """
    measured = next((those for name, those in _AUDITED.items() if varied.startswith(name)), ())
    if not measured:
        return () if varied != "again" else fitting_causes(lock, sources)
    rows = (found for found in locked_rows(lock) if found.row.factor in measured)
    return _ranked(rows, sources)


def _ranked(rows: Iterable[LockedRow], sources: Sequence[str]) -> tuple[str, ...]:
    words = {word for text in sources for word in _NAME.findall(text)}
    best: dict[str, tuple[float, LockedRow]] = {}
    for found in rows:
        if not any(re.search(rf"\b{module_name(found.package)}\b", text) for text in sources):
            continue
        score = _score(found.row.operation, words)
        key = f"{found.package} {found.row.operation}"
        if score >= _ENOUGH and (key not in best or _restless(found, best[key][1])):
            best[key] = score, found
    ranked = sorted(best.values(), key=lambda item: (-item[0], item[1].package))
    return tuple(_sentence(found) for _, found in ranked[:MOST])


def _restless_rows(lock: Lock) -> Iterator[LockedRow]:
    """Yield what makes two runs of one image differ: effects that vary and are not covered."""
    for found in locked_rows(lock):
        row = found.row
        possible = row.factor != "threads" or lock.smoke.cpus > 1
        if row.effect == "varies" and possible and not covered(row, lock.environment):
            yield found


def _restless(one: LockedRow, other: LockedRow) -> bool:
    order = ("process", "call", "threads", "blas threads", "hash seed")
    return order.index(one.row.factor) < order.index(other.row.factor)


def _score(operation: str, words: set[str]) -> float:
    names = set(_NAME.findall(_CLASS.sub("", operation))) - _WORDS
    return len(names & words) / len(names) if names else 0.0


def _sentence(found: LockedRow) -> str:
    row = found.row
    remedy = (
        f"; what stops it: {row.setting}" if row.setting else "; no setting is known to stop it"
    )
    return f"measured of {found.package} {found.version}, {row.operation}: {row.finding}{remedy}"
