"""What resolving a lock takes and returns: the request, an ecosystem's resolver, its answer."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from freezer.model.lock import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from freezer.errors import Where
    from freezer.flows.project.environment import Environment
    from freezer.flows.project.project import Project
    from freezer.model.lock import (
        Accelerator,
        Base,
        Component,
        CondaPackage,
        DebianPackage,
        Lock,
        Newer,
        PipPackage,
        PythonTarget,
    )
    from freezer.resolve.minimal import Release

A = TypeVar("A", bound="Answer")


@dataclass(frozen=True)
class LockRequest:
    """What is to be locked, on top of which earlier lock."""

    environment: Environment
    as_of: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: nothing newer is considered."""
    old: Lock | None
    """The lock whose answers are kept where they still hold; None to start afresh."""
    release: Mapping[str, Release] = field(default_factory=dict)
    """By ecosystem: what an update moves. Empty for `freeze lock`."""
    exceptions: Mapping[str, Newer] = field(default_factory=dict)
    """Python packages that may be newer than ``as_of``."""

    def released(self, ecosystem: str) -> Release | None:
        """Return what an update moves in an ecosystem, maybe nothing; None when it is no update."""
        from freezer.resolve.minimal import Release

        return self.release.get(ecosystem, Release()) if self.release else None

    def kept(self, ecosystem: str, question: str) -> Lock | None:
        """Return the old lock where its answer of an ecosystem still holds, else None."""
        old = self.old
        if old is None or old.answers.get(ecosystem) != question or ecosystem in self.release:
            return None
        # An earlier cut-off may exclude what was new then; a later one excludes nothing.
        return old if old.as_of <= self.as_of else None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one ecosystem's resolver returns."""

    causes: Mapping[str, str] = field(default_factory=dict)
    """Of an update, by name: why a package moved that the update does not name."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """Of an update in which more moves than is named: the versions of the named packages if nothing
    else moved, where that is a solution."""


@dataclass(frozen=True, kw_only=True)
class BaseAnswer(Answer):
    """The base."""

    base: Base


@dataclass(frozen=True, kw_only=True)
class DebianAnswer(Answer):
    """The Debian packages on top of the base, and what base and packages are together."""

    packages: tuple[DebianPackage, ...]
    architecture: str
    glibc: str
    distribution: str
    python: PythonTarget | None
    """None where conda provides the environment's Python."""

    @classmethod
    def locked(cls, packages: tuple[DebianPackage, ...], target: Target) -> DebianAnswer:
        """Return what a lock holds."""
        return cls(
            packages=packages,
            architecture=target.architecture,
            glibc=target.glibc,
            distribution=target.distribution,
            python=target.python,
        )


@dataclass(frozen=True, kw_only=True)
class CondaAnswer(Answer):
    """The conda packages of a lock; nothing in an environment without conda."""

    packages: tuple[CondaPackage, ...] = ()
    other_platforms: Mapping[str, tuple[CondaPackage, ...]] = field(default_factory=dict)
    """By platform."""
    virtual_packages: Mapping[str, str] = field(default_factory=dict)
    """What was declared to the solver for the environment's own platform."""
    python: PythonTarget | None = None


@dataclass(frozen=True, kw_only=True)
class PipAnswer(Answer):
    """The Python packages that pip installs."""

    packages: tuple[PipPackage, ...]
    overrides: tuple[str, ...] = ()
    """Normalised names of packages whose requirements the project overrides, sorted."""


@dataclass(frozen=True)
class Resolved:
    """The packages of all ecosystems."""

    base: Base
    target: Target
    debian: tuple[DebianPackage, ...]
    conda: CondaAnswer
    pip: PipAnswer


