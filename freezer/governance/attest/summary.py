"""What a statement says, in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freezer.governance.attest.check_report import CHECK, TEST_RESULT
from freezer.governance.attest.provenance import PREDICATE_TYPE, rebuilt_of
from freezer.governance.attest.statement import IMAGE_SIGNATURE

if TYPE_CHECKING:
    from freezer.governance.attest.statement import Statement

_LONGEST = 200
_REBUILT = {
    True: ", and a rebuild from nothing gave the same image",
    False: ", and a rebuild from nothing gave ANOTHER image",
    None: "",
}


def summary_of(stated: Statement) -> str:
    """Return what a statement says; of one of an unknown type, the type.

    Others wrote it: it may have any characters, and at most a few hundred of them.
    """
    if stated.predicate_type == IMAGE_SIGNATURE:
        return "the image's signature"
    if stated.predicate_type == PREDICATE_TYPE:
        definition = _object(stated.predicate.get("buildDefinition"))
        parameters = _object(definition.get("externalParameters"))
        lock = _word(parameters, "lock-id")[:12]
        return f"provenance{f' of lock {lock}' if lock else ''}{_REBUILT[rebuilt_of(stated)]}"
    if stated.predicate_type == TEST_RESULT:
        check = _object(stated.predicate.get(CHECK))
        verdict = _word(check, "verdict") or _word(stated.predicate, "result")
        place = f" on {_word(check, 'class')}" if _word(check, "class") else ""
        day = f", {_word(check, 'date')[:10]}" if _word(check, "date") else ""
        return f"a check: {verdict}{place}{day}"
    return stated.predicate_type[:_LONGEST]


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


def _word(document: Any, key: str) -> str:
    value = document.get(key)
    return value[:_LONGEST] if isinstance(value, str) else ""
