"""The questions of a spec's lower ecosystems, for locks that are made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.flows.lock.ecosystems import SpecRequirements, question_digest
from freezer.flows.lock.interface import Below, LockRequest

if TYPE_CHECKING:
    from freezer.flows.project.environment import Environment
    from freezer.model.lock import Lock


def settled_questions(environment: Environment, made: Lock) -> dict[str, str]:
    """The digests with which a lock's base and Debian packages are kept as they are."""
    request, below, found = LockRequest(environment, made.as_of, made), Below(), {}
    for resolver in SpecRequirements().resolvers()[:2]:
        found[resolver.name] = question_digest(resolver, request, below) or ""
        below = below.with_answer(resolver.name, resolver.locked(made))
    return found
