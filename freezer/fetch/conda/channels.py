"""Conda channels: the name in a lock, and the addresses that serve it.

A channel is written as a name (``conda-forge``), a URL or a folder. The lock has only a name; its
address comes from the configuration (``sources.conda``), else from the spec, else it is rattler's
default. Credentials and tokens (``/t/TOKEN/``) stay in the addresses.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from freezer.errors import SpecError, Where
from freezer.fetch.http.redact import redact, without_credentials, without_token
from freezer.fetch.http.url import fill_in, require_usable, split_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freezer.fetch.config import Config

DEFAULTS = ("main", "r")
"""The channels of ``defaults`` on Linux, as in pixi (https://pixi.prefix.dev, `pixi init`)."""
_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^{}]*)\})", re.ASCII)
_SUBDIRS = frozenset({"noarch", "linux-64", "linux-aarch64", "osx-64", "osx-arm64", "win-64"})


@dataclass(frozen=True)
class CondaChannel:
    """A channel by its name in locks, and its addresses, best first."""

    name: str
    urls: tuple[str, ...]
    """Without a trailing slash; may contain credentials and tokens: display with ``redact``."""
    written: str | None = None
    """Its address in the spec, without secrets; None for one written by name."""

    @property
    def address(self) -> str:
        """The public address, regardless of configured mirrors; without secrets."""
        return self.written or default_url(quote(self.name))

    @property
    def is_default(self) -> bool:
        """Whether its name alone determines its address."""
        return self.written in (None, default_url(quote(self.name)))


def read_channels(
    written: Iterable[tuple[str, Where]], *, folder: Path, config: Config
) -> tuple[CondaChannel, ...]:
    """Parse a list of channels; return them in order, without duplicates.

    ``nodefaults`` is dropped, ``defaults`` is replaced by its two channels, ``${VARIABLES}`` are
    expanded as in conda, folders are relative to ``folder``. Raises ``SpecError`` for a malformed
    channel, and for two different channels of one name.
    """
    found: dict[str, CondaChannel] = {}
    places: dict[str, Where] = {}
    for text, where in written:
        for name, url in _read(text.strip(), where, folder, config):
            if url is None and name in found:
                continue
            own = None if url is None else public_url(url)
            channel = CondaChannel(name, _urls(name, url, config), own)
            if found.setdefault(name, channel).urls != channel.urls:
                raise _one_name(name, where, places[name])
            places.setdefault(name, where)
    return tuple(found.values())


def channel_name(text: str, config: Config, *, folder: Path | None = None) -> str:
    """Return the lock's name of a channel that is written as ``text``.

    For ``defaults`` it is the first of its channels.
    """
    if text.strip() == "defaults" and "defaults" not in config.sources.conda:
        return DEFAULTS[0]
    return _split(text.strip(), folder or Path.cwd(), config)[0]


def default_url(name: str) -> str:
    """Return rattler's URL of a channel written by name."""
    from rattler import Channel

    return str(Channel(name).base_url).rstrip("/")


def configured(channels: Sequence[CondaChannel], config: Config) -> dict[str, CondaChannel]:
    """Return channels by name, with additional ones of the configuration."""
    found = {channel.name: channel for channel in channels}
    for name, urls in config.sources.conda.items():
        found.setdefault(name, CondaChannel(name, _clean(urls)))
    return found


def as_channel_url(text: str, folder: Path | None = None) -> str:
    """Return an address as a URL without a trailing slash or subdir; a path becomes ``file:``."""
    if not text.isprintable():  # also rejects a null byte, which no path can have
        raise SpecError(
            "a channel's address with unprintable characters",
            found=redact(text),
            hint="type it again; it may contain invisible characters",
        )
    require_usable(text)
    if "://" not in text:
        text = (folder or Path.cwd()).joinpath(Path(text).expanduser()).resolve().as_uri()
    head, _, last = text.rstrip("/").rpartition("/")
    return head if last in _SUBDIRS else f"{head}/{last}"


def _read(text: str, where: Where, folder: Path, config: Config) -> list[tuple[str, str | None]]:
    if not text or text in ("nodefaults", "local") or text.startswith("!"):
        if text == "nodefaults":
            return []
        raise SpecError(
            f"{text or 'an empty entry'} is not a channel that other machines could use",
            where=where,
            expected="a channel's name, its URL, or a folder",
        )
    if text == "defaults" and text not in config.sources.conda:
        return [(name, None) for name in DEFAULTS]
    return [_split(_with_variables(text, where), folder, config)]


def _with_variables(text: str, where: Where) -> str:
    filled = _expanded(text)
    if "$" in filled:
        raise SpecError(
            "the channel names an environment variable that is not set",
            where=where,
            found=redact(text),
            hint="set it, or write the value in its place",
        )
    return filled


def _expanded(text: str) -> str:
    """Expand ``$NAME`` and ``${NAME}`` as in conda; unset variables are kept."""
    return fill_in(text, _VARIABLE, lambda found: os.environ.get(found[1] or found[2], found[0]))


def _split(text: str, folder: Path, config: Config) -> tuple[str, str | None]:
    """Return a channel's name, and its own address if it is written with one."""
    if "://" not in text and not text.startswith((".", "/", "~")):
        return text.strip("/"), None
    url = as_channel_url(text, folder)
    bare = public_url(url)
    for name, urls in config.sources.conda.items():
        if bare in map(public_url, _clean(urls)):
            return name, url
    parts = split_url(bare)
    path = unquote(parts.path).strip("/")
    if parts.scheme == "file":
        return path.rpartition("/")[2], url
    return path or str(parts.hostname), url


def public_url(url: str) -> str:
    """Return an address without credentials and token, for comparison and display."""
    return without_token(without_credentials(url))


def _urls(name: str, url: str | None, config: Config) -> tuple[str, ...]:
    own = _clean(config.sources.conda.get(name, ()))
    if own:
        return own
    return (url,) if url else (default_url(quote(name)),)


def _clean(urls: Iterable[str]) -> tuple[str, ...]:
    return tuple(as_channel_url(_expanded(url)) for url in urls)


def _one_name(name: str, where: Where, first: Where) -> SpecError:
    return SpecError(
        f"two different channels would both be called {name!r} in the lock",
        where=where,
        found=f"the other is in {first}",
        hint=f"give one of them a name of its own in the configuration: "
        f"`sources: {{conda: {{my-{name.rpartition('/')[2]}: [ADDRESS]}}}}`",
    )
