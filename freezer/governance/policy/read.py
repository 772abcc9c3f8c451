"""``policy.yaml`` read and validated, with the line of each fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from freezer.errors import SpecError, Where
from freezer.governance.policy.model import Policy
from freezer.model.spec.faults import joined
from freezer.model.yaml_document import dotted, read_yaml

if TYPE_CHECKING:
    from freezer.model.yaml_document import Document

_PREFIX = "Value error, "
_SHOWN = 120
"""Characters of an unusable value in a message."""


def parse_policy(data: bytes, name: str) -> Policy:
    """Return the policy in a file's bytes. Raises ``SpecError`` naming every fault by its line."""
    document = read_yaml(data, name, may_be_empty=True)
    try:
        return Policy.model_validate(document.values)
    except ValidationError as error:
        faults = [_fault(item, document, name) for item in error.errors(include_url=False)]
        faults.sort(key=lambda fault: (fault.where.line or 0) if fault.where else 0)
        raise joined(faults) from None


def _fault(item: Any, document: Document, name: str) -> SpecError:
    path = tuple(part for part in item["loc"] if isinstance(part, (str, int)))
    where = Where(name, document.line(path), dotted(path) or None)
    if item["type"] == "extra_forbidden":
        return SpecError(f"unknown key {path[-1]!r}", where=where, hint="see docs/how-to/policy.md")
    if item["type"] == "missing":
        return SpecError(
            f"the key {path[-1]!r} is missing", where=where, hint=f"add a line '{path[-1]}: ...'"
        )
    return SpecError(
        f"unusable value for {path[-1]!r}" if path else "unusable policy",
        where=where,
        found=repr(item["input"])[:_SHOWN],
        expected=item["msg"].removeprefix(_PREFIX),
    )
