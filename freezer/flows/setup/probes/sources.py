"""Where bytes come from: indexes, archives, channels, registries; probed in parallel."""

from __future__ import annotations

import queue
import socket
import threading
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple

from freezer.errors import FetchError, FreezerError
from freezer.fetch.http.client import NotFoundError, open_url
from freezer.fetch.http.redact import redact
from freezer.flows.setup.probes.finding import Finding, failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_PATIENCE: Final = 5
"""Seconds for a registry to take a connection."""
_ALL: Final = 10.0
"""Seconds for all sources together."""


class Probe(NamedTuple):
    """A source to probe."""

    topic: str
    name: str
    """Its address, without secrets."""
    ask: Callable[[], Finding]


def ask_all(probes: Sequence[Probe], seconds: float = _ALL) -> list[Finding]:
    """Return a finding for each source, in order; what has not answered in time is a warning.

    Threads that still wait then are left alone: they end with the process.
    """
    done: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()
    for number, probe in enumerate(probes):
        work = (done, number, probe)
        threading.Thread(target=_answer, args=work, daemon=True).start()
    found: dict[int, Finding] = {}
    end = monotonic() + seconds
    while len(found) < len(probes):
        try:
            number, finding = done.get(timeout=max(end - monotonic(), 0))
        except queue.Empty:
            break
        found[number] = finding
    return [found.get(number) or _late(one, seconds) for number, one in enumerate(probes)]


def _answer(done: queue.SimpleQueue[tuple[int, Finding]], number: int, probe: Probe) -> None:
    try:
        finding = probe.ask()
    except FreezerError as error:
        finding = failed(probe.topic, error, unusable=False)
    except Exception as error:  # noqa: BLE001 - a thread's own would be lost
        finding = warning(probe.topic, f"{probe.name}: {error!r}", "check its address")
    done.put((number, finding))


def _late(probe: Probe, seconds: float) -> Finding:
    hint = "check the address, the proxy and the firewall, or configure a mirror"
    return warning(probe.topic, f"{probe.name} has not answered in {seconds:.0f} s", hint)


def python_indexes(urls: Sequence[str]) -> list[Probe]:
    """Return a probe for each Python package index: of pip's own page, which is small."""
    return [_address("python index", url, [f"{url.rstrip('/')}/pip/"]) for url in urls]


def debian_archives(archives: Mapping[str, Sequence[str]]) -> list[Probe]:
    """Return a probe for each configured Debian archive, by label."""
    return [
        _address(f"debian archive {label}", root, [f"{root.rstrip('/')}/dists/"])
        for label, roots in sorted(archives.items())
        for root in roots
    ]


def conda_channels(channels: Mapping[str, Sequence[str]]) -> list[Probe]:
    """Return a probe for each address of each channel: whether it has an index."""
    files = ("repodata.json.zst", "repodata.json")
    return [
        _address(
            f"channel {name}",
            url,
            [f"{url.rstrip('/')}/noarch/{file}" for file in files],
            needed="index (noarch/repodata.json)",
        )
        for name, urls in sorted(channels.items())
        for url in urls
    ]


def registries(addresses: Sequence[str]) -> list[Probe]:
    """Return a probe for each configured registry: whether it takes connections (``host:port``)."""
    return [Probe("registry", one, lambda one=one: _registry(one)) for one in addresses]  # type: ignore[misc]


def _address(topic: str, name: str, urls: Sequence[str], needed: str | None = None) -> Probe:
    """Return a probe that opens one URL after the other until one is there.

    Where nothing is there the server has answered all the same; that is enough unless something is
    ``needed``.
    """
    shown = redact(name)

    def ask() -> Finding:
        for url in urls:
            try:
                with open_url(url):
                    return ok(topic, f"{shown} answers")
            except NotFoundError:
                continue
            except FetchError as error:
                return failed(topic, error, unusable=False)
        if needed is None:
            return ok(topic, f"{shown} answers")
        return warning(topic, f"{shown} answers, and has no {needed}", "check the address")

    return Probe(topic, shown, ask)


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
