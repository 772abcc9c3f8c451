"""``policy.yaml``: the rules that a team sets for its environments."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from freezer.model.base import EnvName, Model

POLICY_FILE: Final = "policy.yaml"
_SPAN: Final = re.compile(r"(\d{1,4})([dwy])")
_DAYS: Final = {"d": 1, "w": 7, "y": 365}


def _span(value: Any) -> Any:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        msg = "a number and d, w or y, such as 90d"
        raise ValueError(msg)
    return timedelta(days=int(match[1]) * _DAYS[match[2]])


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        msg = "a date such as 2026-12-31"
        raise ValueError(msg) from None


def _package(text: str) -> str:
    from freezer.governance.policy.packages import parse_package_rule

    parse_package_rule(text)
    return text


Span = Annotated[timedelta, BeforeValidator(_span)]
Day = Annotated[date, BeforeValidator(_day)]
Line = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")]
PackageText = Annotated[str, AfterValidator(_package)]
"""``pip:numpy``, ``debian:openssl>=3.0``, ``conda:mkl<2025``."""
RuleName = Literal[
    "bases", "sources", "licenses", "max-age", "banned", "required", "versions", "min-driver",
    "checked", "verified", "signed", "reasons", "plans", "nondeterminism", "vulnerabilities",
]  # fmt: skip
Severity = Literal["low", "medium", "high", "critical"]


class LicenseRule(Model):
    """Which licenses packages may have."""

    allow: Annotated[tuple[Line, ...], Field(min_length=1)]
    """SPDX identifiers, and names as packages declare them where the list has none."""
    ecosystems: tuple[Literal["pip", "conda", "debian"], ...] = ("pip", "conda", "debian")
    """Those whose packages the rule is about."""
    unknown: Literal["deny", "allow"] = "deny"
    """What is to be done about a package that declares nothing."""


class VulnerabilityRule(Model):
    """Known vulnerabilities, from a local copy of OSV's records."""

    database: Line
    """A folder or a zip of OSV records, relative to the project."""
    severity: Severity = "high"
    """The least severity that breaks the rule; one without a severity counts as high."""


class SignatureRule(Model):
    """Whose signature a generation must have."""

    keys: Annotated[tuple[Line, ...], Field(min_length=1)]
    """Files of public keys, relative to the project."""


class Rules(Model):
    """Every rule is optional; one that is not set demands nothing."""

    bases: tuple[Line, ...] | None = None
    """Patterns of base images: ``bootstrap:bookworm``, ``registry.example/base/*``."""
    sources: tuple[Line, ...] | None = None
    """Names of sources that a lock may name: ``pypi``, ``debian``, ``conda-forge``."""
    licenses: LicenseRule | None = None
    max_age: Span | None = None
    """How far back the cut-off of a lock may be."""
    banned: tuple[PackageText, ...] = ()
    required: tuple[PackageText, ...] = ()
    versions: tuple[PackageText, ...] = ()
    """Least and greatest versions of packages, where they are locked."""
    min_driver: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)*$")] | None = None
    """Least GPU driver that an environment with CUDA must demand of its hosts."""
    checked: Span | None = None
    """How old the last good check of the current lock may be."""
    verified: bool = False
    """Whether a rebuild from nothing must have given the same image."""
    signed: SignatureRule | None = None
    reasons: bool = False
    """Whether each numerics package that the spec asks for must have a reason in ``why``."""
    plans: bool | Literal["reason"] = False
    """Whether each generation after the first must have a plan, or at least a reason."""
    nondeterminism: bool = False
    """Whether what the spec accepts must have an owner and a day until which it is accepted."""
    vulnerabilities: VulnerabilityRule | None = None


class Statement(Model):
    """Why a known vulnerability does not matter here, as VEX has it."""

    vulnerability: Line
    """``CVE-…``, ``GHSA-…`` or any other ID or alias of the record."""
    status: Literal["not_affected", "fixed", "under_investigation"]
    reason: Line
    owner: Line
    until: Day | None = None
    packages: tuple[PackageText, ...] = ()
    """Only these; all by default."""


class Deviation(Model):
    """A breach of a rule that somebody answers for, until a day."""

    rule: RuleName
    subject: Line | None = None
    """The package, license or ID that it is about; all that the rule finds by default."""
    environments: tuple[EnvName, ...] = ()
    """Only these; all by default."""
    reason: Line
    owner: Line
    until: Day


class RetentionRule(Model):
    """Which versions `freeze archive prune` keeps whatever needs them: those of either rule."""

    keep_last: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """The newest versions of each environment."""
    keep_days: Annotated[int, Field(ge=0, le=100_000)] | None = None
    """Versions that were archived within so many days."""


class Policy(Model):
    """The policy of a project."""

    enforce: tuple[Literal["lock", "build", "rollback"], ...] = ()
    """Commands that refuse an environment that breaks a rule; the others warn."""
    rules: Rules = Rules()
    statements: tuple[Statement, ...] = ()
    deviations: tuple[Deviation, ...] = ()
    retention: RetentionRule | None = None
    """How long archives keep earlier versions."""
