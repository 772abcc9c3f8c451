"""The Python package indexes to use, and their priorities.

Freezer's own configuration comes first, then uv's environment, then pip's configuration; options in
requirements files are applied on top, by pip's rules. Every address is stored as a URL.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from freezer.errors import ConfigError, FetchError
from freezer.fetch.http.redact import redact
from freezer.fetch.http.url import require_usable, scheme_of
from freezer.fetch.python.pip_config import PipSettings, pip_settings
from freezer.fetch.python.uv_config import UvConfiguration, uv_configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freezer.errors import Where
    from freezer.fetch.config import Config

Strategy = Literal["first-index", "unsafe-best-match"]


@dataclass(frozen=True)
class IndexOptions:
    """Index options in requirements files, in file order."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    first_index_urls: tuple[str, ...] = ()
    """Further indexes by uv's rules: a package comes from the first one that has it."""
    pinned: tuple[tuple[str, str], ...] = ()
    """Normalised name and the index that it is pinned to."""


@dataclass(frozen=True)
class Indexes:
    """URLs of simple indexes and of link pages or folders; may contain credentials."""

    index_url: str | None
    """None for no index."""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    strategy: Strategy = "first-index"
    """``first-index``: a package comes from the first index that has it, so that nobody can shadow
    a private package with a public one. ``unsafe-best-match``: all indexes are merged, as in pip;
    only when further indexes come from pip's configuration or a requirements file."""
    certificates: str | None = None
    """Path of a CA bundle."""
    pinned: tuple[tuple[str, str], ...] = ()
    """Normalised name and the only index that may provide it."""

    def urls_of(self, project: str) -> tuple[str, ...]:
        """Return the indexes that may have a project (normalised name), in order of priority.

        An index that others are pinned to exclusively is not among them.
        """
        own = dict(self.pinned).get(project)
        return self.index_urls if own is None else (own,)

    @property
    def index_urls(self) -> tuple[str, ...]:
        """All indexes without duplicates, in order of priority.

        With first-index the further ones come first, as in uv. When merged, the main one comes
        first: its metadata is used for a file on several indexes, since company mirrors often have
        no upload dates.
        """
        main = [self.index_url] if self.index_url else []
        first = self.strategy == "first-index"
        ordered = [*self.extra_index_urls, *main] if first else [*main, *self.extra_index_urls]
        return tuple(dict.fromkeys(ordered))


def indexes(
    config: Config,
    environment: Mapping[str, str] | None = None,
    pip: Callable[[], PipSettings] = pip_settings,
) -> Indexes:
    """Return the configured indexes. Raises ``HostError`` (pip's files)."""
    env = os.environ if environment is None else environment
    own = config.sources.pypi
    uv = UvConfiguration()
    if own.index_url and own.extra_index_urls is not None and own.find_links is not None:
        settings = PipSettings(index_url=own.index_url)
    else:
        uv = uv_configuration(env)
        settings = _under_uv(env, uv, pip)
    extra = own.extra_index_urls
    if extra is None:
        # An index that replaces the public one replaces it completely: nothing is added to it.
        extra = () if own.index_url else settings.extra_index_urls
    links = settings.find_links if own.find_links is None else own.find_links
    pips = own.extra_index_urls is None and bool(extra) and not _of_uv(env, uv)
    main = own.index_url or (None if settings.no_index else settings.index_url)
    return Indexes(
        index_url=_index_url(main) if main else None,
        extra_index_urls=tuple(_index_url(address) for address in extra),
        find_links=tuple(as_url(address) for address in links),
        strategy=_strategy(env, uv, pips),
        certificates=settings.certificates,
    )


def _index_url(address: str) -> str:
    """Return a configured index's URL. Raises ``ConfigError`` for what is none, nor a folder."""
    if scheme_of(address) in ("http", "https", "file") or _is_folder(address):
        return as_url(address)
    raise ConfigError(
        "a configured Python package index is neither an address nor a folder that exists",
        found=redact(address),
        expected="a URL such as https://host/simple",
        hint="correct it in Freezer's, uv's or pip's configuration (`pip config list` shows pip's)",
    )


def _is_folder(address: str) -> bool:
    try:
        return Path(address).expanduser().is_dir()
    except (OSError, RuntimeError, ValueError):
        return False


def with_options(base: Indexes, options: IndexOptions) -> Indexes:
    """Apply the options of requirements files to the configured indexes, by pip's rules."""
    index_url = options.index_url or base.index_url
    extra = (*base.extra_index_urls, *options.extra_index_urls)
    if options.no_index:
        index_url, extra = None, ()
    return replace(
        base,
        index_url=index_url,
        extra_index_urls=tuple(dict.fromkeys((*options.first_index_urls, *extra))),
        pinned=(*base.pinned, *options.pinned),
        find_links=tuple(dict.fromkeys((*base.find_links, *options.find_links))),
        strategy="unsafe-best-match" if options.extra_index_urls else base.strategy,
    )


def as_url(address: str, folder: Path | None = None, where: Where | None = None) -> str:
    """Return an address as a URL; a path (relative to ``folder``) becomes a ``file:`` one.

    Raises ``FetchError`` for anything else.
    """
    if scheme_of(address) in ("http", "https", "file"):
        require_usable(address, where)
        return address
    if "\0" in address:
        raise FetchError("this is neither an address nor a path", found=redact(address))
    return (folder or Path.cwd()).joinpath(Path(address).expanduser()).resolve().as_uri()


def is_public_index(url: str) -> bool:
    """Return whether a URL is the public index, which may be replaced by configuration."""
    from pip._internal.models.index import PyPI  # imported late, as it loads much of pip

    return url.rstrip("/") == str(PyPI.simple_url).rstrip("/")


def _of_uv(env: Mapping[str, str], uv: UvConfiguration) -> bool:
    """Say whether uv has indexes of its own, in the place of all that pip has."""
    keys = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
    filed = uv.index_url or uv.extra_index_urls or uv.no_index
    return bool(filed) or any(env.get(key) for key in keys)


def _under_uv(
    env: Mapping[str, str], uv: UvConfiguration, pip: Callable[[], PipSettings]
) -> PipSettings:
    """Return pip's settings, overridden by uv's environment."""
    settings = pip()
    links = tuple((env.get("UV_FIND_LINKS") or "").replace(",", " ").split())
    if links or uv.find_links:
        settings = replace(settings, find_links=(*links, *uv.find_links))
    if not _of_uv(env, uv):
        return settings
    extra = [*(env.get("UV_INDEX") or "").split(), *(env.get("UV_EXTRA_INDEX_URL") or "").split()]
    main = env.get("UV_DEFAULT_INDEX") or env.get("UV_INDEX_URL") or uv.index_url
    return replace(
        settings,
        index_url=_address(main or settings.index_url),
        extra_index_urls=(*(_address(item) for item in extra), *uv.extra_index_urls),
        no_index=uv.no_index,
    )


def _address(item: str) -> str:
    """Remove the name of uv's ``name=url`` form."""
    name, _, url = item.partition("=")
    return url if url and name.replace("-", "").replace("_", "").isalnum() else item


def _strategy(env: Mapping[str, str], uv: UvConfiguration, pips: bool) -> Strategy:
    if (wish := env.get("UV_INDEX_STRATEGY") or uv.strategy) in (
        "first-index",
        "unsafe-best-match",
    ):
        return "first-index" if wish == "first-index" else "unsafe-best-match"
    return "unsafe-best-match" if pips else "first-index"
