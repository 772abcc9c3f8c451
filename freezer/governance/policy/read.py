"""``policy.yaml`` read and validated, with the line of each fault."""

from __future__ import annotations

from typing import Final

from freezer.governance.policy.model import (
    Deviation,
    LicenseRule,
    Policy,
    RetentionRule,
    Rules,
    SignatureRule,
    Statement,
    VulnerabilityRule,
)
from freezer.model.spec.document_kind import DocumentKind
from freezer.model.yaml_document import read_yaml

_POLICY: Final = DocumentKind(
    "policy",
    {
        "": Policy,
        "rules": Rules,
        "rules.licenses": LicenseRule,
        "rules.signed": SignatureRule,
        "rules.vulnerabilities": VulnerabilityRule,
        "statements.*": Statement,
        "deviations.*": Deviation,
        "retention": RetentionRule,
    },
    {
        "enforce": "a list of lock, build and rollback",
        "rules": "a mapping of rules",
        "rules.plans": "true, or reason",
        "statements": "a list of mappings",
        "deviations": "a list of mappings with rule, reason, owner and until",
    },
    more="see docs/how-to/policy.md",
)


def parse_policy(data: bytes, name: str) -> Policy:
    """Return the policy in a file's bytes. Raises ``SpecError`` naming every fault by its line."""
    found: Policy = _POLICY.validate(read_yaml(data, name, may_be_empty=True), name)
    return found