@dataclass(frozen=True)
class Below:
    """The answers of the ecosystems below the one that is resolved."""

    answers: Mapping[str, Answer] = field(default_factory=dict)

    def with_answer(self, ecosystem: str, answer: Answer) -> Below:
        """Return these and one more."""
        return replace(self, answers={**self.answers, ecosystem: answer})

    @property
    def base(self) -> Base:
        """The base."""
        return self._answer("base", BaseAnswer).base

    @property
    def debian(self) -> DebianAnswer:
        """What is installed on the base."""
        return self._answer("debian", DebianAnswer)

    @property
    def conda(self) -> CondaAnswer:
        """The conda packages; none in an environment without conda."""
        return self._answer("conda", CondaAnswer) if "conda" in self.answers else CondaAnswer()

    @property
    def pip(self) -> PipAnswer:
        """The Python packages."""
        return self._answer("pip", PipAnswer)

    @property
    def target(self) -> Target:
        """What Python packages are chosen for: conda's Python before the system's."""
        system = self.debian
        return Target.model_validate(
            {
                "architecture": system.architecture,
                "glibc": system.glibc,
                "distribution": system.distribution,
                "python": self.conda.python or system.python,
            }
        )

    def resolved(self) -> Resolved:
        """Return all packages, once every ecosystem has answered."""
        return Resolved(self.base, self.target, self.debian.packages, self.conda, self.pip)

    def _answer(self, ecosystem: str, kind: type[A]) -> A:
        found = self.answers[ecosystem]
        if not isinstance(found, kind):
            msg = f"{ecosystem} answered with {type(found).__name__}"
            raise TypeError(msg)
        return found


@dataclass(frozen=True)
class SpecLine:
    """One place of the spec, or of a file that it names, that speaks of a package."""

    where: Where
    text: str
    constraint: bool = False
    """Whether it only constrains the version, and requires nothing."""


class EcosystemResolver(Protocol):
    """Resolves one ecosystem of a lock; the list of all is in `freezer.flows.lock.ecosystems`.

    It holds what the spec requires of its ecosystem, read once for a command.
    Methods that need a resolver or a client import it themselves: where an answer is kept, none of
    them is loaded, and locking again takes half the time.
    """

    name: ClassVar[str]
    """As in `freezer.ecosystems`."""
    stale: ClassVar[str]
    """What `freeze lock --check` reports when the question is another."""

    def question(self, request: LockRequest, below: Below) -> list[Any] | None:
        """Return all that the answer depends on but the indexes' content; without secrets.

        None where the spec requires nothing of this ecosystem. While the digest of the question is
        the one in the lock, the answer in the lock is kept, and no index is asked.
        """

    def locked(self, lock: Lock) -> Answer:
        """Return the answer that a lock holds."""

    def resolve(self, project: Project, request: LockRequest, below: Below) -> Answer:
        """Return the answer to the question. Raises ``ResolveError``, ``FetchError`` and more."""

    def spec_lines(self, request: LockRequest, lock: Lock, name: str) -> Iterator[SpecLine]:
        """Yield the places that speak of a package."""

    def limits(
        self, project: Project, request: LockRequest, lock: Lock, names: Iterable[str]
    ) -> Iterator[tuple[str, str, str | None, str]]:
        """Yield name, version, a newer version that there is, and why it is not taken.

        Of those among ``names`` (as this ecosystem writes them) that the lock has.
        """


@dataclass(frozen=True)
class Answers:
    """All that was resolved for a lock."""

    questions: Mapping[str, str]
    """By ecosystem, the digest of the question that each answer is to."""
    resolved: Resolved
    components: tuple[Component, ...]
    accelerator: Accelerator | None
    causes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By ecosystem and name; see `Answer.causes`."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """By name; see `Answer.alone`."""

    @classmethod
    def locked(cls, lock: Lock) -> Answers:
        """Return the answers that a lock holds."""
        conda = CondaAnswer(
            packages=lock.conda,
            other_platforms=lock.conda_elsewhere,
            virtual_packages=lock.virtual_packages,
        )
        pip = PipAnswer(packages=lock.pip, overrides=lock.overrides)
        return cls(
            questions=lock.answers,
            resolved=Resolved(lock.base, lock.target, lock.debian, conda, pip),
            components=lock.components,
            accelerator=lock.accelerator,
        )
