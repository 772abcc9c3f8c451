"""The rules about how an environment is kept: checks, rebuilds, signatures, reasons, plans."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from freezer.governance.policy.facts import Violation
from freezer.governance.policy.packages import locked_packages
from freezer.model.record.verdict import GOOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.governance.policy.facts import Facts
    from freezer.governance.policy.model import Policy

_BECAUSE = "; why: "
"""In a lock's reason, before what the spec's ``why`` says."""


def checked(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield a lock without a good check, or whose last one is too old, or was not good."""
    span = policy.rules.checked
    if span is None:
        return
    own = sorted(facts.checks, key=lambda one: one.date)
    good = [one for one in own if one.word in GOOD]
    hint = f"run `freeze check {facts.name}`"
    expected = f"a good check within {span.days} days"
    if not good:
        last = f"last verdict: {own[-1].word.value}" if own else "never checked"
        yield Violation(facts.name, "checked", "lock", last, expected, hint)
        return
    age = facts.now - datetime.strptime(good[-1].date, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    if age > span:
        yield Violation(facts.name, "checked", "lock", f"{age.days} days ago", expected, hint)
    latest: dict[str, str] = {one.class_: one.word.value for one in own}
    for class_, word in sorted(latest.items()):
        if word not in {known.value for known in GOOD}:
            yield Violation(
                facts.name, "checked", class_, word, "a good last check on each class of hosts",
                f"run `freeze check {facts.name}` on a host of that class",
            )  # fmt: skip


def verified(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield a lock whose image was never rebuilt from nothing, or came out otherwise."""
    if policy.rules.verified and facts.rebuilt is not True:
        found = "never rebuilt from nothing" if facts.rebuilt is None else "another image ID"
        yield Violation(
            facts.name, "verified", "image", found, "a rebuild from nothing with the same ID",
            f"run `freeze build {facts.name} --verify`",
        )  # fmt: skip


def signed(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield a generation that none of the allowed keys signed."""
    if policy.rules.signed is not None and not facts.signers:
        yield Violation(
            facts.name, "signed", "generation", "not signed by an allowed key",
            f"a signature by one of {', '.join(policy.rules.signed.keys)}",
            f"run `freeze sign {facts.name} --key FILE`",
        )  # fmt: skip


def reasons(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield each package that computes and that the spec asks for without a reason."""
    if not policy.rules.reasons:
        return
    providers = {component.provider for component in facts.lock.components}
    for ecosystem, package in locked_packages(facts.lock):
        asked = getattr(package, "requested", False)
        reason = getattr(package, "reason", "")
        own = reason.startswith("Freezer's own")
        if asked and not own and f"{ecosystem}:{package.name}" in providers:
            why = (facts.spec.why if facts.spec else {}).get(package.name)
            if not why and _BECAUSE not in reason:
                yield Violation(
                    facts.name, "reasons", f"{ecosystem}:{package.name}", "no reason",
                    "a reason for each package that computes",
                    f"write `why: {{{package.name}: ...}}` in freeze.yaml",
                )  # fmt: skip


def plans(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield each generation after the first without a plan; of ``plans: reason`` without a reason.

    A plan was given with the generation, or with runs in its lock. A rollback goes back to what was
    planned before, and a join of two branches to what is in them: both need a reason.
    """
    rule = policy.rules.plans
    if not rule:
        return
    for one in facts.generations[1:]:
        new = one.action in ("lock", "update")
        if rule is True and new and one.plan is None and one.lock_id not in facts.planned:
            yield Violation(
                facts.name, "plans", f"generation {one.number}", "no plan",
                "a plan: what the change is to do, and what would refute it",
                "give `--plan FILE` to lock, update or run; for this one, record a deviation",
            )  # fmt: skip
        elif not one.reason and (rule == "reason" or not new):
            yield Violation(
                facts.name, "plans", f"generation {one.number}", "no reason recorded",
                "what the change is to do, recorded with it",
                "give `--reason` to lock, update and rollback; for this one, record a deviation",
            )  # fmt: skip


def nondeterminism(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield what the spec accepts without an owner or an end, or past its end."""
    if not policy.rules.nondeterminism or facts.spec is None:
        return
    for one in facts.spec.determinism.accept:
        lacks = [key for key in ("owner", "until") if getattr(one, key) is None]
        if lacks:
            yield Violation(
                facts.name, "nondeterminism", one.factor, f"no {' and no '.join(lacks)}",
                "reason, owner and until",
                "add them under `determinism: accept` in freeze.yaml",
            )  # fmt: skip
        elif one.until is not None and date.fromisoformat(one.until) < facts.now.date():
            yield Violation(
                facts.name, "nondeterminism", one.factor, f"accepted until {one.until}",
                "an acceptance in force", "mend it, or accept it anew with a later day",
            )  # fmt: skip
