"""The rules about a lock itself: base, sources, packages, licenses, age, driver."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from freezer.governance.policy.facts import Violation
from freezer.governance.policy.licenses import is_allowed
from freezer.governance.policy.packages import locked_packages, parse_package_rule
from freezer.model.lock import BasePackage, BootstrapBase, CondaPackage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.ecosystems.interface import Package
    from freezer.governance.policy.facts import Facts
    from freezer.governance.policy.model import Policy


def bases(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield a base that no pattern allows."""
    allowed = policy.rules.bases
    base = facts.lock.base
    name = f"bootstrap:{base.suite}" if isinstance(base, BootstrapBase) else base.reference
    if allowed is not None and not any(fnmatchcase(name, pattern) for pattern in allowed):
        yield Violation(
            facts.name, "bases", name, name, f"one of {', '.join(allowed)}",
            "choose an allowed base in freeze.yaml and lock again",
        )  # fmt: skip


def sources(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield each package from a source that is not allowed."""
    allowed = policy.rules.sources
    if allowed is None:
        return
    for ecosystem, package in locked_packages(facts.lock):
        if isinstance(package, BasePackage):
            continue
        source = package.channel if isinstance(package, CondaPackage) else package.source
        if source not in allowed:
            yield Violation(
                facts.name, "sources", f"{ecosystem}:{package.name}", f"from {source}",
                f"from {', '.join(allowed)}",
                "take it from an allowed source, or allow the source in policy.yaml",
            )  # fmt: skip


def licenses(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield each package whose license is not allowed, or not known."""
    rule = policy.rules.licenses
    if rule is None:
        return
    for ecosystem, package in locked_packages(facts.lock):
        if isinstance(package, BasePackage) or ecosystem not in rule.ecosystems:
            continue  # the files of a registry's base are in its image alone
        if getattr(package, "sha256", "") in facts.unread:
            if not facts.before:
                yield Violation(
                    facts.name, "licenses", f"{ecosystem}:{package.name}",
                    "not read: the file is not in the store", "one that policy.yaml allows",
                    f"run `freeze fetch {facts.name}`",
                )  # fmt: skip
            continue
        declared, fine = is_allowed(package, facts.licenses, rule)
        if not fine:
            yield Violation(
                facts.name, "licenses", f"{ecosystem}:{package.name}",
                declared or "no declared license", "one that policy.yaml allows",
                "replace the package, allow its license, or record a deviation with its reason",
            )  # fmt: skip


def max_age(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield a lock whose cut-off is too long ago."""
    span = policy.rules.max_age
    if span is None:
        return
    moment = datetime.strptime(facts.lock.as_of, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    age = facts.now - moment
    if age > span:
        yield Violation(
            facts.name, "max-age", "lock", f"{age.days} days old (as of {facts.lock.as_of[:10]})",
            f"at most {span.days} days", f"run `freeze update {facts.name}`",
        )  # fmt: skip


def _matching(facts: Facts, text: str) -> list[tuple[str, Package]]:
    rule = parse_package_rule(text)
    return [
        (ecosystem, package)
        for ecosystem, package in locked_packages(facts.lock)
        if rule.names(ecosystem, package.name)
    ]


def banned(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield each locked package that is banned, at its version."""
    for text in policy.rules.banned:
        for ecosystem, package in _matching(facts, text):
            if parse_package_rule(text).holds(package.version):
                yield Violation(
                    facts.name, "banned", f"{ecosystem}:{package.name}", package.version,
                    f"not {text}", f"see what needs it: `freeze why {facts.name} {package.name}`",
                )  # fmt: skip


def required(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield each required package that is not locked at such a version."""
    for text in policy.rules.required:
        found = [package.version for _, package in _matching(facts, text)]
        if not any(parse_package_rule(text).holds(version) for version in found):
            name = text.partition(":")[2]
            yield Violation(
                facts.name, "required", text, ", ".join(found) or "not locked", text,
                f"add {name} to freeze.yaml and lock again",
            )  # fmt: skip


def versions(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield each locked package outside of its bounds."""
    for text in policy.rules.versions:
        for ecosystem, package in _matching(facts, text):
            if not parse_package_rule(text).holds(package.version):
                yield Violation(
                    facts.name, "versions", f"{ecosystem}:{package.name}", package.version, text,
                    f"run `freeze update {facts.name} {package.name}`, or bound it in freeze.yaml",
                )  # fmt: skip


def min_driver(policy: Policy, facts: Facts) -> Iterator[Violation]:
    """Yield an environment with CUDA that takes older drivers than the policy."""
    least, accelerator = policy.rules.min_driver, facts.lock.accelerator
    if least is None or accelerator is None:
        return
    given = (accelerator.driver or "").removeprefix(">=")
    if not given or _numbers(given) < _numbers(least):
        yield Violation(
            facts.name, "min-driver", "accelerator.driver", given or "no floor", f">={least}",
            f'write `accelerator: {{driver: ">={least}"}}` in freeze.yaml and lock again',
        )  # fmt: skip


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
