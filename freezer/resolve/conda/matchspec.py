"""Match specs as users write them, normalised to a form that all tools parse alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.fetch.conda.channels import channel_name
from freezer.fetch.http.redact import redact
from freezer.resolve.conda.solver.interface import CondaRequirement

if TYPE_CHECKING:
    from pathlib import Path

    from freezer.errors import Where
    from freezer.fetch.config import Config

_CHANNEL = re.compile(r"^(?P<channel>[^\[\]]+?)::(?P<rest>.*)$")
_SPACES = re.compile(r"\s*(===|==|>=|<=|!=|~=|=|<|>|,|\|)\s*")
_URL = re.compile(r"^(https?|file)://|\.(conda|tar\.bz2)$")
_HINTS = (
    (re.compile(r"=[<>]"), "write '>=' or '<='"),
    (re.compile(r"===|@|;"), "this is pip's syntax; move the line under `pip:`"),
    (re.compile(r"[=<>,]$"), "the version is missing at the end"),
)


def read_spec(
    text: str, where: Where, *, folder: Path, config: Config
) -> tuple[CondaRequirement, str | None]:
    """Parse a match spec; return it, and the channel as written, if it names one.

    Spaces of ``python >= 3.8`` and ``numpy = 1.20 = py38_0`` are removed. Raises ``SpecError``.
    """
    match = _CHANNEL.match(text.strip())
    channel, rest = (match["channel"], match["rest"]) if match else (None, text.strip())
    if _URL.search(rest) or (channel and _URL.search(channel) and not rest):
        raise SpecError(
            "the URL of an archive is not a match spec",
            where=where,
            found=redact(text),
            hint="put the archive into a channel (a folder is enough: `rattler-index`), or list "
            "all packages in an explicit file (`@EXPLICIT`)",
        )
    bare = without_spaces(rest)
    name = _checked(bare, text, where)
    if channel is None:
        return CondaRequirement(bare, where, name), name
    return CondaRequirement(bare, where, channel_name(channel, config, folder=folder)), channel


def without_spaces(text: str) -> str:
    """Remove spaces around operators, except within brackets, where they belong to values."""
    head, bracket, tail = text.partition("[")
    return _SPACES.sub(r"\1", head).strip() + bracket + tail


def _checked(bare: str, text: str, where: Where) -> str | None:
    """Return the channel in the brackets. Raises ``SpecError`` when rattler cannot parse it."""
    from rattler import MatchSpec
    from rattler.exceptions import InvalidMatchSpecError

    try:
        spec = MatchSpec(bare)
    except InvalidMatchSpecError as error:
        hint = next((words for pattern, words in _HINTS if pattern.search(bare)), None)
        raise SpecError(
            f"{redact(text)!r} is not a match spec",
            where=where,
            found=str(error).splitlines()[0],
            expected="such as 'numpy', 'numpy=2.2', 'numpy >=2,<3' or 'libblas=*=*openblas'",
            hint=hint,
        ) from None
    return spec.channel.name if spec.channel else None
