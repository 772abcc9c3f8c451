"""Where bytes come from: indexes, archives, registries."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from freezer.errors import FetchError
from freezer.fetch.http.client import NotFoundError, open_url
from freezer.fetch.http.redact import redact
from freezer.flows.setup.probes.finding import Finding, failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENCE = 5
"""Seconds for a registry to take a connection."""


def python_indexes(urls: Sequence[str]) -> list[Finding]:
    """Say whether each Python package index answers; asked for pip's own page, which is small."""
    return [_address("python index", url, f"{url.rstrip('/')}/pip/") for url in urls]


def debian_archives(archives: Mapping[str, Sequence[str]]) -> list[Finding]:
    """Say whether the configured Debian archives answer, by label."""
    if not archives:
        return [ok("debian archive", "none configured; those of the base or of this host are used")]
    return [
        _address(f"debian archive {label}", root, f"{root.rstrip('/')}/dists/")
        for label, roots in sorted(archives.items())
        for root in roots
    ]


def registries(addresses: Sequence[str]) -> list[Finding]:
    """Say whether the configured registries take connections (``host:port``)."""
    return [_registry(address) for address in addresses]


def _address(topic: str, name: str, url: str) -> Finding:
    try:
        with open_url(url):
            return ok(topic, f"{redact(name)} answers")
    except NotFoundError:
        return ok(topic, f"{redact(name)} answers")
    except FetchError as error:
        return failed(topic, error, unusable=False)


def _registry(address: str) -> Finding:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), _PATIENCE):
            return ok("registry", f"{address} answers")
    except (OSError, ValueError) as error:
        return warning(
            "registry",
            f"{address}: {error}",
            "start it, or correct `insecure-registries` in the configuration",
        )
