"""All rules of a policy against one environment, with the deviations that somebody answers for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from freezer.governance.policy import conduct, rules
from freezer.governance.policy.facts import Violation
from freezer.governance.policy.osv import at_least, matches
from freezer.governance.policy.packages import parse_package_rule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from freezer.governance.policy.facts import Facts
    from freezer.governance.policy.model import Deviation, Policy, RuleName, Statement
    from freezer.governance.policy.osv import Database, Match

    Rule = Callable[[Policy, Facts], Iterator[Violation]]

RULE_CHECKS: Final[dict[RuleName, Rule]] = {
    "bases": rules.bases,
    "sources": rules.sources,
    "licenses": rules.licenses,
    "max-age": rules.max_age,
    "banned": rules.banned,
    "required": rules.required,
    "versions": rules.versions,
    "min-driver": rules.min_driver,
    "checked": conduct.checked,
    "verified": conduct.verified,
    "signed": conduct.signed,
    "reasons": conduct.reasons,
    "plans": conduct.plans,
    "nondeterminism": conduct.nondeterminism,
}
BEFORE_A_BUILD: Final = frozenset(RULE_CHECKS) - {"checked", "verified", "signed", "plans"}
"""Rules that a lock can answer before it was built, checked or signed."""


def evaluate(
    policy: Policy,
    facts: Facts,
    database: Database | None = None,
    *,
    only: frozenset[str] | None = None,
) -> tuple[Violation, ...]:
    """Return what breaks the policy, those that a deviation covers included.

    ``database``: known vulnerabilities, where the policy has that rule. ``only``: these rules.
    """
    found = [
        violation
        for name, rule in RULE_CHECKS.items()
        if only is None or name in only
        for violation in rule(policy, facts)
    ]
    if database is not None and (only is None or "vulnerabilities" in only):
        found += _vulnerabilities(policy, facts, database)
    today = facts.now.date()
    return tuple(with_deviation(policy, violation, today) for violation in found)


def _vulnerabilities(policy: Policy, facts: Facts, database: Database) -> Iterator[Violation]:
    rule = policy.rules.vulnerabilities
    if rule is None:
        return
    seen: set[tuple[str, str, str]] = set()
    today = facts.now.date()
    for match in matches(facts.lock, database):
        key = (match.ecosystem, match.package, match.record.id)
        if key in seen or not at_least(match.severity, rule.severity):
            continue
        seen.add(key)
        if any(_is_stated(one, match, today) for one in policy.statements):
            continue
        fixed = (
            f"fixed in {', '.join(match.fixed[:3])}" if match.fixed else "no fixed version known"
        )
        yield Violation(
            facts.name, "vulnerabilities", f"{match.ecosystem}:{match.package}",
            f"{match.version}: {match.record.id} ({match.severity}) {match.record.summary}".strip(),
            fixed,
            f"run `freeze update {facts.name} {match.package}`, or state in policy.yaml why it "
            "does not matter",
        )  # fmt: skip


def _is_stated(statement: Statement, match: Match, today: date) -> bool:
    """Return whether somebody stated that a vulnerability does not matter for a package."""
    if statement.status == "under_investigation" or not match.record.is_named(
        statement.vulnerability
    ):
        return False
    if statement.until is not None and statement.until < today:
        return False
    return not statement.packages or any(
        (rule := parse_package_rule(text)).names(match.ecosystem, match.package)
        and rule.holds(match.version)
        for text in statement.packages
    )


def with_deviation(policy: Policy, violation: Violation, today: date) -> Violation:
    """Return a violation with the deviation that covers it; one in force is preferred."""
    covering = [one for one in policy.deviations if _covers(one, violation)]
    if not covering:
        return violation
    best = max(covering, key=lambda one: one.until)
    return replace(violation, deviation=best, expired=best.until < today)


def _covers(deviation: Deviation, violation: Violation) -> bool:
    if deviation.rule != violation.rule:
        return False
    if deviation.environments and violation.environment not in deviation.environments:
        return False
    if deviation.subject is None:
        return True
    return deviation.subject == violation.subject or deviation.subject in violation.found.split()
