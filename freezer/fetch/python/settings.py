"""Which Python package indexes to ask, and how they stand to one another.

Freezer's own configuration goes first, then uv's environment and its ``uv.toml`` of the user, then
pip's configuration; options in requirements files are laid over that, by pip's rules. Every address
is kept as a URL.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from freezer.errors import FetchError
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
    """What requirements files say about indexes, in the order of the files."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    first_index_urls: tuple[str, ...] = ()
    """Further indexes as uv has them: a name is taken from the first one that has it."""
    pinned: tuple[tuple[str, str], ...] = ()
    """Normalised name and the one index that it is taken from."""


@dataclass(frozen=True)
class Indexes:
    """Addresses of simple indexes and of pages or folders of links; may hold credentials."""

    index_url: str | None
    """None when there is to be no index."""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    strategy: Strategy = "first-index"
    """``first-index``: a name is taken from the first index that has it, so that nobody can shadow
    a private package with a public one. ``unsafe-best-match``: all indexes are one, as pip has it;
    only where pip's own configuration or a requirements file brings in the further indexes."""
    certificates: str | None = None
    """Path of a CA bundle."""
    pinned: tuple[tuple[str, str], ...] = ()
    """Normalised name and the one index that it is taken from, and no other."""

    def urls_of(self, project: str) -> tuple[str, ...]:
        """Return the indexes that may have a project (normalised name), those first that go first.

        An index that is only for some projects is not among those of others.
        """
        own = dict(self.pinned).get(project)
        return self.index_urls if own is None else (own,)

    @property
    def index_urls(self) -> tuple[str, ...]:
        """Every index once, those that go first in front.

        Where the first index that has a name decides, the further ones go first, as uv has it.
        Where all are one, the main one goes first: of a file that several have, its word is taken,
        since mirrors in a company often do not say when a file was uploaded.
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
    """Return the indexes that the user has configured.

    Raises ``HostError`` or ``ConfigError`` for files of pip or uv that cannot be read.
    """
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
        # An index that replaces the public one replaces it whole: nothing is added to it unasked.
        extra = () if own.index_url else settings.extra_index_urls
    links = settings.find_links if own.find_links is None else own.find_links
    pips = own.extra_index_urls is None and bool(extra) and not _of_uv(env, uv)
    main = own.index_url or (None if settings.no_index else settings.index_url)
    if main:
        require_usable(main)
    return Indexes(
        index_url=main,
        extra_index_urls=tuple(as_url(address) for address in extra),
        find_links=tuple(as_url(address) for address in links),
        strategy=_strategy(env, uv, pips),
        certificates=settings.certificates,
    )


def with_options(base: Indexes, options: IndexOptions) -> Indexes:
    """Lay the options of requirements files over the configured indexes, by pip's rules."""
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

    Raises ``FetchError`` for what can be neither, ``SpecError`` where its host is not clear.
    """
    if scheme_of(address) in ("http", "https", "file"):
        require_usable(address, where)
        return address
    if "\0" in address:
        raise FetchError("this is neither an address nor a path", found=redact(address))
    return (folder or Path.cwd()).joinpath(Path(address).expanduser()).resolve().as_uri()


def is_public_index(url: str) -> bool:
    """Return whether an address is the public index, in whose place another may be configured."""
    from pip._internal.models.index import PyPI  # late: it loads much of pip

    return url.rstrip("/") == str(PyPI.simple_url).rstrip("/")


def _of_uv(env: Mapping[str, str], uv: UvConfiguration) -> bool:
    """Say whether uv has indexes of its own, in the place of all that pip has."""
    keys = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
    filed = uv.index_url or uv.extra_index_urls or uv.no_index
    return bool(filed) or any(env.get(key) for key in keys)


def _under_uv(
    env: Mapping[str, str], uv: UvConfiguration, pip: Callable[[], PipSettings]
) -> PipSettings:
    """Return pip's settings with those of uv in their place, where it has any."""
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
    """Drop the name of uv's ``name=url`` form."""
    name, _, url = item.partition("=")
    return url if url and name.replace("-", "").replace("_", "").isalnum() else item


def _strategy(env: Mapping[str, str], uv: UvConfiguration, pips: bool) -> Strategy:
    if (wish := env.get("UV_INDEX_STRATEGY") or uv.strategy) in (
        "first-index",
        "unsafe-best-match",
    ):
        return "first-index" if wish == "first-index" else "unsafe-best-match"
    return "unsafe-best-match" if pips else "first-index"
