"""What result files of jobs have in common: whole, of a known form, and of what was submitted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from freezer.inside.freezer_host.result import is_intact
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping

Form = TypeVar("Form", bound=BaseModel)


@dataclass(frozen=True)
class Problem:
    """Why a result file is not trusted."""

    reason: str


def parse_sealed(
    data: bytes, form: type[Form], expected: Mapping[str, Any], largest: int
) -> Form | Problem:
    """Return a result only if it is whole, of a form, and has the expected fields. Pure.

    ``largest``: maximum bytes.
    """
    if len(data) > largest:
        return Problem(f"the result file is larger than {largest >> 20} MiB")
    if not is_intact(data):
        return Problem("the result file was cut off or edited: its digest is not that of its bytes")
    try:
        found = form.model_validate(parse_json(data))
    except ValueError as error:  # ValidationError is one
        return Problem(f"the result file is of another form: {_first(error)}")
    for name, value in expected.items():
        if getattr(found, name) != value:
            title = "submission" if name == "nonce" else name.replace("_", " ")
            return Problem(f"the result file is of another {title}")
    return found


def _first(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]
    return str(error)[:200]
