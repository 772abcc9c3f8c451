"""What ``freeze policy check`` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from freezer.model.lockfile import short_id
from freezer.output.text import plural

if TYPE_CHECKING:
    from rich.console import Console

    from freezer.flows.governance.policy import EnvironmentJudged, PolicyResult
    from freezer.governance.policy.facts import Violation
    from freezer.governance.policy.model import Deviation

_MOST: Final = 3
"""Subjects of a deviation that are named."""


def show(result: PolicyResult, console: Console) -> None:
    """Print each environment with what breaks the policy, and what somebody answers for."""
    lines: list[str] = []
    line = lines.append
    for one in result.environments:
        line(f"{one.name} ({short_id(one.lock_id)}): {_verdict(one, len(result.rules))}")
        for violation in one.violations:
            if violation.breaks:
                _show_violation(violation, line)
        _show_deviations(one, line)
    # At once: to print thousands of lines one by one takes longer than to find them.
    console.print("\n".join(lines), highlight=False, soft_wrap=True, markup=False)


def _verdict(one: EnvironmentJudged, rules: int) -> str:
    breaking = sum(violation.breaks for violation in one.violations)
    accepted = len(one.violations) - breaking
    excused = f", {plural(accepted, 'deviation')} in force" if accepted else ""
    if breaking:
        return f"breaks the policy in {plural(breaking, 'place')}{excused}"
    return f"keeps all {plural(rules, 'rule')}{excused}"


def _show_violation(violation: Violation, line: Any) -> None:
    line(f"  ✗ {violation.rule}: {violation.subject}")
    line(f"      found:    {violation.found}")
    line(f"      expected: {violation.expected}")
    if violation.deviation is not None:
        deviation = violation.deviation
        line(f"      ended on {deviation.until}: {deviation.reason} ({deviation.owner})")
    line(f"      next:     {violation.hint}")


def _show_deviations(one: EnvironmentJudged, line: Any) -> None:
    """Print each deviation in force once, with what it covers."""
    covered: dict[Deviation, list[str]] = {}
    for violation in one.violations:
        if violation.deviation is not None and not violation.breaks:
            covered.setdefault(violation.deviation, []).append(violation.subject)
    for deviation, subjects in covered.items():
        more = f" and {len(subjects) - _MOST} more" if len(subjects) > _MOST else ""
        line(f"  · {deviation.rule}: {', '.join(subjects[:_MOST])}{more}")
        line(f"      accepted until {deviation.until}: {deviation.reason} ({deviation.owner})")


def document(result: PolicyResult) -> dict[str, Any]:
    """Return the facts for ``--json``."""
    return {
        "good": result.good,
        "rules": list(result.rules),
        "environments": [
            {
                "environment": one.name,
                "lock-id": one.lock_id,
                "good": one.good,
                "violations": [_violation(violation) for violation in one.violations],
            }
            for one in result.environments
        ],
    }


def _violation(violation: Violation) -> dict[str, Any]:
    deviation = violation.deviation
    return {
        "rule": violation.rule,
        "subject": violation.subject,
        "found": violation.found,
        "expected": violation.expected,
        "next": violation.hint,
        "breaks": violation.breaks,
        "deviation": None
        if deviation is None
        else {
            "reason": deviation.reason,
            "owner": deviation.owner,
            "until": deviation.until.isoformat(),
            "expired": violation.expired,
        },
    }
