"""What a policy is held against: the facts of one environment, and what breaks a rule."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from freezer.governance.licenses.expression import Licenses
    from freezer.governance.policy.model import Deviation, RuleName
    from freezer.model.generation import Checked, Generation
    from freezer.model.lock import Lock
    from freezer.model.spec.spec import Spec


@dataclass(frozen=True)
class Facts:
    """One environment, as its files and its history have it."""

    name: str
    lock: Lock
    lock_id: str
    now: datetime
    """UTC."""
    spec: Spec | None = None
    """None for a lock that came without one."""
    licenses: Mapping[str, Licenses] = field(default_factory=dict)
    """By SHA-256 of the file; only where a rule asks for them."""
    unread: frozenset[str] = frozenset()
    """Files whose license is not known yet, by SHA-256."""
    before: bool = False
    """Whether the lock is about to be written or built: what comes after it is not judged."""
    generations: tuple[Generation, ...] = ()
    planned: frozenset[str] = frozenset()
    """IDs of locks with runs in the ledger that a plan was given for."""
    checks: tuple[Checked, ...] = ()
    """Of the current lock."""
    rebuilt: bool | None = None
    """Whether a rebuild from nothing gave the same image; None where there was none."""
    signers: tuple[str, ...] = ()
    """Fingerprints of the allowed keys that signed the current generation."""


@dataclass(frozen=True)
class Violation:
    """One breach of one rule."""

    environment: str
    rule: RuleName
    subject: str
    """What it is about: a package, a license, an ID."""
    found: str
    expected: str
    hint: str
    """What to do about it."""
    deviation: Deviation | None = None
    """The deviation that covers it, expired or not."""
    expired: bool = False

    @property
    def breaks(self) -> bool:
        """Whether it counts: nobody answers for it, or not any more."""
        return self.deviation is None or self.expired
