"""Adds the reasons of the spec's ``why`` to the packages of a lock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.ecosystems import INSTALLED
from freezer.flows.project.environment import place
from freezer.model.reason import with_why

if TYPE_CHECKING:
    from freezer.flows.project.environment import Environment
    from freezer.model.events import Reporter
    from freezer.model.lock import Lock


def with_reasons(lock: Lock, environment: Environment, report: Reporter) -> Lock:
    """Return the lock with the spec's ``why`` added to the packages' reasons.

    Warns of a reason for something that is not locked, which is often a misspelt name.
    """
    unused = dict(environment.spec.why)
    update: dict[str, Any] = {}
    for ecosystem in INSTALLED:
        why = {
            ecosystem.own_name(name): " ".join(text.split())
            for name, text in environment.spec.why.items()
        }
        packages = getattr(lock, ecosystem.name)
        update[ecosystem.name] = tuple(
            one.model_copy(update={"reason": with_why(one.reason, why.get(one.name))})
            for one in packages
        )
        names = {package.name for package in packages}
        unused = {name: _ for name, _ in unused.items() if ecosystem.own_name(name) not in names}
    for name in unused:
        where = place(environment, "why", name)
        report.warn(f"{where}: a reason for {name!r}, which is not in the lock")
    return lock.model_copy(update=update)
