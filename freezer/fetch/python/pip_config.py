"""pip's configuration; the only module that imports pip's internals.

Read through pip's library, so that ``pip.conf`` and ``PIP_*`` have the same meaning as for pip.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from freezer.errors import HostError
from freezer.fetch.http.redact import redact

_SECTIONS = ("global", "install", ":env:")
"""In increasing priority, as for ``pip install``."""
_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})


@dataclass(frozen=True)
class PipSettings:
    """pip's settings of package sources."""

    index_url: str
    """pip's default if not configured."""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    certificates: str | None = None
    """Path of a CA bundle (pip's ``cert``)."""


def pip_settings() -> PipSettings:
    """Return the settings of ``pip install``. Raises ``HostError`` for malformed files."""
    from pip._internal.models.index import PyPI

    values = _values()
    return PipSettings(
        index_url=values.get("index-url") or PyPI.simple_url,
        extra_index_urls=_list(values.get("extra-index-url")),
        find_links=_list(values.get("find-links")),
        no_index=str(values.get("no-index", "")).lower() in _TRUE,
        certificates=values.get("cert") or None,
    )


def _values() -> dict[str, str]:
    from pip._internal.configuration import Configuration
    from pip._internal.exceptions import ConfigurationError

    configuration = Configuration(isolated=False)
    try:
        configuration.load()
    except ConfigurationError as error:
        raise HostError(
            "pip's configuration cannot be read",
            found=redact(str(error)),
            hint="fix it, or configure indexes in freezer's configuration",
        ) from error
    return _merged(configuration.items())


def _merged(items: Any) -> dict[str, str]:
    """Flatten pip's ``section.key`` pairs, or its ``(file, {section.key: value})`` ones."""
    by_section: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for key, value in items:
        pairs = value.items() if isinstance(value, dict) else [(key, value)]
        for full, text in pairs:
            section, _, name = str(full).partition(".")
            if section in by_section:
                by_section[section][name] = str(text)
    merged: dict[str, str] = {}
    for section in _SECTIONS:
        merged.update(by_section[section])
    return merged


def _list(value: str | None) -> tuple[str, ...]:
    return tuple((value or "").split())
