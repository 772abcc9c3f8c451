"""The worlds that a lock is resolved in, one after another: base, Debian, pip.

Each answers one question, a plain document whose digest the lock keeps. A world whose question is
as it was is kept as it stands, without asking anyone: that is why locking again costs nothing, and
why a new requirement moves no Debian package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freezer.flows.asking import Asking
from freezer.model.canonical import digest, json_bytes, plain
from freezer.resolve.pip import pip_question
from freezer.resolve.requirements import gather

if TYPE_CHECKING:
    from freezer.flows.installed import Installed
    from freezer.flows.sources import Workshop
    from freezer.flows.spec import Environment
    from freezer.model.lock import Base, Component, DebianPackage, Lock, PipPackage, Target

FORMAT = 1
"""Raised when every question must be asked anew because the way of answering changed."""


@dataclass(frozen=True)
class Worlds:
    """The answers, and the digest of the question that each answers."""

    answers: dict[str, str]
    base: Base
    target: Target
    debian: tuple[DebianPackage, ...]
    pip: tuple[PipPackage, ...]
    components: tuple[Component, ...]


def base_question(environment: Environment) -> str:
    """Return the digest of what the base is asked for."""
    spec = environment.spec
    base = spec.base if isinstance(spec.base, str) else plain(spec.base)
    return _digest("base", base, spec.platform)


def debian_question(environment: Environment, base: Base) -> str:
    """Return the digest of what the Debian world is asked for on a base."""
    spec = environment.spec
    below = (
        base.config
        if base.kind == "registry"
        else sorted(package.sha256 for package in base.packages)
    )
    return _digest("debian", below, sorted(set(spec.system)), spec.python)


def python_question(environment: Environment, target: Target) -> str:
    """Return the digest of what the pip world is asked for. Raises ``SpecError``."""
    gathered = gather(environment.spec_folder, environment.spec.pip)
    return _digest("pip", pip_question(gathered, environment.spec.pip, target))


def stale_worlds(environment: Environment, lock: Lock, as_of: str) -> list[str]:
    """Return the worlds whose answers in a lock are to another question than the spec's."""
    asking = Asking(environment, as_of, lock)
    questions = {
        "base": base_question(environment),
        "debian": debian_question(environment, lock.base),
        "pip": python_question(environment, lock.target),
    }
    return [world for world, question in questions.items() if not asking.keeps(world, question)]


def resolve_worlds(workshop: Workshop, asking: Asking) -> Worlds:
    """Return the answers of all worlds. Raises what their resolvers and the engine raise."""
    environment, old = asking.environment, asking.old
    asked = base_question(environment)
    base = _base(workshop, asking, kept=asking.keeps("base", asked))
    installed, debian_asked = _debian(workshop, asking, base)
    pip_asked = python_question(environment, installed.target)
    answers = {"base": asked, "debian": debian_asked, "pip": pip_asked}
    if old is not None and asking.keeps("pip", pip_asked) and installed.packages == old.debian:
        return Worlds(answers, base, installed.target, old.debian, old.pip, old.components)
    from freezer.flows.python import resolve_python

    pip, components = resolve_python(
        workshop, asking, base, installed, kept=asking.keeps("pip", pip_asked)
    )
    return Worlds(answers, base, installed.target, installed.packages, pip, components)


# The imports below are late on purpose: where every world is kept, neither resolvers nor clients
# are loaded, and locking again takes half the time.


def _base(workshop: Workshop, asking: Asking, *, kept: bool) -> Base:
    if kept and asking.old is not None:
        return asking.old.base
    from freezer.flows.bases import resolve_base

    return resolve_base(workshop, asking)


def _debian(workshop: Workshop, asking: Asking, base: Base) -> tuple[Installed, str]:
    from freezer.flows.installed import Installed

    question = debian_question(asking.environment, base)
    if asking.old is not None and asking.keeps("debian", question):
        return Installed(asking.old.debian, asking.old.target), question
    from freezer.flows.debian import resolve_installed

    return resolve_installed(workshop, asking, base), question


def _digest(world: str, *question: Any) -> str:
    return f"sha256:{digest(json_bytes([FORMAT, world, *question]))}"
