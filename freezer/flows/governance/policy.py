"""``freeze policy check``, and what lock, build and rollback ask of the policy."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freezer.errors import FreezerError, PolicyError, SpecError, Where
from freezer.flows.governance.licenses import read_licenses
from freezer.flows.history.recorded import readable_history
from freezer.flows.project.environment import (
    environment_names,
    load_environment,
    load_locked,
)
from freezer.governance.policy.evaluate import BEFORE_A_BUILD, RULE_CHECKS, evaluate
from freezer.governance.policy.facts import Facts, Violation
from freezer.governance.policy.model import POLICY_FILE
from freezer.governance.policy.read import parse_policy
from freezer.model.generation import Checked
from freezer.model.lock import BasePackage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Command, Project
    from freezer.governance.licenses.expression import Licenses
    from freezer.governance.policy.model import Policy
    from freezer.governance.policy.osv import Database
    from freezer.history.log import History
    from freezer.model.lock import Lock
    from freezer.model.spec.spec import Spec


@dataclass(frozen=True)
class EnvironmentJudged:
    """What a policy says of one environment."""

    name: str
    lock_id: str
    violations: tuple[Violation, ...]

    @property
    def good(self) -> bool:
        """Whether nothing breaks the policy but what somebody answers for."""
        return not any(violation.breaks for violation in self.violations)


@dataclass(frozen=True)
class PolicyResult:
    """What a policy says of environments."""

    rules: tuple[str, ...]
    """Those that are set."""
    environments: tuple[EnvironmentJudged, ...]

    @property
    def good(self) -> bool:
        """Whether every environment keeps the policy."""
        return all(one.good for one in self.environments)


@dataclass
class _Judge:
    """A policy, and what is read once for all environments."""

    project: Project
    policy: Policy
    database: Database | None = None
    planned: frozenset[str] | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def read_database(self) -> None:
        """Read the known vulnerabilities, where a rule asks for them."""
        rule = self.policy.rules.vulnerabilities
        if rule is not None and self.database is None:
            from freezer.flows.governance.osv_database import read_database

            self.database = read_database(self.project.root / rule.database, rule.database)

    def judge(
        self, lock: Lock, lock_id: str, spec: Spec | None, locked: Locked | None
    ) -> tuple[Violation, ...]:
        """Return the violations of a lock; without ``locked`` it was not written yet."""
        self.read_database()
        history = readable_history(self.project, lock.name) if locked is not None else None
        checks = tuple(
            one
            for one in (history.entries if history else ())
            if isinstance(one, Checked) and one.lock_id == lock_id
        )
        licenses = self._licenses(lock)
        facts = Facts(
            name=lock.name,
            lock=lock,
            lock_id=lock_id,
            now=self.now,
            spec=spec,
            licenses=licenses,
            unread=frozenset(
                package.sha256
                for package in (*lock.base.packages, *lock.debian, *lock.pip)
                if not isinstance(package, BasePackage) and package.sha256 not in licenses
            ),
            before=locked is None,
            generations=history.generations if history else (),
            planned=self._planned(history),
            checks=checks,
            rebuilt=self._rebuilt(lock_id) if locked is not None else None,
            signers=self._signers(locked) if locked is not None else (),
        )
        only = None if locked is not None else BEFORE_A_BUILD | {"vulnerabilities"}
        return evaluate(self.policy, facts, self.database, only=only)

    def _signers(self, locked: Locked) -> tuple[str, ...]:
        rule = self.policy.rules.signed
        if rule is None:
            return ()
        from freezer.flows.governance.attest import signers_of  # loads cryptography

        return signers_of(self.project, locked, rule.keys)

    def _planned(self, history: History | None) -> frozenset[str]:
        """Return the locks with planned runs, where only the ledger can answer for a generation."""
        if self.policy.rules.plans is not True or history is None:
            return frozenset()
        asked = {one.lock_id for one in history.generations[1:] if one.plan is None}
        if not asked:
            return frozenset()
        if self.planned is None:
            from freezer.flows.runs.plan.read import planned_locks  # loads SQLAlchemy

            self.planned = planned_locks(self.project)
        return self.planned

    def _rebuilt(self, lock_id: str) -> bool | None:
        if not self.policy.rules.verified:
            return None
        from freezer.flows.image.rebuild import rebuilt_before

        return rebuilt_before(self.project, lock_id)

    def _licenses(self, lock: Lock) -> dict[str, Licenses]:
        if self.policy.rules.licenses is None:
            return {}
        return read_licenses(lock, self.project.store, self.project.report).by_sha256


def load_policy(project: Project) -> Policy | None:
    """Return the project's policy; None where there is none. Raises ``SpecError``."""
    path = project.root / POLICY_FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SpecError(
            "the policy cannot be read", where=Where(POLICY_FILE), found=error.strerror
        ) from None
    return parse_policy(data, POLICY_FILE)


def check_policy(project: Project, names: Sequence[str | None] | None) -> PolicyResult:
    """Return what the policy says of some environments; None: of all.

    Raises ``SpecError`` without a policy, ``LockError`` for an environment without a lock.
    """
    policy = load_policy(project)
    if policy is None:
        raise SpecError(
            "this project has no policy",
            where=Where(POLICY_FILE),
            hint="write one: docs/how-to/policy.md has a whole example",
        )
    judge = _Judge(project, policy)
    wanted = environment_names(project.root) if names is None else list(names)
    judged = []
    for name in wanted:
        locked = load_locked(project.root, name)
        violations = judge.judge(locked.lock, locked.id, _spec(project, locked.lock.name), locked)
        judged.append(EnvironmentJudged(locked.lock.name, locked.id, violations))
    return PolicyResult(set_rules(policy), tuple(judged))


def set_rules(policy: Policy) -> tuple[str, ...]:
    """Return the names of the rules that a policy sets."""
    fields = {name: getattr(policy.rules, name.replace("-", "_")) for name in RULE_CHECKS}
    found = [name for name, value in fields.items() if value not in (None, (), False)]
    return (*found, *(["vulnerabilities"] if policy.rules.vulnerabilities else []))


def require_policy(project: Project, command: Command, lock: Lock, lock_id: str) -> None:
    """Warn of what breaks the policy, before a command goes on; without a policy do nothing.

    Rules about what comes after a lock (checks, rebuilds, signatures) are left to
    ``freeze policy check``. Raises ``PolicyError`` where the policy is enforced on this command.
    """
    policy = load_policy(project)
    if policy is None:
        return
    violations = _Judge(project, policy).judge(lock, lock_id, _spec(project, lock.name), None)
    breaking = [violation for violation in violations if violation.breaks]
    if not breaking:
        return
    lines = [violation_line(violation) for violation in breaking]
    if command in policy.enforce:
        raise PolicyError(
            f"{lock.name} breaks the policy, which `{command}` enforces",
            where=Where(POLICY_FILE),
            details=lines,
            hint=f"mend each, or record a deviation in {POLICY_FILE} with reason, owner and until",
        )
    for line in lines:
        project.report.warn(f"policy: {line}")


def violation_line(violation: Violation) -> str:
    """Return a violation in one line."""
    late = violation.deviation.until.isoformat() if violation.deviation else ""
    end = f" (the deviation ended on {late})" if violation.expired else ""
    return (
        f"{violation.rule}: {violation.subject}: {violation.found}; expected {violation.expected}"
        f"{end}"
    )


def _spec(project: Project, name: str) -> Spec | None:
    try:
        return load_environment(project.root, name).spec
    except FreezerError:
        return None  # a lock that came in a bundle, or a spec that is being edited
