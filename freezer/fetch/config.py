"""The user's configuration of sources, which is never part of a lock.

Read from ``$FREEZER_CONFIG``, else ``$XDG_CONFIG_HOME/freezer/config.yaml``; a project's own
``.freezer.yaml`` overrides it, key by key.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from freezer.errors import ConfigError, SpecError, Where
from freezer.model import file_names
from freezer.model.base import Model
from freezer.model.yaml_document import read_yaml

PROJECT_FILE = file_names.PROJECT_FILE
_HINT = "see docs/reference/configuration.md for the keys"


class PythonIndexConfig(Model):
    """Python package indexes; missing values come from uv's and pip's configuration."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] | None = None
    find_links: tuple[str, ...] | None = None


class Sources(Model):
    """Addresses by source."""

    debian: dict[str, tuple[str, ...]] = {}
    """Archive label (``debian``, ``debian-security``) to root URLs, best first."""
    debian_snapshot: dict[str, str] = {}
    """Archive label to a URL of dated archives, with ``{timestamp}`` (``20261101T000000Z``)."""
    debian_keyring: str | None = None
    """OpenPGP keyring of the archive's signatures; needed only to make a base from packages."""
    pypi: PythonIndexConfig = PythonIndexConfig()
    conda: dict[str, tuple[str, ...]] = {}
    """Channel name to the addresses (URLs or folders) that serve it, best first; may contain a
    token (``/t/TOKEN/``), and ``${VARIABLES}``."""


class Config(Model):
    """All of the configuration."""

    sources: Sources = Sources()
    ledger: str | None = None
    """The URL of the ledger of runs, such as ``postgresql://user@host/runs``; may contain
    ``${VARIABLES}``. By default a file in the project: ``.freezer/ledger.db``."""
    insecure_registries: tuple[str, ...] = ()
    """``host:port`` of registries with plain http, which is always allowed for loopback ones."""


def load_config(project: Path | None = None) -> Config:
    """Return the configuration. Raises ``ConfigError`` with file and key."""
    files = [_user_file(), *([project / PROJECT_FILE] if project else [])]
    document: dict[str, Any] = {}
    for file in files:
        part = _read(file)
        _validate(part, file)
        document = _merge(document, part)
    return Config.model_validate(document)


def _user_file() -> Path:
    if explicit := os.environ.get("FREEZER_CONFIG"):
        return Path(explicit)
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "freezer" / "config.yaml"


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_yaml(file.read_bytes(), str(file), may_be_empty=True).values
    except FileNotFoundError:
        if str(file) == os.environ.get("FREEZER_CONFIG"):
            raise ConfigError(
                "the file in FREEZER_CONFIG does not exist", where=Where(str(file))
            ) from None
        return {}
    except OSError as error:
        raise ConfigError(
            "the configuration cannot be read", where=Where(str(file)), found=error.strerror
        ) from error
    except SpecError as error:
        raise ConfigError(
            f"the configuration is invalid: {error.what}",
            where=error.where,
            found=error.found,
            expected=error.expected,
            hint=error.hint or _HINT,
        ) from None


def _validate(document: dict[str, Any], file: Path) -> None:
    try:
        Config.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        unknown = first["type"] == "extra_forbidden"
        raise ConfigError(
            "unknown key" if unknown else "invalid value",
            where=Where(str(file), key=".".join(str(part) for part in first["loc"])),
            expected=None if unknown else first["msg"],
            hint=_HINT,
        ) from None


def _merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    merged = dict(low)
    for key, value in high.items():
        below = merged.get(key)
        both = isinstance(value, dict) and isinstance(below, dict)
        merged[key] = _merge(below or {}, value) if both else value
    return merged
