"""Package selection for a minimal Debian system.

The same selection as ``minbase`` of debootstrap and mmdebstrap: all essential packages, those of
priority ``required``, apt with its keyring, and their dependencies. The selection from the same
indices is memoised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import FetchError, HostError, ResolveError
from freezer.fetch.debian.apt_sources import AptSource, host_sources
from freezer.fetch.debian.mirrors import archive_root
from freezer.fetch.debian.packages_index import fetch_indices, verify_release
from freezer.fetch.debian.signature import armoured, find_keyring
from freezer.fetch.http.client import NotFoundError
from freezer.fetch.http.redact import redact
from freezer.model.canonical import digest, json_bytes
from freezer.resolve.debian.closure import close, require_no_conflict
from freezer.resolve.debian.known import known_packages
from freezer.resolve.debian.packages import PackageTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.config import Config
    from freezer.fetch.debian.packages_index import Index
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import DebianPackage
    from freezer.resolve.debian.packages import Candidate

_KEYRING_IN_BASE = "/usr/share/keyrings/debian-archive-keyring.gpg"
_MEMO = "bootstrap-answer"
_FORMAT = 1
"""Format number; increment when the same indices would give another selection."""
_TOOLS = {
    "apt": "installs packages in the base",
    "debian-archive-keyring": "verifies the archive in the base",
}


def resolve_bootstrap(
    suite: str,
    architecture: str,
    *,
    config: Config,
    as_of: str,
    store: Store,
    report: Reporter,
) -> tuple[DebianPackage, ...]:
    """Return the packages of a minimal system, sorted by name.

    ``architecture`` is the machine's (``x86_64``, ``aarch64``). The result depends on the indices
    alone. Raises ``ResolveError``, ``FetchError``, ``IntegrityError`` and ``HostError``.
    """
    indices = bootstrap_indices(
        suite, architecture, config=config, as_of=as_of, store=store, report=report
    )
    return _known_choice(suite, indices, store)


def _known_choice(suite: str, indices: Sequence[Index], store: Store) -> tuple[DebianPackage, ...]:
    """Return the packages of a minimal system, selected once for each state of the archive."""
    packed = [[index.source, index.packed_sha256] for index in indices]
    key = digest(json_bytes([_FORMAT, suite, packed]))
    return known_packages(store, _MEMO, key, lambda: choose(suite, indices))


def bootstrap_sources(
    suite: str, config: Config, *, components: tuple[str, ...] = ("main",)
) -> tuple[AptSource, ...]:
    """Return the sources of a suite, its updates and its security updates.

    The last two are optional. Root URLs come from the configuration, else from this host's apt
    sources. Signatures are verified with the configured keyring, else with the base's own. Raises
    ``HostError`` when no root is known.
    """
    host = host_sources()
    main = archive_root("debian", config, host)
    if main is None:
        raise _no_archive()
    keyring = config.sources.debian_keyring
    trust = armoured(find_keyring(keyring)) if keyring else _KEYRING_IN_BASE
    wanted = [(main, suite), (main, f"{suite}-updates")]
    if security := archive_root("debian-security", config, host):
        wanted.append((security, f"{suite}-security"))
    return tuple(
        AptSource(root, name, components, signed_by=trust, optional=name != suite)
        for root, name in wanted
    )


def bootstrap_indices(
    suite: str,
    architecture: str,
    *,
    config: Config,
    as_of: str,
    store: Store,
    report: Reporter,
) -> list[Index]:
    """Return the indices of :func:`bootstrap_sources`, their releases verified on this host.

    Raises ``ResolveError`` when the archive has no such suite, ``HostError`` when no archive or
    keyring is known, ``FetchError``, ``IntegrityError``.
    """
    keyring = find_keyring(config.sources.debian_keyring)
    sources = bootstrap_sources(suite, config)
    if not any(source.suite == f"{suite}-security" for source in sources):
        report.warn(
            f"no archive of security updates is known, so {suite} is used without them: name one "
            "under `sources: {debian: {debian-security: [URL]}}` in the configuration"
        )
    try:
        indices = fetch_indices(
            sources, architecture, config, as_of=as_of, store=store, report=report
        )
    except NotFoundError as error:
        raise _no_suite(suite, error) from None
    for index in indices:
        verify_release(index.inrelease, keyring, f"{index.root}/{index.folder}/InRelease")
    return indices


def choose(suite: str, indices: Sequence[Index]) -> tuple[DebianPackage, ...]:
    """Return the packages of a minimal system from some indices, sorted by name. Pure."""
    table = PackageTable(indices)
    seeds: dict[str, tuple[Candidate, str]] = {}
    for name, reason in _TOOLS.items():
        if (one := table.newest(name)) is None:
            raise _incomplete(suite, name)
        seeds[name] = (one, reason)
    for one in table.marked("Essential", "yes"):
        seeds.setdefault(one.name, (one, "essential to every Debian system"))
    for one in table.marked("Priority", "required"):
        seeds.setdefault(one.name, (one, "required in every Debian system"))
    if len(seeds) == len(_TOOLS):
        raise _incomplete(suite, "any essential package")
    chosen = close(seeds, table)
    require_no_conflict([one for one, _ in chosen.values()])
    return tuple(
        one.package(requested=name in _TOOLS, reason=reason)
        for name, (one, reason) in sorted(chosen.items())
    )


def _no_archive() -> HostError:
    return HostError(
        "no Debian archive is known",
        found="neither in the configuration nor among the package sources of this host",
        hint="name its root under `sources: {debian: {debian: [URL]}}` in the configuration",
    )


def _no_suite(suite: str, error: FetchError) -> ResolveError:
    return ResolveError(
        f"the archive has no suite {suite!r}",
        found=redact(error.what),
        expected="a suite's name, such as bookworm",
        hint="correct `base: {bootstrap: …}` in the spec",
    )


def _incomplete(suite: str, lacking: str) -> ResolveError:
    return ResolveError(
        f"the archive of {suite} does not hold {lacking}",
        expected="a complete Debian archive, component main",
        hint="configure a complete Debian mirror under `sources: {debian: {debian: [URL]}}`",
    )
