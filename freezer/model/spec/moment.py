"""Moments as users write them on the command line."""

from __future__ import annotations

from typing import Final

from pydantic import TypeAdapter, ValidationError

from freezer.errors import SpecError
from freezer.model.spec.spec import Moment

_ADAPTER: Final[TypeAdapter[str]] = TypeAdapter(Moment)


def parse_moment(text: str, option: str) -> str:
    """Return a moment as ``YYYY-MM-DDTHH:MM:SSZ``. Raises ``SpecError`` naming the option."""
    try:
        return _ADAPTER.validate_python(text)
    except ValidationError:
        raise SpecError(
            f"{option} is not a moment",
            found=text,
            expected="a date, a time and a zone, such as 2026-11-01T00:00:00Z",
        ) from None
