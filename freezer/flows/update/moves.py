"""What moved from one lock to the next in an update, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freezer.ecosystems import BY_NAME, ECOSYSTEMS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.flows.lock.interface import Answers, LockRequest
    from freezer.model.lock import Lock


@dataclass(frozen=True)
class Move:
    """One package that is another, new or gone."""

    ecosystem: str
    """``base``, ``debian``, ``conda`` or ``pip``."""
    name: str
    before: str | None
    """The version that it had; None when it is new."""
    after: str | None
    named: bool
    """Whether the update names it; all are when it names none."""
    cause: str | None = None
    """What made a package move that is not named, as far as it is known."""

    def __str__(self) -> str:
        """Return ``numpy 1.26.4 to 2.1.0: scipy 1.16 wants numpy>=2``."""
        title = f"{BY_NAME[self.ecosystem].title}{self.name}"
        if self.before is None:
            text = f"{title} {self.after}, new"
        elif self.after is None:
            text = f"{title} {self.before}, removed"
        else:
            text = f"{title} {self.before} to {self.after}"
        return f"{text}: {self.cause}" if self.cause else text


def moves(old: Lock, new: Lock, request: LockRequest, answers: Answers) -> tuple[Move, ...]:
    """Return what moved, what is named first, then by ecosystem and name.

    ``answers`` are those that the new lock was made of; they know why a package moved.
    """
    found = [
        move
        for ecosystem in ECOSYSTEMS
        for move in _moves(
            ecosystem.name,
            ecosystem.movable(old),
            ecosystem.movable(new),
            request,
            answers.causes.get(ecosystem.name, {}),
        )
    ]
    return tuple(sorted(found, key=lambda item: not item.named))


def _moves(
    ecosystem: str,
    old: Mapping[str, str],
    new: Mapping[str, str],
    request: LockRequest,
    causes: Mapping[str, str],
) -> Iterator[Move]:
    release = request.release.get(ecosystem)
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        whole = not request.release or (ecosystem == "base" and release is not None)
        named = whole or (release is not None and name in release.names)
        yield Move(ecosystem, name, before, after, named, None if named else causes.get(name))
