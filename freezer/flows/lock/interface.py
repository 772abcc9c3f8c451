"""Interface of lock resolution: request, resolvers, results."""

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
    """What to lock, and the earlier lock to keep packages from."""

    environment: Environment
    as_of: str
    """UTC, ``YYYY-MM-DDTHH:MM:SSZ``: nothing newer is considered."""
    old: Lock | None
    """The lock whose packages are kept when still valid; None to resolve everything again."""
    release: Mapping[str, Release] = field(default_factory=dict)
    """By ecosystem: packages to update. Empty for `freeze lock`."""
    exceptions: Mapping[str, Newer] = field(default_factory=dict)
    """Python packages that may be newer than ``as_of``."""

    def released(self, ecosystem: str) -> Release | None:
        """Return the packages to update in an ecosystem, maybe none; None without an update."""
        from freezer.resolve.minimal import Release

        return self.release.get(ecosystem, Release()) if self.release else None

    def kept(self, ecosystem: str, question: str) -> Lock | None:
        """Return the old lock if its packages of an ecosystem are still valid, else None."""
        old = self.old
        if old is None or old.answers.get(ecosystem) != question or ecosystem in self.release:
            return None
        # An earlier cut-off may exclude locked packages; a later one excludes nothing.
        return old if old.as_of <= self.as_of else None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The result of one ecosystem's resolver."""

    causes: Mapping[str, str] = field(default_factory=dict)
    """For an update, by name: why a package changed that the update does not name."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """For an update that changes more than the named packages: their versions when nothing else
    may change, if that has a solution."""


@dataclass(frozen=True, kw_only=True)
class BaseAnswer(Answer):
    """The base."""

    base: Base


@dataclass(frozen=True, kw_only=True)
class DebianAnswer(Answer):
    """The Debian packages on the base, and the resulting platform."""

    packages: tuple[DebianPackage, ...]
    architecture: str
    glibc: str
    distribution: str
    python: PythonTarget | None
    """None with conda's Python."""

    @classmethod
    def locked(cls, packages: tuple[DebianPackage, ...], target: Target) -> DebianAnswer:
        """Return the result in a lock."""
        return cls(
            packages=packages,
            architecture=target.architecture,
            glibc=target.glibc,
            distribution=target.distribution,
            python=target.python,
        )


@dataclass(frozen=True, kw_only=True)
class CondaAnswer(Answer):
    """The conda packages of a lock; empty without conda."""

    packages: tuple[CondaPackage, ...] = ()
    other_platforms: Mapping[str, tuple[CondaPackage, ...]] = field(default_factory=dict)
    """By platform."""
    virtual_packages: Mapping[str, str] = field(default_factory=dict)
    """The solver's virtual packages for the environment's own platform."""
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
    """The results of the ecosystems before the one that is resolved."""

    answers: Mapping[str, Answer] = field(default_factory=dict)

    def with_answer(self, ecosystem: str, answer: Answer) -> Below:
        """Return these results and one more."""
        return replace(self, answers={**self.answers, ecosystem: answer})

    @property
    def base(self) -> Base:
        """The base."""
        return self._answer("base", BaseAnswer).base

    @property
    def debian(self) -> DebianAnswer:
        """The packages installed on the base."""
        return self._answer("debian", DebianAnswer)

    @property
    def conda(self) -> CondaAnswer:
        """The conda packages; empty without conda."""
        return self._answer("conda", CondaAnswer) if "conda" in self.answers else CondaAnswer()

    @property
    def pip(self) -> PipAnswer:
        """The Python packages."""
        return self._answer("pip", PipAnswer)

    @property
    def target(self) -> Target:
        """The target of Python packages: conda's Python, else the system's."""
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
        """Return all packages, once every ecosystem is resolved."""
        return Resolved(self.base, self.target, self.debian.packages, self.conda, self.pip)

    def _answer(self, ecosystem: str, kind: type[A]) -> A:
        found = self.answers[ecosystem]
        if not isinstance(found, kind):
            msg = f"the result of {ecosystem} is a {type(found).__name__}"
            raise TypeError(msg)
        return found


@dataclass(frozen=True)
class SpecLine:
    """A line of the spec, or of a file that it names, about a package."""

    where: Where
    text: str
    constraint: bool = False
    """Whether it is a constraint and no requirement."""


class EcosystemResolver(Protocol):
    """Resolves one ecosystem of a lock; all are listed in `freezer.flows.lock.ecosystems`.

    It has the spec's requirements of its ecosystem, read once for a command. Methods that need a
    solver or a client import it themselves: when packages are kept, none is loaded, and locking
    again takes half the time.
    """

    name: ClassVar[str]
    """The ecosystem's name in `freezer.ecosystems`."""
    stale: ClassVar[str]
    """The message of `freeze lock --check` when the inputs differ."""

    def question(self, request: LockRequest, below: Below) -> list[Any] | None:
        """Return all inputs except for the indexes' contents, without secrets.

        None when the spec has no requirements of this ecosystem. While the digest equals the one in
        the lock, the locked packages are kept and no index is contacted.
        """

    def locked(self, lock: Lock) -> Answer:
        """Return the result in a lock."""

    def resolve(self, project: Project, request: LockRequest, below: Below) -> Answer:
        """Resolve the requirements. Raises ``ResolveError``, ``FetchError`` and more."""

    def spec_lines(self, request: LockRequest, lock: Lock, name: str) -> Iterator[SpecLine]:
        """Yield the lines of the spec about a package."""

    def limits(
        self, project: Project, request: LockRequest, lock: Lock, names: Iterable[str]
    ) -> Iterator[tuple[str, str, str | None, str]]:
        """Yield name, version, a newer available version, and why it is not selected.

        For those of ``names`` (as this ecosystem writes them) that are in the lock.
        """


@dataclass(frozen=True)
class Answers:
    """The results of all ecosystems."""

    questions: Mapping[str, str]
    """By ecosystem, the digest of the inputs."""
    resolved: Resolved
    components: tuple[Component, ...]
    accelerator: Accelerator | None
    causes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By ecosystem and name; see `Answer.causes`."""
    alone: Mapping[str, str] = field(default_factory=dict)
    """By name; see `Answer.alone`."""

    @classmethod
    def locked(cls, lock: Lock) -> Answers:
        """Return the results in a lock."""
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
